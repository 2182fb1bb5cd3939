//! The parts of the document about promoted versions besides the one that the run promotes.

use serde::{Deserialize, Serialize};

use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::package::Package;
use crate::register::sync::Change;

/// A promoted version that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The promoted version.
    pub model_package_arn: PackageArn,
    /// The number of the promoted version.
    pub version: u32,
    /// The source version.
    pub source_model_package_arn: PackageArn,
    /// The reason of the source's rejection, if it states one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The result for this version.
    pub result: WithdrawalResult,
}

/// The result for a withdrawn version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalResult {
    /// The version is Rejected now.
    Withdrawn,
    /// A dry run: the version would be rejected.
    Planned,
}

impl Withdrawn {
    /// The facts of a withdrawal.
    pub fn of(promoted: &PackageArn, source: &Package, result: WithdrawalResult) -> Self {
        Self {
            model_package_arn: promoted.clone(),
            version: promoted.version(),
            source_model_package_arn: source.arn().clone(),
            reason: source.text("ApprovalDescription").map(str::to_owned),
            result,
        }
    }
}

/// What a run has done with a promoted version besides the one that it promotes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Followed {
    /// The promoted version.
    pub model_package_arn: PackageArn,
    /// The number of the promoted version.
    pub version: u32,
    /// The source version.
    pub source_model_package_arn: PackageArn,
    /// The result for this version.
    pub result: FollowResult,
    /// The approval status of the promoted version.
    pub approval_status: ApprovalStatus,
    /// The fields that were changed since the promotion.
    pub changes: Vec<Change>,
    /// Why the version could not be synced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The result for a promoted version that a run has followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FollowResult {
    /// A pending version has the approval status of its source now.
    Approved,
    /// A withdrawn version is Approved again.
    ApprovedAgain,
    /// A withdrawn version waits for an approval in the target account again.
    WaitsAgain,
    /// The version was updated with changes of its source.
    Updated,
    /// Only the record was written: somebody else or an interrupted run has changed the version.
    Recorded,
    /// Nothing was written. The changes have not been carried over.
    Unchanged,
    /// A dry run: the version would be approved, approved again or updated.
    Planned,
    /// The group is held: the version was not approved. A run after the release approves it.
    Held,
    /// The version could not be synced.
    Failed,
}
