//! The AWS settings of the environment and the profile.

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;

use super::files::{UNFIT, fits_a_header};
use super::refusal::refused;
use crate::aws::error::{CallError, Caller};
use crate::model::arn::Region;

/// Rejects variables on which the SDK panics. Retry settings are checked elsewhere.
pub(super) fn check_environment(caller: &Caller) -> Result<(), CallError> {
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] {
        if given(name).is_some_and(|value| !fits_a_header(&value)) {
            return Err(refused(caller, format!("{name} {UNFIT}"), "Correct it, or unset it".to_owned()));
        }
    }
    // The SDK accepts a URI without a scheme here, and fails later.
    let uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    if let Some(value) = given(uri).filter(|value| !value.contains("://")) {
        let hint = "Set it to a URI that begins with http:// or https://, or unset it";
        return Err(refused(caller, format!("{uri} is '{}'", value.escape_debug()), hint.to_owned()));
    }
    Ok(())
}

/// The value of a variable. An empty variable counts as unset.
pub(super) fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The region of the environment or the profile. Does not ask the instance metadata service, which takes a network call.
pub(super) async fn configured_region(caller: &Caller, profile: Option<&str>) -> Result<Region, CallError> {
    let mut of_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        of_profile = of_profile.profile_name(profile);
    }
    let hint = format!("Pass `--{}-region`, set AWS_REGION, or give the profile a region", caller.side);
    // An empty variable counts as unset.
    let given = EnvironmentVariableRegionProvider::new().region().await.filter(|region| !region.as_ref().is_empty());
    let found = match given {
        Some(region) => Some(region),
        None => of_profile.build().region().await,
    };
    let found = found.ok_or_else(|| refused(caller, "no region is configured".to_owned(), hint.clone()))?;
    found.as_ref().parse().map_err(|error| refused(caller, format!("{error}"), hint))
}
