//! The settings of each use case. Flags, variables and files can fill these structs.

use std::time::Duration;

use serde::Deserialize;

use crate::model::approval::Approval;
use crate::model::arn::{GroupName, GroupRef, KmsKeyArn, PackageArn};
use crate::model::layout::TargetPrefix;
use crate::model::location::BucketName;
use crate::register::RegistrationPolicy;
use crate::register::decision::{ApprovalPolicy, RecordedApproval};

pub use super::hold::settings::{HoldSettings, RollbackSettings};
pub use crate::copy::{CopyMode, CopySettings, Strictness};
pub use crate::plan::draft::PackageOverrides;

/// Seconds that a run waits for SageMaker by default.
pub(super) const WAIT_SECONDS: u64 = 900;

/// The source group, and the version to promote.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The source group.
    pub group: GroupRef,
    /// The number of a version, which may have any approval status; otherwise the latest Approved version.
    #[serde(default)]
    pub version: Option<u32>,
}

/// The destination of a promotion in the target account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationSettings {
    /// The bucket.
    pub bucket: BucketName,
    /// The prefix of every key that is written.
    #[serde(default)]
    pub prefix: TargetPrefix,
    /// The target group; otherwise the source group's name.
    #[serde(default)]
    pub group: Option<GroupName>,
}

/// How a version is registered.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationSettings {
    /// Who approves the new version. Without a value the source does, except for a version that an earlier run has left
    /// pending.
    pub approval: Option<Approval>,
    /// Create the target group if it does not exist.
    pub create_group: bool,
    /// Promote into a group that has versions of others and none of the source group.
    pub into_existing_group: bool,
    /// Tags of a target group that is created.
    pub group_tags: Vec<(String, String)>,
    /// The KMS key that signs the records; otherwise they are not signed.
    pub sign_key: Option<KmsKeyArn>,
    /// Seconds to wait for SageMaker to complete a version, and for another run to register it.
    pub wait_seconds: u64,
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        let (group_tags, sign_key) = (Vec::new(), None);
        Self {
            approval: None,
            create_group: true,
            into_existing_group: false,
            group_tags,
            sign_key,
            wait_seconds: WAIT_SECONDS,
        }
    }
}

impl RegistrationSettings {
    /// How a version is registered. `withdraw`: whether one whose source is Rejected is Rejected too.
    pub(crate) fn policy(&self, recorded: Option<RecordedApproval>, withdraw: bool) -> RegistrationPolicy {
        let approvals = ApprovalPolicy { approval: self.approval, withdraw };
        RegistrationPolicy { approvals, recorded, patience: Duration::from_secs(self.wait_seconds) }
    }
}

/// Settings of [`crate::run::full()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullSettings {
    /// The version to promote.
    pub selection: Selection,
    /// The destination.
    pub destination: DestinationSettings,
    /// Values that replace values of the source package.
    #[serde(default)]
    pub overrides: PackageOverrides,
    /// How artifacts are copied.
    #[serde(default)]
    pub copy: CopySettings,
    /// How the version is registered.
    #[serde(default)]
    pub registration: RegistrationSettings,
    /// Do not withdraw promoted versions whose source is Rejected.
    #[serde(default)]
    pub no_withdraw: bool,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settings of [`crate::run::withdraw()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawSettings {
    /// The source group.
    pub group: GroupRef,
    /// The destination of the promotions.
    pub destination: DestinationSettings,
    /// The KMS key that encrypts the records; otherwise the bucket's default does.
    #[serde(default)]
    pub kms_key: Option<KmsKeyArn>,
    /// The KMS key that signs the records; otherwise they are not signed.
    #[serde(default)]
    pub sign_key: Option<KmsKeyArn>,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settings of [`crate::run::doctor()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoctorSettings {
    /// The promotion whose needs are asked for.
    pub promotion: FullSettings,
    /// Test permissions to write with requests that AWS refuses for their values, and with an upload that is aborted.
    pub probes: bool,
}

/// Settings of [`crate::run::status()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusSettings {
    /// The source group; otherwise only the target group is read.
    #[serde(default)]
    pub group: Option<GroupRef>,
    /// The target group; otherwise the source group's name.
    #[serde(default)]
    pub target_group: Option<GroupName>,
    /// Of which promoted versions the lineage is read, and where records and holds are.
    #[serde(default)]
    pub lineage: LineageSettings,
}

/// Of which promoted versions the lineage is read, and where records and holds are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineageSettings {
    /// The number of promoted versions: the live one, then the newest.
    #[serde(default)]
    pub versions: usize,
    /// The bucket of records and holds; otherwise the buckets that the versions' references name.
    #[serde(default)]
    pub bucket: Option<BucketName>,
    /// The key prefix that the versions were promoted with; otherwise the prefixes that their references name.
    #[serde(default)]
    pub prefix: Option<TargetPrefix>,
}

/// Settings of [`crate::run::verify()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifySettings {
    /// The promoted version.
    pub version: PackageArn,
    /// Read every byte, and compare the bytes with the recorded checksum and with the source if it can be read.
    #[serde(default)]
    pub deep: bool,
    /// The key that must have signed the records. Without a key, signatures are not checked.
    #[serde(default)]
    pub signed_by: Option<SignedBy>,
    /// The bucket of the record; otherwise the bucket that the version's references name.
    #[serde(default)]
    pub bucket: Option<BucketName>,
    /// The key prefix that the version was promoted with; otherwise the prefix that the version's references name.
    #[serde(default)]
    pub prefix: Option<TargetPrefix>,
}

/// The key that must have signed the records.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// A KMS key. Its public key is fetched from KMS.
    Key(KmsKeyArn),
    /// A public key in PEM.
    PublicKey(String),
}
