//! The AWS settings of the environment, and the region that the environment or a profile names.

use super::files::{Files, UNFIT, fits_a_header};
use super::refusal::refused;
use super::surroundings::Surroundings;
use crate::aws::error::{CallError, Caller};
use crate::model::arn::Region;

/// The variables that decide which session is opened. The SDK ignores them if they are not text, or fails without a name.
const TEXTS: [&str; 26] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_ECR",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
];

/// Rejects environment variables that are not UTF-8 text, and values that make the SDK panic. Retry settings are checked
/// elsewhere.
pub(super) fn check_environment(surroundings: &Surroundings, caller: &Caller) -> Result<(), CallError> {
    if let Some(name) = TEXTS.iter().find(|name| surroundings.is_no_text(name)) {
        return Err(refused(caller, format!("{name} is not UTF-8 text"), "Correct it, or unset it".to_owned()));
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] {
        if surroundings.given(name).is_some_and(|value| !fits_a_header(&value)) {
            return Err(refused(caller, format!("{name} {UNFIT}"), "Correct it, or unset it".to_owned()));
        }
    }
    // The SDK accepts a URI without a scheme here, and fails later.
    let uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    if let Some(value) = surroundings.given(uri).filter(|value| !value.contains("://")) {
        let hint = "Set it to a URI that begins with http:// or https://, or unset it";
        return Err(refused(caller, format!("{uri} is '{}'", value.escape_debug()), hint.to_owned()));
    }
    Ok(())
}

/// The region of the environment or the profile. Does not ask the instance metadata service, which takes a network
/// call.
pub(super) fn configured_region(
    surroundings: &Surroundings,
    caller: &Caller,
    files: &Files,
    profile: &str,
) -> Result<Region, CallError> {
    let hint = format!("Pass `--{}-region`, set AWS_REGION, or give the profile a region", caller.side);
    let found = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| surroundings.given(name));
    let found = found.or_else(|| files.region(profile));
    let found = found.ok_or_else(|| refused(caller, "no region is configured".to_owned(), hint.clone()))?;
    found.parse().map_err(|error| refused(caller, format!("{error}"), hint))
}
