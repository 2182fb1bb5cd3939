//! The endpoints that are configured instead of those of AWS.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_types::service_config::ServiceConfigKey;

use super::files::Files;
use super::refusal::refused;
use super::surroundings::Surroundings;
use crate::aws::error::{CallError, Caller};

const VARIABLE: &str = "AWS_ENDPOINT_URL";
const KEY: &str = "endpoint_url";

/// The endpoint that is configured for a service, by its id.
pub(super) fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env(VARIABLE).profile(KEY).build();
    config.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key))
}

/// Rejects an endpoint that is not a URL. The SDK panics on an empty one, and reports another one with its whole request.
pub(super) fn check_endpoints(
    surroundings: &Surroundings,
    caller: &Caller,
    files: &Files,
    profile: &str,
    config: &SdkConfig,
) -> Result<(), CallError> {
    for service in ["s3", "sagemaker", "sts", "kms", "ecr"] {
        let Some(url) = endpoint(config, service).filter(|url| !is_url(url)) else { continue };
        // A user name and a password may precede the host.
        let shown = url.rsplit('@').next().unwrap_or_default();
        let wrong = format!("'{}', which is not an HTTP or HTTPS URL", shown.escape_debug());
        let hint = "Set it to a URL that begins with http:// or https://, such as http://localhost:4566, or remove it";
        // In the order of the SDK, which does not say where it has found the endpoint.
        let variables = [format!("{VARIABLE}_{}", service.to_uppercase()), VARIABLE.to_owned()];
        if let Some(variable) = variables.iter().find(|variable| surroundings.env.get(variable).is_ok()) {
            return Err(refused(caller, format!("{variable} is {wrong}"), hint.to_owned()));
        }
        let of_profile = files.find(profile, KEY).filter(|value| value.text == url);
        return Err(match (of_profile, files.get(profile, "services")) {
            (Some(value), _) => value.refused(caller, &format!("is {wrong}"), hint),
            (None, Some(value)) => value.refused(caller, &format!("sets {KEY} of {service} to {wrong}"), hint),
            (None, None) => refused(caller, format!("the endpoint of {service} is {wrong}"), hint.to_owned()),
        });
    }
    Ok(())
}

/// Whether the text is an HTTP or HTTPS URL with a host.
fn is_url(text: &str) -> bool {
    let is_http = |scheme: &str| ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
    let has_host = |rest: &str| !rest.starts_with(['/', '?', '#', ':']) && !rest.is_empty();
    text.split_once("://").is_some_and(|(scheme, rest)| is_http(scheme) && has_host(rest))
        && HttpRequest::get(text).is_ok()
}
