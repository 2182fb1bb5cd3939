//! The target side of a document: the destination and the promoted version.

use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

use crate::model::approval::{ApprovalStatus, DecidedBy};
use crate::model::arn::{AccountId, GroupName, PackageArn, Region};
use crate::model::destination::Destination;
use crate::model::layout::TargetPrefix;
use crate::model::location::{BucketName, Location};
use crate::model::package::rfc3339;
use crate::model::promoted::PromotedVersion;
use crate::register::decision::RecordedApproval;

/// The target side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The group.
    pub group: GroupName,
    /// The account of the group.
    pub account: AccountId,
    /// The region of the group.
    pub region: Region,
    /// The bucket that has the artifacts.
    pub bucket: BucketName,
    /// The key prefix of all promotions.
    pub prefix: TargetPrefix,
    /// The folder of this promotion.
    pub folder: Location,
    /// The promoted version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_package_arn: Option<PackageArn>,
    /// The number of the promoted version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// When the promoted version was registered, by the clock of SageMaker. If the group is deleted and made again, another
    /// version has its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The approval status of the promoted version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_status: Option<ApprovalStatus>,
    /// The reason of the approval status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_description: Option<String>,
    /// Who has decided the approval status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<DecidedBy>,
    /// The ARN of the principal that wrote to the target.
    pub caller: String,
}

impl Target {
    /// The target of a promotion of `source`.
    pub fn of(destination: &Destination, source: &PackageArn) -> Self {
        Self {
            group: destination.group.name().clone(),
            account: destination.group.account().clone(),
            region: destination.group.region().clone(),
            bucket: destination.bucket.clone(),
            prefix: destination.prefix.clone(),
            folder: destination.layout(source).folder(),
            model_package_arn: None,
            version: None,
            created: None,
            approval_status: None,
            approval_description: None,
            decided_by: None,
            caller: destination.caller.clone(),
        }
    }

    /// The same, with the promoted version and its approval status.
    pub fn of_version(destination: &Destination, source: &PackageArn, promoted: &PromotedVersion) -> Self {
        let mut target = Self::of(destination, source);
        target.set_version(&promoted.arn, promoted.created().as_ref());
        target.approval_status = Some(promoted.approval());
        target
    }

    /// Sets the promoted version.
    pub fn set_version(&mut self, arn: &PackageArn, created: Option<&DateTime>) {
        (self.model_package_arn, self.version) = (Some(arn.clone()), Some(arn.version()));
        self.created = created.map(rfc3339);
    }

    /// Whether this is the promoted version. If its group was deleted and made again, another version has its ARN.
    pub fn is_version(&self, arn: &PackageArn, created: Option<&DateTime>) -> bool {
        let is_created = |(then, now): (&String, _)| *then == rfc3339(now);
        self.model_package_arn.as_ref() == Some(arn) && self.created.as_ref().zip(created).is_none_or(is_created)
    }

    /// Sets the approval of the promoted version.
    pub fn set_approval(&mut self, approval: RecordedApproval) {
        self.approval_status = Some(approval.status);
        self.approval_description = approval.description;
        self.decided_by = Some(approval.decided_by);
    }
}
