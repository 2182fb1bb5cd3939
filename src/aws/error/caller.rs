//! Who calls, and what that principal has to do about an error of the SDK.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::answer::{Answer, broke_off, chain, sentence, unanswered};
use super::{CallError, Kind, Side};
use crate::aws::resource::Resource;

/// Who calls: what an error has to name besides the call itself.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Caller {
    pub side: Side,
    pub profile: Option<String>,
    pub role: Option<String>,
    pub region: String,
}

impl Caller {
    /// Turns the SDK's error of `call` on `resource` into ours. Where the body of a request was itself an answer, and
    /// that has failed, its error is the one.
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
        let step = match (&answer.bucket_region, kind) {
            (Some(region), Kind::Invalid) if *region != self.region => self.region_step(region),
            (_, Kind::Unavailable) if !answered => self.network_step(),
            _ => self.step(call, resource, kind, answer.code.as_deref(), &message),
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
            step: step.into(),
        }
    }

    /// An answer that AWS did give, but that cannot be used.
    pub fn unusable(&self, call: &'static str, resource: &Resource<'_>, message: impl Into<String>) -> CallError {
        let step = "Check which endpoint answers (AWS_ENDPOINT_URL*) and for which account.";
        self.own(call, resource, Kind::Other, message.into(), step.to_owned())
    }

    /// What was asked for cannot be asked for, or is larger than what is taken.
    pub fn invalid(&self, call: &'static str, resource: &Resource<'_>, message: String) -> CallError {
        self.own(call, resource, Kind::Invalid, message, self.step(call, resource, Kind::Invalid, None, ""))
    }

    /// The object answered with another tag than the one that was asked for.
    pub fn changed(&self, call: &'static str, resource: &Resource<'_>, expected: &str, found: &str) -> CallError {
        let message = format!("its ETag was {expected} and is {found} now");
        let step = self.step(call, resource, Kind::PreconditionFailed, None, &message);
        self.own(call, resource, Kind::PreconditionFailed, message, step)
    }

    /// The answer's body ended in an error.
    pub fn broken_off(&self, call: &'static str, resource: &Resource<'_>, error: &(dyn Error + 'static)) -> CallError {
        let message = format!("the download broke off: {}", sentence(error));
        let step = self.step(call, resource, Kind::Unavailable, None, &message);
        self.own(call, resource, Kind::Unavailable, message, step)
    }

    /// The answer's body ended, or no more of it came, before it was whole.
    pub fn cut_off(&self, call: &'static str, resource: &Resource<'_>, had: u64, length: u64) -> CallError {
        let message = format!("the download broke off: {had} of {length} bytes came");
        let step = self.step(call, resource, Kind::Unavailable, None, &message);
        self.own(call, resource, Kind::Unavailable, message, step)
    }

    fn own(&self, call: &'static str, resource: &Resource<'_>, kind: Kind, message: String, step: String) -> CallError {
        CallError {
            side: self.side,
            call,
            resource: resource.to_string().into(),
            kind,
            code: None,
            message: message.into(),
            request_id: None,
            bucket_region: None,
            step: step.into(),
        }
    }

    /// The error when the call was never sent because the credentials could not be had.
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
        let message = match &answer {
            Some(answer) => answer.message.clone(),
            None => format!("no credentials from {}: {}", self.profile_or_chain(), sentence(cause)),
        };
        let answer = answer.unwrap_or_default();
        let (call, resource) = match (&self.role, assuming) {
            (Some(role), Some(_)) => ("sts:AssumeRole", role.clone()),
            (None, Some(_)) => ("sts:AssumeRole", self.profile_or_chain()),
            (_, None) => (call, resource.to_string()),
        };
        let step = match (assuming.is_some(), answer.kind()) {
            (true, Kind::Denied) => self.assume_step(),
            _ => self.sign_in_step(),
        };
        Some(CallError {
            side: self.side,
            call,
            resource: resource.into(),
            kind: Kind::Credentials,
            code: answer.code.map(Into::into),
            message: message.into(),
            request_id: answer.request_id.map(Into::into),
            bucket_region: None,
            step: step.into(),
        })
    }

    fn step(&self, call: &str, resource: &Resource<'_>, kind: Kind, code: Option<&str>, message: &str) -> String {
        let again = "run again; finished copies are skipped.";
        match kind {
            Kind::Denied => format!("{}, then {again}", resource.grant(call, &self.region, message)),
            Kind::Credentials if code == Some("RequestTimeTooSkewed") => {
                format!("Set this machine's clock, then {again}")
            }
            Kind::Credentials => self.sign_in_step(),
            Kind::NotFound => format!("Check the name, the account and the region ({}).", self.region),
            Kind::AlreadyExists => "Use the one that is there, or choose another name.".to_owned(),
            Kind::PreconditionFailed => format!("It was written by someone else meanwhile: {again}"),
            Kind::NoSuchUpload => format!("The unfinished upload is gone: {again}"),
            Kind::Throttled => format!("Wait, or set AWS_MAX_ATTEMPTS to more than its default of 3, then {again}"),
            Kind::Unavailable => format!("The SDK's attempts are used up: {again}"),
            Kind::Invalid if code == Some("BadDigest") => {
                format!("The bytes changed on their way, so S3 did not take them and nothing was registered: {again}")
            }
            Kind::Invalid if call == "s3:HeadObject" => {
                format!("Check that the credentials are fresh and the bucket is in {}, then {again}", self.region)
            }
            Kind::Invalid => "Correct the value that is named, then run again.".to_owned(),
            Kind::Other => "Run again; if it persists, ask AWS with the request id.".to_owned(),
        }
    }

    fn region_step(&self, region: &str) -> String {
        let (side, own) = (self.side, &self.region);
        match side {
            Side::Source => format!(
                "The bucket is in {region}, but the package is in {own}: its artifacts are read in its own region only."
            ),
            Side::Target => format!(
                "The bucket is in {region}, but the calls go to {own}: pass --target-region {region} or use a bucket in {own}."
            ),
        }
    }

    fn network_step(&self) -> String {
        format!(
            "Check the network, AWS_ENDPOINT_URL* and the region ({}), then run again; finished copies are skipped.",
            self.region
        )
    }

    fn assume_step(&self) -> String {
        let role = self.role.as_deref().unwrap_or("the role of the profile");
        format!(
            "Grant sts:AssumeRole on {role} to {}, and let the role's trust policy name it (and its external id, if any).",
            self.profile_or_chain()
        )
    }

    fn sign_in_step(&self) -> String {
        match &self.profile {
            Some(profile) => format!(
                "Check the profile with `aws sts get-caller-identity --profile {profile}`; if it is an SSO profile, run `aws sso login --profile {profile}`, then run again."
            ),
            None => {
                format!("Sign in (`aws sso login`), set AWS_PROFILE or pass --{}-profile, then run again.", self.side)
            }
        }
    }

    fn profile_or_chain(&self) -> String {
        match &self.profile {
            Some(profile) => format!("profile '{profile}'"),
            None => "the default chain".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn caller(side: Side) -> Caller {
        Caller { side, profile: Some("prod".into()), role: None, region: "eu-central-1".into() }
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
    fn a_denial_is_one_line_with_code_message_request_id_and_the_permission_to_grant() {
        let error = answer(403, &[("x-amz-request-id", "4F")], "AccessDenied", "Access Denied.");
        assert_eq!(error.kind, Kind::Denied);
        assert_eq!(
            error.to_string(),
            "source: s3:GetObject on s3://models/k: AccessDenied: Access Denied (request 4F). Grant s3:GetObject on \
             arn:aws:s3:::models/k to this principal, and s3:ListBucket on arn:aws:s3:::models (without it a missing \
             key answers 403 too), then run again; finished copies are skipped."
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
    fn sagemaker_says_absent_and_present_in_words_only() {
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
        assert!(error.to_string().contains("The bucket is in us-west-2"), "{error}");
    }

    #[test]
    fn expired_credentials_name_the_command_that_renews_them() {
        let error = answer(400, &[], "ExpiredToken", "The provided token has expired.");
        assert_eq!(error.kind, Kind::Credentials);
        assert!(error.to_string().contains("run `aws sso login --profile prod`"), "{error}");
    }
}
