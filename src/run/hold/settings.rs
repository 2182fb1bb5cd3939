//! The settings of holds and rollbacks.

use serde::Deserialize;

use crate::model::arn::{GroupName, KmsKeyArn};
use crate::model::layout::TargetPrefix;
use crate::model::location::BucketName;

/// Settings of [`crate::run::hold()`] and [`crate::run::release()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldSettings {
    /// The target group.
    pub target_group: GroupName,
    /// The bucket of the promotions; otherwise the bucket that the newest promoted version names.
    #[serde(default)]
    pub bucket: Option<BucketName>,
    /// The key prefix of the promotions; otherwise the prefix that the newest promoted version names.
    #[serde(default)]
    pub prefix: Option<TargetPrefix>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The KMS key that encrypts what is written; otherwise the bucket's default does.
    #[serde(default)]
    pub kms_key: Option<KmsKeyArn>,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settings of [`crate::run::rollback()`].
#[derive(Debug, Clone, Deserialize)]
pub struct RollbackSettings {
    /// The group, and why it is rolled back.
    pub hold: HoldSettings,
    /// The number of the version to roll back to; otherwise the newest older one that can be served.
    #[serde(default)]
    pub to: Option<u32>,
    /// Seconds after which no approval can be under way any more.
    pub settle_seconds: u64,
    /// The KMS key that signs the records; otherwise they are not signed.
    #[serde(default)]
    pub sign_key: Option<KmsKeyArn>,
}
