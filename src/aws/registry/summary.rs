//! Versions, as ListModelPackages returns them.

use aws_smithy_types::DateTime;

use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::package_status::PackageStatus;

/// A version in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The version's ARN.
    pub arn: PackageArn,
    /// The version's number.
    pub version: u32,
    /// The version's approval status.
    pub approval: ApprovalStatus,
    /// The status of the version's registration.
    pub status: PackageStatus,
    /// When the version was registered.
    pub created: DateTime,
}
