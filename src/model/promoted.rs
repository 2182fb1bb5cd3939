//! Promoted versions of the target group, and the customer metadata that names their source versions.

use aws_smithy_types::DateTime;
use serde_json::Value;

use super::approval::ApprovalStatus;
use super::arn::PackageArn;
use super::field::Document;
use super::package::time_of;
use super::package_status::PackageStatus;

/// The customer metadata key for the ARN of the source version.
pub const SOURCE_KEY: &str = "promote:source-arn";
/// The customer metadata key for the ARN of the first source version in a chain of promotions.
pub const ORIGIN_KEY: &str = "promote:origin-arn";
/// The customer metadata key for the digest of the request. The digest does not cover this key.
pub const REQUEST_KEY: &str = "promote:request-sha256";
/// The beginning of the approval description of an abandoned version. The run that registered the version sets it.
pub const DISCARDED: &str = "promote: discarded: ";
/// The beginning of the approval description of a withdrawn version. A later run recognizes the version by this text,
/// and approves it again when its source version is approved again.
pub const WITHDRAWN: &str = "promote: withdrawn: ";
/// As [`WITHDRAWN`], of a version that was pending approval when it was withdrawn.
pub const WITHDRAWN_PENDING: &str = "promote: withdrawn: while pending: ";

/// The seconds by which the times of one registration may differ.
pub const TOLERANCE: i64 = 1;

/// The seconds after which SageMaker itself does not modify a new version any more. It modifies a version when it completes
/// it: 14 s after the registration in the example of its developer guide ("View the Details of a Model Version").
const COMPLETED_WITHIN: i64 = 60;

/// Whether a promotion sets this customer metadata key. Every other key that begins with `promote:` is one of the user.
pub fn is_own_key(key: &str) -> bool {
    [SOURCE_KEY, ORIGIN_KEY, REQUEST_KEY].contains(&key)
}

/// A version of the target group that was promoted from a source version.
#[derive(Debug, Clone)]
pub struct PromotedVersion {
    /// The ARN of the promoted version.
    pub arn: PackageArn,
    /// The description of the promoted version.
    pub description: Document,
}

impl PromotedVersion {
    /// Whether the metadata names `source` as the source version.
    pub fn is_promotion_of(&self, source: &PackageArn) -> bool {
        self.source().is_some_and(|named| named == *source)
    }

    /// The source version in the metadata.
    pub fn source(&self) -> Option<PackageArn> {
        self.provenance()?.parse().ok()
    }

    fn provenance(&self) -> Option<&str> {
        self.description.get("CustomerMetadataProperties")?.get(SOURCE_KEY)?.as_str()
    }

    /// Whether a run withdrew the version because its source version was rejected. A version that somebody in the
    /// target account rejected is not withdrawn.
    pub fn is_withdrawn(&self) -> bool {
        self.approval() == ApprovalStatus::Rejected
            && self.text("ApprovalDescription").is_some_and(|text| text.starts_with(WITHDRAWN))
    }

    /// Whether the version was pending approval when a run withdrew it.
    pub fn was_pending(&self) -> bool {
        self.is_withdrawn() && self.text("ApprovalDescription").is_some_and(|text| text.starts_with(WITHDRAWN_PENDING))
    }

    /// The reason of the approval status. An empty one counts as absent.
    pub fn approval_description(&self) -> Option<&str> {
        self.text("ApprovalDescription").filter(|text| !text.is_empty())
    }

    /// The approval status.
    pub fn approval(&self) -> ApprovalStatus {
        ApprovalStatus::of(&self.description)
    }

    /// The status of the registration.
    pub fn status(&self) -> PackageStatus {
        PackageStatus::of(&self.description)
    }

    /// Whether the registration is complete and the version is no longer pending.
    pub fn is_settled(&self) -> bool {
        self.is_complete() && self.approval() != ApprovalStatus::PendingManualApproval
    }

    /// Whether the registration is complete.
    pub fn is_complete(&self) -> bool {
        self.status() == PackageStatus::Completed
    }

    /// Whether the version is abandoned: its registration failed, SageMaker is deleting it, or the run that registered
    /// it discarded it.
    pub fn is_abandoned(&self) -> bool {
        let discarded = self.text("ApprovalDescription").is_some_and(|text| text.starts_with(DISCARDED));
        matches!(self.status(), PackageStatus::Failed | PackageStatus::Deleting)
            || self.approval() == ApprovalStatus::Rejected && discarded
    }

    /// When the version was registered.
    pub fn created(&self) -> Option<DateTime> {
        time_of(&self.description, "CreationTime")
    }

    /// When the version was last modified, if SageMaker has not done it by itself.
    pub fn changed(&self) -> Option<DateTime> {
        let modified = time_of(&self.description, "LastModifiedTime")?;
        (modified.secs() > self.created()?.secs() + COMPLETED_WITHIN).then_some(modified)
    }

    /// Whether the version is older than a source version that was registered then. Its source then is an earlier version
    /// with the same ARN: the source group was deleted and made again.
    pub fn is_older_than(&self, source_created: DateTime) -> bool {
        self.created().is_some_and(|created| created.secs() + TOLERANCE < source_created.secs())
    }

    /// The string in a top-level field.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.description.get(member).and_then(Value::as_str)
    }
}
