//! The AWS settings of the environment and the profile.

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;

use crate::aws::error::{CallError, Caller, Kind};
use crate::model::arn::Region;

/// The SDK panics on an unreadable AWS_MAX_ATTEMPTS or AWS_RETRY_MODE; a sentence is better.
pub(super) fn check_environment(caller: &Caller) -> Result<(), CallError> {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let attempts = given("AWS_MAX_ATTEMPTS").filter(|value| !value.parse::<u32>().is_ok_and(|n| n > 0));
    let mode =
        given("AWS_RETRY_MODE").filter(|value| !matches!(value.to_ascii_lowercase().as_str(), "standard" | "adaptive"));
    let refused =
        |name: &str, value: &str, hint: &str| refused(caller, format!("{name} is '{value}'"), hint.to_owned());
    match (attempts, mode) {
        (Some(value), _) => Err(refused("AWS_MAX_ATTEMPTS", &value, "Set it to a number from 1, or unset it")),
        (_, Some(value)) => Err(refused("AWS_RETRY_MODE", &value, "Set it to standard or adaptive, or unset it")),
        (None, None) => Ok(()),
    }
}

/// The region of the environment or the profile. The instance's metadata service is not asked: it is a network call.
pub(super) async fn configured_region(caller: &Caller, profile: Option<&str>) -> Result<Region, CallError> {
    let mut of_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        of_profile = of_profile.profile_name(profile);
    }
    let hint = format!("Pass --{}-region, set AWS_REGION, or give the profile a region", caller.side);
    // A variable that is set to nothing counts as unset.
    let given = EnvironmentVariableRegionProvider::new().region().await.filter(|region| !region.as_ref().is_empty());
    let found = match given {
        Some(region) => Some(region),
        None => of_profile.build().region().await,
    };
    let found = found.ok_or_else(|| refused(caller, "no region is configured".to_owned(), hint.clone()))?;
    found.as_ref().parse().map_err(|error| refused(caller, format!("{error}"), hint))
}

fn refused(caller: &Caller, message: String, hint: String) -> CallError {
    CallError {
        side: caller.side,
        call: "configuration",
        resource: caller.profile.as_deref().map_or("the environment".into(), |name| format!("profile '{name}'").into()),
        kind: Kind::Invalid,
        code: None,
        message: message.into(),
        request_id: None,
        bucket_region: None,
        hint: hint.into(),
    }
}
