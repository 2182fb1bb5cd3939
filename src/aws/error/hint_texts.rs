//! Hints for errors of AWS calls, which depend on the principal of the call.

use super::call::{CallError, Kind};
use super::denial::{Denial, Spellings, TargetBucket};
use super::regions;
use crate::aws::resource::Resource;
use crate::model::arn::AccountId;
use crate::model::location::BucketName;
use crate::model::side::Side;

/// The hint for errors that only calls of Amazon ECR have.
fn of_images(call: &str, kind: Kind, code: Option<&str>) -> Option<&'static str> {
    match (call, kind, code) {
        (_, Kind::NotFound, Some("RepositoryNotFoundException")) => None,
        ("ecr:GetDownloadUrlForLayer", Kind::NotFound | Kind::Invalid, _) => {
            Some("Push the image again at the source, or pass `--images keep`, which leaves images where they are")
        }
        // ECR removes layers that belong to no image.
        ("ecr:PutImage", Kind::NotFound, _) => Some("Check that nothing else deletes images of the repository"),
        (_, _, Some("LimitExceededException")) if call.starts_with("ecr:") => {
            Some("Request a higher quota for Amazon ECR in Service Quotas, or delete images that nobody needs")
        }
        (_, _, Some("KmsException")) if call.starts_with("ecr:") => {
            Some("Check that the KMS key of the repository is enabled and that this principal may use it")
        }
        _ => None,
    }
}

/// The hint for a KMS key that cannot be used. Amazon S3 puts `KMS.` before the codes of AWS KMS.
fn of_keys(code: Option<&str>) -> Option<&'static str> {
    match code?.trim_start_matches("KMS.") {
        "KMSInvalidStateException" | "DisabledException" => Some(
            "See the state of the KMS key with `aws kms describe-key`: enable the key or cancel its deletion, or pass another \
             key",
        ),
        _ => None,
    }
}

/// Joins the two parts of a hint: check the bucket, and the permission to grant if the bucket is right.
const IF_IT_DOES: &str = ". If it does: ";

impl CallError {
    /// The same error about a bucket that no flag has named: the hint is the permission only.
    pub fn of_found_bucket(self) -> Self {
        match self.hint.split_once(IF_IT_DOES) {
            Some((_, permission)) => Self { hint: permission.into(), ..self },
            None => self,
        }
    }
}

const NO_KEY: &str = "Check the ARN of the key: the account and the region in it have no such key";

/// The side, profile, role and region of a session, which its errors name.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Caller {
    pub side: Side,
    pub profile: Option<String>,
    pub role: Option<String>,
    pub region: String,
    pub groups: Spellings,
    pub target_bucket: TargetBucket,
    /// Whether the session only reads.
    pub reads_only: bool,
    /// The number of attempts of a call, if the user has set it.
    pub attempts: Option<u32>,
}

impl Caller {
    /// The next step after an error of this kind.
    pub fn hint(&self, call: &str, resource: &Resource<'_>, kind: Kind, code: Option<&str>, message: &str) -> String {
        if let Some(hint) = of_images(call, kind, code).or_else(|| of_keys(code)) {
            return format!("{hint}, then run again");
        }
        match kind {
            Kind::Denied => {
                let (region, groups, target_bucket) = (&self.region, &self.groups, &self.target_bucket);
                let (side, reads_only) = (self.side, self.reads_only);
                let denial = Denial { side, call, region, message, groups, target_bucket, reads_only };
                format!("{}, then run again", denial.remedy(resource))
            }
            Kind::Credentials if code == Some("RequestTimeTooSkewed") => {
                "Set this machine's clock, then run again".to_owned()
            }
            Kind::Credentials => self.sign_in_hint(),
            Kind::NotFound if code == Some("NoSuchBucket") && self.side == Side::Target => {
                "Check `--target-bucket`: no account has a bucket of this name".to_owned()
            }
            Kind::NotFound if call.starts_with("kms:") => NO_KEY.to_owned(),
            Kind::Invalid if call.starts_with("kms:") && code == Some("NotFoundException") => NO_KEY.to_owned(),
            Kind::NotFound => {
                format!("Nothing of this name exists in {}: check the name, the account and the region", self.region)
            }
            Kind::AlreadyExists => "Use the existing resource or choose another name".to_owned(),
            Kind::PreconditionFailed => "Another process wrote the resource at the same time: run again".to_owned(),
            Kind::NoSuchUpload => "The multipart upload was aborted or completed elsewhere: run again".to_owned(),
            Kind::Throttled if call.starts_with("s3:") => {
                "Wait, or pass a smaller `--concurrency`, then run again".to_owned()
            }
            Kind::Throttled => {
                // As many as `Session` in `aws/session/connection.rs` makes: `patient_retries`, and the SDK's default.
                let default = if call.starts_with("sagemaker:") || call.starts_with("ecr:") { 10 } else { 3 };
                let attempts = self.attempts.unwrap_or(default);
                format!("Wait, or set AWS_MAX_ATTEMPTS to more than {attempts}, then run again")
            }
            Kind::Unavailable => "All retries failed: run again".to_owned(),
            Kind::Invalid if code == Some("BadDigest") => {
                "The bytes changed in transit, so S3 rejected them and nothing was registered: run again".to_owned()
            }
            Kind::Invalid if matches!(code, Some("InvalidObjectState" | "ObjectNotInActiveTierError")) => {
                "Restore the archived object (`aws s3api restore-object`), then run again when it is restored"
                    .to_owned()
            }
            Kind::Invalid if message.contains("Server Side Encryption") => {
                "The object is encrypted with a customer-provided key (SSE-C), and promote cannot read it: copy it \
                 onto itself with another encryption, or register a package with a readable copy"
                    .to_owned()
            }
            Kind::Invalid if call == "s3:HeadObject" => {
                format!("Check that the credentials are fresh and the bucket is in {}, then run again", self.region)
            }
            Kind::NotImplemented => {
                "Use another server: this one does not have a feature that Amazon S3 has".to_owned()
            }
            Kind::Invalid if code == Some("ResourceLimitExceeded") => {
                "Request a higher quota for Amazon SageMaker AI in Service Quotas, then run again".to_owned()
            }
            Kind::Invalid => "Correct this value, then run again".to_owned(),
            Kind::Other => "Run again; if the error persists, contact AWS Support with the request ID".to_owned(),
        }
    }

