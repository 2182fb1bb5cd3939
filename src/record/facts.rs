//! The parts of the document: source, references, artifacts, withdrawals, the build and the tool.

use serde::{Deserialize, Serialize};

use crate::aws::objects::Checksum;
use crate::copy::{Done, Outcome, Verified};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{AccountId, GroupName, PackageArn, Region};
use crate::model::fingerprints::{Fingerprints, fingerprints};
use crate::model::location::Location;
use crate::model::package::{Package, rfc3339};
use crate::model::package_status::PackageStatus;
use crate::plan::artifact::Artifact;
use crate::plan::resolved::Resolved;
use crate::schema::references::{Reference, ReferenceKind};

/// The source side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// The group.
    pub group: GroupName,
    /// The account of the group.
    pub account: AccountId,
    /// The region of the group.
    pub region: Region,
    /// The version; absent if no version is approved.
    #[serde(flatten)]
    pub package: Option<SourcePackage>,
    /// The ARN of the principal that read the source, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// The version that is promoted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourcePackage {
    /// The ARN of the version.
    pub model_package_arn: PackageArn,
    /// The number of the version.
    pub version: u32,
    /// The status; `Completed` in every record.
    pub status: PackageStatus,
    /// The approval status.
    pub approval_status: ApprovalStatus,
    /// The reason of the approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_description: Option<String>,
    /// The description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the version was registered.
    pub created: String,
    /// When the version was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The principal that has last changed the version, or has registered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// The SHA-256 of the whole DescribeModelPackage answer.
    pub fingerprint: String,
    /// The beginning of the SHA-256 of each field, in documents that a next step reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Fingerprints>,
}

/// A reference of the package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReferenceFacts {
    /// The member that has the reference.
    pub field: String,
    /// The location that the member refers to.
    pub location: Location,
    /// The kind of the reference.
    pub kind: ReferenceKind,
    /// The location in the target, if the object was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Location>,
}

/// One object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArtifactFacts {
    /// The location at the source.
    pub source: Location,
    /// The location in the target.
    pub target: Location,
    /// The size in bytes in the target.
    pub bytes: u64,
    /// The result for this object.
    pub result: Outcome,
    /// How the copy was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// The source object's ETag.
    pub etag: String,
    /// The target object's ETag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_etag: Option<String>,
    /// The checksum of the whole object, if S3 returned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// The members that refer to the object.
    pub fields: Vec<String>,
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
    /// CODEBUILD_INITIATOR, the name of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
}

/// The program that wrote a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// The name.
    pub name: String,
    /// The version.
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

    /// The same, with the digests of the package's fields, for a next step.
    pub fn for_next_step(package: &Package, caller: Option<String>) -> Self {
        let mut source = Self::of(package, caller);
        if let Some(facts) = &mut source.package {
            facts.fields = Some(fingerprints(package.description()));
        }
        source
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
            changed_by: package.changed_by(),
            fingerprint: package.fingerprint(),
            fields: None,
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
    /// The same object in the document of a later run that has not looked at it.
    pub fn recorded(self) -> Self {
        Self { result: Outcome::Recorded, ..self }
    }

    /// The same object in the document of a later run that has compared it with this record.
    pub fn compared(self) -> Self {
        Self { result: Outcome::AlreadyThere, ..self }
    }

    /// The facts of an artifact and its copy.
    pub fn of(artifact: &Artifact, done: Done) -> Self {
        Self {
            source: artifact.source.location.clone(),
            target: artifact.target.clone(),
            bytes: artifact.bytes(),
            result: done.outcome,
            verified: done.verified,
            etag: artifact.source.etag.as_str().to_owned(),
            target_etag: done.etag,
            checksum: done.checksum,
            fields: artifact.fields.iter().map(ToString::to_string).collect(),
        }
    }
}
