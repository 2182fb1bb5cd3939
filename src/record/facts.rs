//! The parts of the document: source, target, references, artifacts, withdrawals, the build and the tool.

use serde::{Deserialize, Serialize};

use crate::copy::{Done, Outcome, Verified};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{AccountId, GroupName, PackageArn, Region};
use crate::model::destination::Destination;
use crate::model::layout::TargetPrefix;
use crate::model::location::{BucketName, Location};
use crate::model::package::{Package, rfc3339};
use crate::model::package_status::PackageStatus;
use crate::plan::artifact::Artifact;
use crate::plan::resolved::Resolved;
use crate::register::withdrawal::Withdrawal;
use crate::schema::references::{Kind, Reference};

/// The source side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// The group.
    pub group: GroupName,
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// The version; absent when nothing is approved.
    #[serde(flatten)]
    pub package: Option<SourcePackage>,
    /// Who read it, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// The version that is promoted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its ARN.
    pub model_package_arn: PackageArn,
    /// Its number.
    pub version: u32,
    /// Its status; `Completed` in every record.
    pub status: PackageStatus,
    /// Its approval status.
    pub approval_status: ApprovalStatus,
    /// Why it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_description: Option<String>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was registered.
    pub created: String,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The SHA-256 of its whole description.
    pub fingerprint: String,
}

/// The target side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The group.
    pub group: GroupName,
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// The bucket of the artifacts.
    pub bucket: BucketName,
    /// The prefix of all promotions there.
    pub prefix: TargetPrefix,
    /// The folder of this promotion.
    pub folder: Location,
    /// The version that was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_package_arn: Option<PackageArn>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Its approval status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_status: Option<ApprovalStatus>,
    /// Who wrote it.
    pub caller: String,
}

impl Target {
    /// The promotion of `source` at this destination, with the version that was registered and its approval status.
    pub fn of(
        destination: &Destination,
        source: &PackageArn,
        registered: Option<(&PackageArn, ApprovalStatus)>,
    ) -> Self {
        Self {
            group: destination.group.name().clone(),
            account: destination.group.account().clone(),
            region: destination.group.region().clone(),
            bucket: destination.bucket.clone(),
            prefix: destination.prefix.clone(),
            folder: destination.layout(source).folder(),
            model_package_arn: registered.as_ref().map(|(arn, _)| (*arn).clone()),
            version: registered.as_ref().map(|(arn, _)| arn.version()),
            approval_status: registered.map(|(_, approval)| approval),
            caller: destination.caller.clone(),
        }
    }
}

/// A reference of the package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReferenceFacts {
    /// The member that it stands in.
    pub field: String,
    /// What it points to.
    pub location: Location,
    /// What kind of thing that is.
    pub kind: Kind,
    /// What stands for it in the target, where it was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Location>,
}

/// One object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArtifactFacts {
    /// Where it came from.
    pub source: Location,
    /// Where it is.
    pub target: Location,
    /// Its size at the target.
    pub bytes: u64,
    /// What happened to it.
    pub result: Outcome,
    /// How it was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// The source object's ETag.
    pub etag: String,
    /// The target object's ETag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_etag: Option<String>,
    /// The CRC64NVME of all bytes, in base64, where S3 has told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    /// Every member that refers to it.
    pub fields: Vec<String>,
}

/// A promoted version that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The version of the target.
    pub model_package_arn: PackageArn,
    /// Its number.
    pub version: u32,
    /// The version that it was promoted from.
    pub source_model_package_arn: PackageArn,
    /// Why that one was rejected, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened to it.
    pub result: WithdrawalResult,
}

/// The result for a version that is to be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalResult {
    /// It is Rejected now.
    Withdrawn,
    /// A dry run would reject it.
    Planned,
}

impl Withdrawn {
    /// The facts of a withdrawal.
    pub fn of(withdrawal: &Withdrawal, result: WithdrawalResult) -> Self {
        let arn = &withdrawal.promoted.arn;
        Self {
            model_package_arn: arn.clone(),
            version: arn.version(),
            source_model_package_arn: withdrawal.source.clone(),
            reason: withdrawal.reason().map(str::to_owned),
            result,
        }
    }
}

/// The CodeBuild build.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Build {
    /// CODEBUILD_BUILD_ARN.
    pub arn: String,
    /// CODEBUILD_BUILD_ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// CODEBUILD_BUILD_NUMBER.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// CODEBUILD_INITIATOR: the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
}

/// This program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

impl Source {
    /// The facts of a described package.
    pub fn of(package: &Package, caller: Option<String>) -> Self {
        let arn = package.arn();
        Self {
            group: package.group().clone(),
            account: arn.account().clone(),
            region: arn.region().clone(),
            package: Some(SourcePackage::of(package)),
            caller,
        }
    }
}

impl SourcePackage {
    fn of(package: &Package) -> Self {
        let text = |member: &str| package.text(member).map(str::to_owned);
        Self {
            model_package_arn: package.arn().clone(),
            version: package.arn().version(),
            status: package.status(),
            approval_status: package.approval(),
            approval_description: text("ApprovalDescription"),
            description: text("ModelPackageDescription"),
            created: rfc3339(&package.created()),
            modified: package.modified().as_ref().map(rfc3339),
            fingerprint: package.fingerprint(),
        }
    }
}

impl From<&Reference> for ReferenceFacts {
    fn from(reference: &Reference) -> Self {
        let (field, location) = (reference.field.to_string(), reference.location.clone());
        Self { field, location, kind: reference.kind, target: None }
    }
}

impl From<&Resolved> for ReferenceFacts {
    fn from(Resolved { reference, target }: &Resolved) -> Self {
        Self { target: target.clone(), ..reference.into() }
    }
}

impl ArtifactFacts {
    /// The same object in the document of a run that did not have to copy it.
    pub fn found_again(self) -> Self {
        Self { result: Outcome::AlreadyThere, ..self }
    }

    /// The facts of an artifact, and what became of it.
    pub fn of(artifact: &Artifact, done: Done) -> Self {
        Self {
            source: artifact.source.location.clone(),
            target: artifact.target.clone(),
            bytes: artifact.bytes(),
            result: done.outcome,
            verified: done.verified,
            etag: artifact.source.etag.as_str().to_owned(),
            target_etag: done.etag,
            crc64nvme: done.crc64nvme,
            fields: artifact.fields.iter().map(ToString::to_string).collect(),
        }
    }
}
