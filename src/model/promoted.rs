//! Promoted versions: versions of the target group, and what they say about their source.

use serde_json::Value;

use super::arn::PackageArn;
use super::field::Document;

/// The customer metadata key that names the package a version was promoted from.
pub const SOURCE_KEY: &str = "promote:source-arn";
/// The customer metadata key that names the first package of a chain of promotions.
pub const ORIGIN_KEY: &str = "promote:origin-arn";
/// The customer metadata key with the digest of the request, before this key was in it.
pub const REQUEST_KEY: &str = "promote:request-sha256";
/// Begins the approval description of a version that a run gave up.
pub const DISCARDED: &str = "promote: discarded: ";
/// Begins the approval description of a version that was withdrawn. A later run recognizes the version by it, and
/// approves it again when its source is approved again.
pub const WITHDRAWN: &str = "promote: withdrawn: ";

/// A target package that was made from the source version.
#[derive(Debug, Clone)]
pub struct PromotedVersion {
    /// Its ARN.
    pub arn: PackageArn,
    /// Its description.
    pub description: Document,
}

impl PromotedVersion {
    /// Whether the package says that it was promoted from `source`.
    pub fn is_copy_of(&self, source: &PackageArn) -> bool {
        self.provenance() == Some(source.as_str())
    }

    /// The version that the package says it was promoted from.
    pub fn source(&self) -> Option<PackageArn> {
        self.provenance()?.parse().ok()
    }

    fn provenance(&self) -> Option<&str> {
        self.description.get("CustomerMetadataProperties")?.get(SOURCE_KEY)?.as_str()
    }

    /// Whether it was approved, and then withdrawn because its source was rejected. What somebody in the target
    /// account has rejected by hand does not say so.
    pub fn is_withdrawn(&self) -> bool {
        self.approval() == "Rejected"
            && self.text("ApprovalDescription").is_some_and(|text| text.starts_with(WITHDRAWN))
    }

    /// Its approval status.
    pub fn approval(&self) -> &str {
        self.text("ModelApprovalStatus").unwrap_or("PendingManualApproval")
    }

    /// Whether it is complete and its approval is decided.
    pub fn is_settled(&self) -> bool {
        self.is_complete() && self.approval() != "PendingManualApproval"
    }

    /// Whether SageMaker has completed it.
    pub fn is_complete(&self) -> bool {
        self.text("ModelPackageStatus") == Some("Completed")
    }

    /// Whether an attempt ended here: it failed, is going away, or was discarded by the run that made it.
    pub fn is_given_up(&self) -> bool {
        let discarded = self.text("ApprovalDescription").is_some_and(|text| text.starts_with(DISCARDED));
        matches!(self.text("ModelPackageStatus"), Some("Failed" | "Deleting"))
            || self.approval() == "Rejected" && discarded
    }

    /// Text of a top-level member.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.description.get(member).and_then(Value::as_str)
    }
}
