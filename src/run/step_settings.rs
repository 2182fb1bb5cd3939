//! The settings of the single steps: `find-latest`, `copy-artifacts` and `register`.

use serde::Deserialize;

use super::settings::{
    CopySettings, DestinationSettings, PackageOverrides, RegistrationSettings, Selection, WAIT_SECONDS,
};
use crate::model::arn::PackageArn;
use crate::model::fingerprints::Fingerprints;

/// Settings of [`crate::run::find_latest()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindLatestSettings {
    /// The version to find.
    pub selection: Selection,
    /// Continue if the package has unknown fields.
    #[serde(default)]
    pub ignore_unknown_fields: bool,
    /// Seconds to wait for SageMaker to complete the version.
    #[serde(default = "wait_seconds")]
    pub wait_seconds: u64,
}

/// The version that an earlier step has found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundVersion {
    /// The source version.
    pub arn: PackageArn,
    /// The fingerprint that the earlier step has recorded. The run stops if the version's fingerprint differs.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// The digests of the fields that the earlier step has recorded. The error names the fields that differ.
    #[serde(default)]
    pub fields: Option<Fingerprints>,
}

/// Settings of [`crate::run::copy_artifacts()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyArtifactsSettings {
    /// The version whose artifacts are copied.
    pub version: FoundVersion,
    /// The destination of the artifacts.
    pub destination: DestinationSettings,
    /// Values that replace values of the source package.
    #[serde(default)]
    pub overrides: PackageOverrides,
    /// How artifacts are copied.
    #[serde(default)]
    pub copy: CopySettings,
    /// Seconds to wait for SageMaker to complete the version.
    #[serde(default = "wait_seconds")]
    pub wait_seconds: u64,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settings of [`crate::run::register()`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterSettings {
    /// The version to register. Its artifacts were copied before.
    pub version: FoundVersion,
    /// The destination of the artifacts.
    pub destination: DestinationSettings,
    /// Values that replace values of the source package.
    #[serde(default)]
    pub overrides: PackageOverrides,
    /// How the version is registered.
    #[serde(default)]
    pub registration: RegistrationSettings,
    /// The previous step was a dry run. A dry run then lists missing artifacts as planned.
    #[serde(default)]
    pub is_planned: bool,
    /// Write nothing to AWS.
    #[serde(default)]
    pub dry_run: bool,
}

fn wait_seconds() -> u64 {
    WAIT_SECONDS
}
