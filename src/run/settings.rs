//! What each use case is asked to do. Flags, variables and files are three ways to fill these structs.

use std::time::Duration;

use serde::Deserialize;

use crate::copy::{CopyMode, STALL, Strictness, Tuning};
use crate::model::approval::Approval;
use crate::model::arn::{GroupName, GroupRef, KmsKeyArn, PackageArn};
use crate::model::layout::TargetPrefix;
use crate::model::location::BucketName;
use crate::plan::draft::PackageOverrides;
use crate::register::Policy;

/// Which version of which group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The source group.
    pub group: GroupRef,
    /// This version, whatever its approval status; otherwise the latest Approved one.
    #[serde(default)]
    pub version: Option<u32>,
}

/// Settings of [`crate::run::find_latest()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindLatestSettings {
    /// The version to find.
    pub selection: Selection,
    /// Continue if the package has unknown fields.
    #[serde(default)]
    pub ignore_unknown_fields: bool,
}

/// Where a promotion goes in the target account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationSettings {
    /// The bucket.
    pub bucket: BucketName,
    /// The key prefix of everything that is written.
    #[serde(default)]
    pub prefix: TargetPrefix,
    /// The target group; otherwise the source group's name.
    #[serde(default)]
    pub group: Option<GroupName>,
}

/// How artifacts are copied.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopySettings {
    /// Who moves the bytes.
    pub mode: CopyMode,
    /// How copies are verified.
    pub verify: Strictness,
    /// The size of parts in bytes; otherwise it follows from the size of the object.
    pub part_size: Option<u64>,
    /// Seconds after which a download slower than 1 KiB/s is tried again.
    pub stall_seconds: u64,
}

impl Default for CopySettings {
    fn default() -> Self {
        let (mode, verify) = (CopyMode::default(), Strictness::default());
        Self { mode, verify, part_size: None, stall_seconds: STALL.as_secs() }
    }
}

impl CopySettings {
    pub(crate) fn tuning(&self) -> Tuning {
        let stall = Duration::from_secs(self.stall_seconds.max(1));
        Tuning { mode: self.mode, verify: self.verify, part_size: self.part_size, stall }
    }
}

/// How a version is registered.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationSettings {
    /// Who approves the new version.
    pub approval: Approval,
    /// Create the target group if it does not exist.
    pub create_group: bool,
    /// Tags of a target group that is created.
    pub group_tags: Vec<(String, String)>,
    /// The KMS key that signs the records.
    pub sign_key: Option<KmsKeyArn>,
    /// Seconds that SageMaker may take to complete the new version.
    pub wait_seconds: u64,
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        let (group_tags, sign_key) = (Vec::new(), None);
        Self { approval: Approval::default(), create_group: true, group_tags, sign_key, wait_seconds: 900 }
    }
}

impl RegistrationSettings {
    pub(crate) fn policy(&self) -> Policy {
        Policy { approval: self.approval, patience: Duration::from_secs(self.wait_seconds) }
    }
}

/// Settings of [`crate::run::full()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullSettings {
    /// The version to promote.
    pub selection: Selection,
    /// Where it goes.
    pub destination: DestinationSettings,
    /// What of the package is set and not carried over.
    #[serde(default)]
    pub overrides: PackageOverrides,
    /// How artifacts are copied.
    #[serde(default)]
    pub copy: CopySettings,
    /// How the version is registered.
    #[serde(default)]
    pub registration: RegistrationSettings,
    /// Leave promoted versions Approved whose source is Rejected.
    #[serde(default)]
    pub keep_rejected: bool,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// The version that an earlier step has found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundVersion {
    /// The source version.
    pub arn: PackageArn,
    /// The fingerprint that it had then. If it has another one now, the run stops.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

/// Settings of [`crate::run::copy_artifacts()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyArtifactsSettings {
    /// The version whose artifacts are copied.
    pub version: FoundVersion,
    /// Where they go.
    pub destination: DestinationSettings,
    /// What of the package is set and not carried over.
    #[serde(default)]
    pub overrides: PackageOverrides,
    /// How artifacts are copied.
    #[serde(default)]
    pub copy: CopySettings,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settings of [`crate::run::register()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterSettings {
    /// The version that is registered. Its artifacts are at the target already.
    pub version: FoundVersion,
    /// Where they are.
    pub destination: DestinationSettings,
    /// What of the package is set and not carried over.
    #[serde(default)]
    pub overrides: PackageOverrides,
    /// How the version is registered.
    #[serde(default)]
    pub registration: RegistrationSettings,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settings of [`crate::run::status()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusSettings {
    /// The source group.
    pub group: GroupRef,
    /// The target group; otherwise the source group's name.
    #[serde(default)]
    pub target_group: Option<GroupName>,
}

/// Settings of [`crate::run::verify()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifySettings {
    /// The promoted version.
    pub version: PackageArn,
    /// Read every byte and compare it with the recorded checksum and, where it can be read, with the source.
    #[serde(default)]
    pub deep: bool,
    /// The key that must have signed the records; without one, signatures are not checked.
    #[serde(default)]
    pub signed_by: Option<SignedBy>,
    /// The bucket of the record; otherwise it follows from the version's references.
    #[serde(default)]
    pub bucket: Option<BucketName>,
    /// The key prefix that the version was promoted with, where the bucket is given.
    #[serde(default)]
    pub prefix: Option<TargetPrefix>,
}

/// Who must have signed the records.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// A KMS key; KMS is asked for its public key.
    Key(KmsKeyArn),
    /// A public key in PEM.
    PublicKey(String),
}
