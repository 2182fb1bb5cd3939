//! Translates errors of the AWS SDK into a [`CallError`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::answer::{Answer, broke_off, chain, sentence, unanswered};
use super::call::{CallError, Kind};
use super::hint_texts::Caller;
use crate::aws::resource::Resource;

/// The SDK's text if no provider of the default chain has credentials.
const NO_PROVIDER: &str = "no credentials found in chain";
/// The SDK's text if the profile configures no credentials.
const NOT_ENABLED: &str = "the credential provider was not enabled";
/// The SDK's text if the command of a profile's `credential_process` fails.
const OF_PROCESS: &str = "Error retrieving credentials";
const PROCESS_HINT: &str =
    "Run the command that the profile has as `credential_process`, correct what it reports, then run again";
const NO_CREDENTIALS: &str =
    "no AWS credentials in environment variables, a profile, an SSO session or the role of this machine";

impl Caller {
    /// Translates the SDK's error of `call` on `resource`. If the request body was streamed from another call that
    /// failed, returns the error of that call.
    pub fn error<E>(&self, call: &'static str, resource: &Resource<'_>, error: SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let Some(passed_on) = chain(&error).find_map(|cause| cause.downcast_ref::<CallError>()) {
            return passed_on.clone();
        }
        if let Some(error) = self.credentials_error(call, resource, &error) {
            return error;
        }
        let answer = Answer::of(&error);
        let kind = match (&answer, &error) {
            (Some(_), SdkError::ResponseError(_)) if broke_off(&error) => Kind::Unavailable,
            (Some(answer), _) => answer.kind(),
            (None, SdkError::ConstructionFailure(_)) => Kind::Invalid,
            (None, _) => Kind::Unavailable,
        };
        let message = answer.as_ref().map_or_else(|| unanswered(&error), |answer| answer.message.clone());
        let answered = answer.is_some();
        let answer = answer.unwrap_or_default();
        let hint = match (&answer.bucket_region, kind) {
            (Some(region), Kind::Invalid) if *region != self.region => self.region_hint(region),
            (_, Kind::Unavailable) if !answered => self.network_hint(),
            _ => self.hint(call, resource, kind, answer.code.as_deref(), &message),
        };
        CallError {
            side: self.side,
            call,
            resource: resource.to_string().into(),
            kind,
            code: answer.code.map(Into::into),
            message: message.into(),
            request_id: answer.request_id.map(Into::into),
            bucket_region: answer.bucket_region.filter(|region| *region != self.region).map(Into::into),
            hint: hint.into(),
        }
    }

    /// The error for a response that cannot be used.
    pub fn unusable(&self, call: &'static str, resource: &Resource<'_>, message: impl Into<String>) -> CallError {
        let hint = "Check the configured endpoint (AWS_ENDPOINT_URL*) and the account that it serves";
        self.call_error(call, resource, Kind::Other, message.into(), hint.to_owned())
    }

    /// The error for a request that cannot be made, or for an object that is too large.
    pub fn invalid(&self, call: &'static str, resource: &Resource<'_>, message: String) -> CallError {
        self.call_error(call, resource, Kind::Invalid, message, self.hint(call, resource, Kind::Invalid, None, ""))
    }

    /// The error for an object whose ETag has changed.
    pub fn changed(&self, call: &'static str, resource: &Resource<'_>, expected: &str, found: &str) -> CallError {
        let message = format!("its ETag was {expected} and is {found} now");
        let hint = self.hint(call, resource, Kind::PreconditionFailed, None, &message);
        self.call_error(call, resource, Kind::PreconditionFailed, message, hint)
    }

