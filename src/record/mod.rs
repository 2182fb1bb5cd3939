//! The document of a promotion: what was found, copied and registered goes in, JSON with a schema version comes out.
//! Every verb prints it, the next verb reads it, and it stays beside the artifacts as the record.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

use crate::copy::{Copied, Done, Preview};
use crate::model::field::Document;
use crate::model::package::rfc3339;
use crate::plan::artifact::Artifact;
use crate::plan::draft::Left;
use crate::plan::{Plan, Warning};
use crate::register::Registration;
use crate::register::sync::Change;
use crate::store::{List, Spooled};

mod facts;
pub mod hashing;
pub mod signature;
pub mod verification;

pub use facts::{ArtifactFacts, Build, ReferenceFacts, Source, SourcePackage, Taken, Target, Tool, Withdrawn};

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
    pub artifacts: List<ArtifactFacts>,
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
            artifacts: List::default(),
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

    /// Adds what was planned and copied.
    ///
    /// # Errors
    /// A temporary file cannot be read or written.
    pub fn with_copied(self, copied: &Copied) -> Result<Self> {
        let mut record = self.with_plan(copied.plan(), copied.artifacts())?;
        record.warnings.extend_from_slice(copied.warnings());
        Ok(record)
    }

    /// Adds what was planned and would be copied.
    ///
    /// # Errors
    /// As [`Record::with_copied`].
    pub fn with_preview(self, preview: &Preview) -> Result<Self> {
        self.with_plan(preview.plan(), preview.artifacts())
    }

    fn with_plan(mut self, plan: &Plan, artifacts: impl Iterator<Item = Result<(Artifact, Done)>>) -> Result<Self> {
        for item in artifacts {
            let (artifact, done) = item?;
            self.artifacts.push(&ArtifactFacts::of(&artifact, done))?;
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
    pub fn parse(text: &Spooled) -> Result<Self> {
        let version = match serde_json::from_reader::<_, Version>(text.reader()) {
            Err(error) if !error.is_data() => return Err(error).context("it is not JSON"),
            version => version.ok().and_then(|version| version.schema?.as_u64()),
        };
        let schema = version.context("it has no schema version")?;
        ensure!(
            schema == u64::from(SCHEMA),
            "its schema version is {schema}, and this version of promote reads {SCHEMA}"
        );
        serde_json::from_reader(text.reader()).context("it is not a document of promote")
    }
}
