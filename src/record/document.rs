//! The document of a run: every verb prints it, the next verb reads it, and it stays beside the artifacts as the record.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

use crate::copy::{Copied, Done, Preview};
use crate::model::approval::ApprovalStatus;
use crate::model::field::Document;
use crate::model::location::Location;
use crate::model::package::rfc3339;
use crate::plan::artifact::Artifact;
use crate::plan::not_carried::NotCarried;
use crate::plan::rewriting::Targets;
use crate::plan::{Plan, Warning};
use crate::record::facts::{ArtifactFacts, Build, ReferenceFacts, Source, Target, Tool, Withdrawn};
use crate::register::Registration;
use crate::register::sync::Change;
use crate::store::{List, Spooled};

/// The version of this document; it changes when a reader would have to.
pub const SCHEMA: u32 = 2;

/// The outcome of a run.
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
    /// The promoted version of a version that was rejected is rejected too.
    Withdrawn,
    /// A withdrawn version was approved again, as its source.
    ApprovedAgain,
    /// The version had been promoted, and changes of its source were carried over.
    Updated,
    /// A dry run: what would be done.
    Planned,
}

impl Conclusion {
    /// The outcome of a registration.
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
    /// The outcome of the run.
    pub outcome: Conclusion,
    /// Where from.
    pub source: Source,
    /// Where to; `find-latest` does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// How many versions the group has by approval status, where none is approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeMap<ApprovalStatus, u64>>,
    /// What the package refers to, and what stands for it in the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceFacts>,
    /// Each object, in the order of bucket and key.
    #[serde(default)]
    pub artifacts: List<ArtifactFacts>,
    /// Promoted versions whose source is Rejected: withdrawn, or to be withdrawn after a dry run.
    #[serde(default)]
    pub withdrawn: Vec<Withdrawn>,
    /// What the source has changed since the version was promoted.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The fields that are not carried over, and why.
    #[serde(default)]
    pub not_carried: Vec<NotCarried>,
    /// What a reader should know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// CreateModelPackage as it was or would be sent, without the client token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Document>,
    /// The SourceUri that an Update has set, which is in no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_uri: Option<String>,
    /// What could not be confirmed although the run did its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
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
            not_carried: Vec::new(),
            warnings: Vec::new(),
            request: None,
            source_uri: None,
            unconfirmed: None,
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
        self.not_carried.clone_from(&plan.not_carried);
        self.references = plan.references.iter().map(Into::into).collect();
        self.warnings.clone_from(&plan.warnings);
        self.request = Some(plan.request.clone());
        self.source_uri.clone_from(&plan.source_uri);
        Ok(self)
    }

    /// The targets of the references that the promotion resolved, and of its objects that `urls` name.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn targets(&self, urls: &BTreeSet<Location>) -> Result<Targets> {
        let mut targets = Targets::default();
        for ReferenceFacts { location, kind, target, .. } in &self.references {
            if let Some(target) = target {
                targets.add_reference(*kind, location.clone(), target.clone());
            }
        }
        let rewritten: BTreeSet<&Location> = self.rewritten_manifests().collect();
        for artifact in self.artifacts.iter() {
            let ArtifactFacts { source, target, .. } = artifact?;
            if urls.contains(&source) && !rewritten.contains(&target) {
                targets.add_object(source, target);
            }
        }
        Ok(targets)
    }

    /// The manifests whose locations were rewritten: they are not what a URL of the source names.
    fn rewritten_manifests(&self) -> impl Iterator<Item = &Location> {
        let manifests = self.references.iter().filter(|reference| reference.kind.is_manifest());
        manifests.filter_map(|reference| reference.target.as_ref())
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
        let written_by = if schema < u64::from(SCHEMA) { "an earlier" } else { "a later" };
        ensure!(
            schema == u64::from(SCHEMA),
            "{written_by} version of promote wrote it: its schema version is {schema}, and this version reads {SCHEMA}"
        );
        serde_json::from_reader(text.reader()).context("it is not a document of promote")
    }
}
