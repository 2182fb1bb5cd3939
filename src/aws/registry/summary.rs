//! Versions as ListModelPackages shows them.

use aws_smithy_types::DateTime;

use crate::model::arn::PackageArn;

/// One version of a group, as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The version's ARN.
    pub arn: PackageArn,
    /// The version's number.
    pub version: u32,
    /// ModelApprovalStatus: `Approved`, `Rejected` or `PendingManualApproval`.
    pub approval: String,
    /// ModelPackageStatus: `Completed`, `Failed`, `InProgress`, ….
    pub status: String,
    /// When the version was registered.
    pub created: DateTime,
}
