//! Promoted versions: versions of the target group that name the source version they were promoted from.

use serde_json::Value;

use super::approval::ApprovalStatus;
use super::arn::PackageArn;
use super::field::Document;
use super::package_status::PackageStatus;

/// The customer metadata key that names the package a version was promoted from.
pub const SOURCE_KEY: &str = "promote:source-arn";
/// The customer metadata key that names the first package of a chain of promotions.
pub const ORIGIN_KEY: &str = "promote:origin-arn";
/// The customer metadata key with the digest of the request, before this key was in it.
pub const REQUEST_KEY: &str = "promote:request-sha256";
/// Begins the approval description of a version that the run which registered it has abandoned.
pub const DISCARDED: &str = "promote: discarded: ";
/// Begins the approval description of a version that was withdrawn. A later run recognizes the version by it, and
/// approves it again when its source is approved again.
pub const WITHDRAWN: &str = "promote: withdrawn: ";

/// A version of the target group that was promoted from a source version.
#[derive(Debug, Clone)]
pub struct PromotedVersion {
    /// Its ARN.
    pub arn: PackageArn,
    /// Its description.
    pub description: Document,
}

impl PromotedVersion {
    /// Whether the package says that it was promoted from `source`.
    pub fn is_promotion_of(&self, source: &PackageArn) -> bool {
        self.provenance() == Some(source.as_str())
    }

    /// The version that the package says it was promoted from.
    pub fn source(&self) -> Option<PackageArn> {
        self.provenance()?.parse().ok()
    }

    fn provenance(&self) -> Option<&str> {
        self.description.get("CustomerMetadataProperties")?.get(SOURCE_KEY)?.as_str()
    }

    /// Whether a run has withdrawn it because its source was rejected, as against a version that somebody in the target
    /// account has rejected.
    pub fn is_withdrawn(&self) -> bool {
        self.approval() == ApprovalStatus::Rejected
            && self.text("ApprovalDescription").is_some_and(|text| text.starts_with(WITHDRAWN))
    }

    /// Its approval status.
    pub fn approval(&self) -> ApprovalStatus {
        ApprovalStatus::of(&self.description)
    }

    /// The status of its registration.
    pub fn status(&self) -> PackageStatus {
        PackageStatus::of(&self.description)
    }

    /// Whether it is complete and its approval is decided.
    pub fn is_settled(&self) -> bool {
        self.is_complete() && self.approval() != ApprovalStatus::PendingManualApproval
    }

    /// Whether SageMaker has completed it.
    pub fn is_complete(&self) -> bool {
        self.status() == PackageStatus::Completed
    }

    /// Whether this attempt was abandoned: the registration failed, the version is being deleted, or the run that
    /// registered it has discarded it.
    pub fn is_abandoned(&self) -> bool {
        let discarded = self.text("ApprovalDescription").is_some_and(|text| text.starts_with(DISCARDED));
        matches!(self.status(), PackageStatus::Failed | PackageStatus::Deleting)
            || self.approval() == ApprovalStatus::Rejected && discarded
    }

    /// Text of a top-level member.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.description.get(member).and_then(Value::as_str)
    }
}