    /// The error of a call on a bucket of another account than the expected one.
    pub fn not_the_owner(&self, error: CallError, bucket: &BucketName, owner: &AccountId) -> CallError {
        let message = format!("{bucket} is not a bucket of account {owner}");
        let hint = "Check `--target-bucket`, or name the owner of the bucket with `--target-bucket-owner`";
        CallError { message: message.into(), hint: hint.into(), ..error }
    }

    /// The same for a bucket that this principal cannot access at all.
    pub fn maybe_not_the_owner(&self, error: CallError, bucket: &BucketName, owner: &AccountId) -> CallError {
        let hint = format!(
            "Check `--target-bucket`: the bucket {bucket} must belong to account {owner}{IF_IT_DOES}{}",
            error.hint
        );
        CallError { hint: hint.into(), ..error }
    }

    /// The hint for a bucket in another `region` than the session.
    pub fn region_hint(&self, region: &str) -> String {
        let (side, expected) = (self.side, &self.region);
        match side {
            Side::Source => format!(
                "The bucket is in {region}, but the package is in {expected}; artifacts are read in the package's region only"
            ),
            Side::Target => format!(
                "The bucket is in {region}, but the target region is {expected}: pass `--target-region {region}` or use a bucket in {expected}"
            ),
        }
    }

    /// The hint if there was no response.
    pub fn network_hint(&self) -> String {
        let region = &self.region;
        if regions::is_known(region) {
            return format!("Check the network, AWS_ENDPOINT_URL* and the region ({region}), then run again");
        }
        let similar = regions::similar(region).map(|similar| format!(" (similar: {similar})")).unwrap_or_default();
        format!(
            "Check the region: promote does not know {region}{similar}. If AWS has it, check the network and \
             AWS_ENDPOINT_URL*, then run again"
        )
    }

    /// The hint if STS denied AssumeRole.
    pub fn assume_hint(&self) -> String {
        let role = self.role.as_deref().unwrap_or("the role of the profile");
        format!(
            "Grant sts:AssumeRole on {role} to {}, and let the role's trust policy name it (and its external ID, if any)",
            self.profile_or_chain()
        )
    }

    /// The hint for credentials that are missing, expired or rejected.
    pub fn sign_in_hint(&self) -> String {
        match &self.profile {
            Some(profile) => format!(
                "Sign in with `aws sso login --profile {profile}` or `aws login --profile {profile}`, or check the \
                 profile with `aws sts get-caller-identity --profile {profile}`; then run again"
            ),
            None => format!(
                "Sign in (`aws sso login` or `aws login`), set AWS_PROFILE or pass `--{}-profile`, then run again",
                self.side
            ),
        }
    }

    /// The hint for a profile that configures no credentials.
    pub fn set_up_hint(&self) -> String {
        let option = self.profile.as_ref().map(|profile| format!(" --profile {profile}")).unwrap_or_default();
        format!("Set the profile up with `aws configure sso{option}` or `aws configure{option}`, then run again")
    }

    /// The source of the credentials.
    pub fn profile_or_chain(&self) -> String {
        match &self.profile {
            Some(profile) => format!("profile '{profile}'"),
            None => "the default chain".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_after_throttling_names_the_attempts_that_were_made() {
        let caller = Caller {
            side: Side::Source,
            profile: None,
            role: None,
            region: "eu-central-1".to_owned(),
            groups: Spellings::default(),
            target_bucket: TargetBucket::default(),
            reads_only: false,
            attempts: None,
        };
        let hint = |call| caller.hint(call, &Resource::Principal, Kind::Throttled, None, "Rate exceeded");
        assert!(hint("sagemaker:ListModelPackages").contains("more than 10"));
        assert!(hint("kms:Sign").contains("more than 3"));
        assert!(hint("sts:AssumeRole").contains("more than 3"));
        let caller = Caller { attempts: Some(20), ..caller };
        let hint = caller.hint("kms:Sign", &Resource::Principal, Kind::Throttled, None, "Rate exceeded");
        assert!(hint.contains("more than 20"), "{hint}");
    }
}