    /// The error for a download that failed.
    pub fn broken_off(&self, call: &'static str, resource: &Resource<'_>, error: &(dyn Error + 'static)) -> CallError {
        let message = format!("the download failed: {}", sentence(error));
        let hint = self.hint(call, resource, Kind::Unavailable, None, &message);
        self.call_error(call, resource, Kind::Unavailable, message, hint)
    }

    /// The error for a download that ended or stalled before it was complete.
    pub fn cut_off(&self, call: &'static str, resource: &Resource<'_>, had: u64, length: u64) -> CallError {
        let message = format!("the download ended after {had} of {length} bytes");
        let hint = self.hint(call, resource, Kind::Unavailable, None, &message);
        self.call_error(call, resource, Kind::Unavailable, message, hint)
    }

    /// The error for a download that the server could not answer.
    pub fn download_refused(&self, call: &'static str, resource: &Resource<'_>, status: u16) -> CallError {
        let message = format!("the download failed: HTTP {status}");
        let hint = self.hint(call, resource, Kind::Unavailable, None, &message);
        self.call_error(call, resource, Kind::Unavailable, message, hint)
    }

    fn call_error(
        &self,
        call: &'static str,
        resource: &Resource<'_>,
        kind: Kind,
        message: String,
        hint: String,
    ) -> CallError {
        CallError {
            side: self.side,
            call,
            resource: resource.to_string().into(),
            kind,
            code: None,
            message: message.into(),
            request_id: None,
            bucket_region: None,
            hint: hint.into(),
        }
    }

    /// The error for a call that was not sent, because there were no credentials.
    fn credentials_error<E>(
        &self,
        call: &'static str,
        resource: &Resource<'_>,
        error: &SdkError<E, HttpResponse>,
    ) -> Option<CallError>
    where
        E: Error + 'static,
    {
        let cause = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
        let assuming = chain(cause).find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
        let answer = assuming.and_then(Answer::of);
        let is_empty = answer.is_none() && self.profile.is_some() && sentence(cause) == NOT_ENABLED;
        let is_unreachable = answer.is_none() && chain(cause).any(is_no_connection);
        let message = match &answer {
            Some(answer) => answer.message.clone(),
            None if is_unreachable && assuming.is_some() => format!("no response: {}", sentence(cause)),
            None if is_empty => format!(
                "no credentials from {}: it has neither an access key nor a role, an SSO session, a login session or a \
                 credential process",
                self.profile_or_chain()
            ),
            None if self.profile.is_none() && sentence(cause) == NO_PROVIDER => NO_CREDENTIALS.to_owned(),
            None => format!("no credentials from {}: {}", self.profile_or_chain(), sentence(cause)),
        };
        let answer = answer.unwrap_or_default();
        let (call, resource) = match (&self.role, assuming) {
            (Some(role), Some(_)) => ("sts:AssumeRole", role.clone()),
            (None, Some(_)) => ("sts:AssumeRole", self.profile_or_chain()),
            (_, None) => (call, resource.to_string()),
        };
        let is_busy = assuming.is_some() && matches!(answer.kind(), Kind::Throttled | Kind::Unavailable);
        let kind = match is_unreachable {
            true => Kind::Unavailable,
            false if is_busy => answer.kind(),
            false => Kind::Credentials,
        };
        let hint = match (assuming.is_some(), answer.kind()) {
            (true, Kind::Denied) => self.assume_hint(),
            _ if is_busy => self.hint(call, &Resource::Principal, kind, answer.code.as_deref(), &message),
            _ if is_empty => self.set_up_hint(),
            _ if is_unreachable => self.network_hint(),
            _ if message.contains(OF_PROCESS) => PROCESS_HINT.to_owned(),
            _ => self.sign_in_hint(),
        };
        Some(CallError {
            side: self.side,
            call,
            resource: resource.into(),
            kind,
            code: answer.code.map(Into::into),
            message: message.into(),
            request_id: answer.request_id.map(Into::into),
            bucket_region: None,
            hint: hint.into(),
        })
    }
}

/// Whether the cause is a connection that could not be made, or that was not answered in time.
fn is_no_connection(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<ConnectorError>().is_some_and(|error| error.is_io() || error.is_timeout())
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;
    use crate::aws::error::{Spellings, TargetBucket};
    use crate::model::side::Side;

    fn caller(side: Side) -> Caller {
        Caller {
            side,
            profile: Some("prod".into()),
            role: None,
            region: "eu-central-1".into(),
            groups: Spellings::default(),
            target_bucket: TargetBucket::default(),
            reads_only: false,
            attempts: None,
        }
    }

    fn answer(status: u16, headers: &[(&'static str, &'static str)], code: &str, message: &str) -> CallError {
        let mut raw = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
        for (name, value) in headers {
            raw.headers_mut().insert(*name, *value);
        }
        let meta = match code {
            "" => ErrorMetadata::builder().build(),
            code => ErrorMetadata::builder().code(code).message(message).build(),
        };
        let at = "s3://models/k".parse().unwrap();
        let error = SdkError::service_error(GetObjectError::generic(meta), raw);
        caller(Side::Source).error("s3:GetObject", &Resource::Object(&at), error)
    }

    #[test]
    fn a_denial_has_code_message_and_request_id_and_its_hint_the_permission_to_grant() {
        let error = answer(403, &[("x-amz-request-id", "4F")], "AccessDenied", "Access Denied.");
        assert_eq!(error.kind, Kind::Denied);
        assert_eq!(
            error.to_string(),
            "source: s3:GetObject on s3://models/k: AccessDenied: Access Denied (request 4F)"
        );
        assert_eq!(
            &*error.hint,
            "Grant s3:GetObject on arn:aws:s3:::models/* and s3:ListBucket on arn:aws:s3:::models to this principal (for \
             another account's bucket, in its bucket policy too); or pass `--source-request-payer`, if the bucket's owner \
             lets requesters pay, then run again"
        );
    }

    #[test]
    fn forbidden_is_not_absent_even_without_a_body() {
        assert_eq!(answer(403, &[], "", "").kind, Kind::Denied);
        assert_eq!(answer(404, &[], "", "").kind, Kind::NotFound);
    }

    #[test]
    fn a_condition_that_does_not_hold_is_412_or_a_conflict_of_writes() {
        assert_eq!(answer(412, &[], "", "").kind, Kind::PreconditionFailed);
        assert_eq!(answer(409, &[], "ConditionalRequestConflict", "x").kind, Kind::PreconditionFailed);
    }

    #[test]
    fn absent_and_existing_groups_are_known_by_sagemakers_message() {
        let kind = |message| answer(400, &[], "ValidationException", message).kind;
        assert_eq!(kind("ModelPackageGroup g does not exist."), Kind::NotFound);
        assert_eq!(kind("Cannot create already existing model package group g"), Kind::AlreadyExists);
        assert_eq!(kind("1 validation error detected"), Kind::Invalid);
    }

    #[test]
    fn an_error_under_http_200_keeps_its_meaning() {
        assert_eq!(answer(200, &[], "InternalError", "x").kind, Kind::Unavailable);
        assert_eq!(answer(200, &[], "AccessDenied", "x").kind, Kind::Denied);
    }

    #[test]
    fn a_bucket_in_another_region_is_named_with_its_region() {
        let error = answer(301, &[("x-amz-bucket-region", "us-west-2")], "", "");
        assert!(error.hint.starts_with("The bucket is in us-west-2"), "{error:?}");
    }

    #[test]
    fn expired_credentials_name_the_command_that_renews_them() {
        let error = answer(400, &[], "ExpiredToken", "The provided token has expired.");
        assert_eq!(error.kind, Kind::Credentials);
        assert!(error.hint.contains("`aws sso login --profile prod`"), "{error:?}");
    }
}
