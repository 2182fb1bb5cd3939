//! The document of a promotion: what was found, copied and registered goes in, JSON with a schema version comes out.
//! Every verb prints it, the next verb reads it, and it stays beside the artifacts as the record.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

use super::arn::{AccountId, GroupName, PackageArn, Region};
use super::artifacts::Artifact;
use super::copies::{Copies, Done, Outcome, Verified};
use super::draft::Left;
use super::field::Document;
use super::layout::TargetPrefix;
use super::location::{BucketName, Location};
use super::package::{Package, rfc3339};
use super::plan::{Plan, Warning};
use super::references::{Kind, Reference};
use super::registration::Registration;
use super::renewal::Change;
use super::spool::Spool;
use super::withdrawal::Withdrawal;

/// The version of this document; it changes when a reader would have to.
pub const SCHEMA: u32 = 1;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// `find-latest`: the version is found.
    Found,
    /// `copy-artifacts`: everything is at the target and verified.
    Copied,
    /// The version is registered in the target.
    Promoted,
    /// It was registered before, and nothing had to be done.
    AlreadyPromoted,
    /// The group has no Approved version.
    NothingApproved,
    /// The copy of a version that was rejected is no longer offered.
    Withdrawn,
    /// What was withdrawn is as its source again.
    ApprovedAgain,
    /// The version had been promoted, and its fields were brought up to date.
    Updated,
    /// A dry run: what would be done.
    Planned,
}

impl Conclusion {
    /// What a registration came to.
    pub fn of(registration: &Registration) -> Self {
        match registration {
            Registration { reapproved: true, .. } => Self::ApprovedAgain,
            Registration { changed: true, .. } => Self::Promoted,
            Registration { .. } => Self::AlreadyPromoted,
        }
    }
}

/// The document.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What the run came to.
    pub outcome: Conclusion,
    /// Where from.
    pub source: Source,
    /// Where to; `find-latest` does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// How many versions the group has by approval status, where none is approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeMap<String, u64>>,
    /// What the package refers to, as `find-latest` reports it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceFacts>,
    /// Each object, in the order of bucket and key.
    #[serde(default)]
    pub artifacts: Spool<ArtifactFacts>,
    /// Versions of the target whose source is Rejected: no longer offered, or to be withdrawn after a dry run.
    #[serde(default)]
    pub withdrawn: Vec<Withdrawn>,
    /// What the source has changed since the version was promoted.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What stays at the source, and why.
    #[serde(default)]
    pub left: Vec<Left>,
    /// What a reader should know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// CreateModelPackage as it was or would be sent, without the client token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Document>,
    /// The SourceUri that an Update has set, which is in no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_uri: Option<String>,
    /// What is not certain although the package is promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The CodeBuild build that ran, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The program that wrote this.
    pub tool: Tool,
    /// When the run began, RFC 3339 in UTC.
    pub started: String,
    /// When it ended, RFC 3339 in UTC.
    #[serde(default)]
    pub ended: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

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
    pub status: String,
    /// Its approval status.
    pub approval_status: String,
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
    pub approval_status: Option<String>,
    /// Who wrote it.
    pub caller: String,
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

/// A version of the target that was taken back.
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
    pub result: Taken,
}

/// What became of a version that is to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// It is Rejected now.
    Withdrawn,
    /// A dry run would reject it.
    Planned,
}

impl Withdrawn {
    /// The facts of a withdrawal.
    pub fn of(withdrawal: &Withdrawal, result: Taken) -> Self {
        let arn = &withdrawal.own.arn;
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

/// What tells whether the rest can be read.
#[derive(Deserialize)]
struct Version {
    schema: Option<serde_json::Value>,
}

impl Record {
    /// A document of this version about `source`, begun at `started`, with nothing in it yet.
    pub fn new(outcome: Conclusion, source: Source, started: &DateTime) -> Self {
        Self {
            schema: SCHEMA,
            outcome,
            source,
            target: None,
            versions: None,
            references: Vec::new(),
            artifacts: Spool::default(),
            withdrawn: Vec::new(),
            changes: Vec::new(),
            left: Vec::new(),
            warnings: Vec::new(),
            request: None,
            source_uri: None,
            doubt: None,
            build: None,
            tool: Tool::default(),
            started: rfc3339(started),
            ended: rfc3339(started),
            duration_ms: 0,
        }
    }

    /// Adds what the plan says, and what became of it.
    ///
    /// # Errors
    /// A temporary file cannot be read or written.
    pub fn with_plan(mut self, plan: &Plan, copies: &Copies) -> Result<Self> {
        for (number, artifact) in plan.artifacts.iter().enumerate() {
            self.artifacts.push(&ArtifactFacts::of(&artifact?, copies.of(number)?))?;
        }
        self.left.clone_from(&plan.left);
        self.warnings.clone_from(&plan.warnings);
        self.request = Some(plan.request.clone());
        self.source_uri.clone_from(&plan.source_uri);
        Ok(self)
    }

    /// Reads a document that a verb has printed.
    ///
    /// # Errors
    /// It is none, or of a later version.
    pub fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice::<serde::de::IgnoredAny>(text).context("it is not JSON")?;
        let version = serde_json::from_slice::<Version>(text).ok().and_then(|version| version.schema?.as_u64());
        let schema = version.context("it has no schema version")?;
        ensure!(
            schema == u64::from(SCHEMA),
            "its schema version is {schema}, and this version of promote reads {SCHEMA}"
        );
        serde_json::from_slice(text).context("it is not a document of promote")
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
            status: text("ModelPackageStatus").unwrap_or_default(),
            approval_status: package.approval().to_owned(),
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
        Self { field: reference.field.to_string(), location: reference.location.clone(), kind: reference.kind }
    }
}

impl ArtifactFacts {
    /// The same object in the document of a run that did not have to copy it.
    pub fn found_again(self) -> Self {
        Self { result: Outcome::AlreadyThere, ..self }
    }

    fn of(artifact: &Artifact, done: Done) -> Self {
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
