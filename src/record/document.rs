//! The document of a run. Every verb prints it, the next verb reads it, and it is stored beside the artifacts as the
//! record.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

use super::conclusion::Conclusion;
use crate::copy::{CopySummary, results};
use crate::image::{Copied, ImageDone, Preview};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::KmsKeyArn;
use crate::model::field::Document;
use crate::model::hold::Hold;
use crate::model::image::RepositoryPrefix;
use crate::model::location::Location;
use crate::model::package::rfc3339;
use crate::model::secrets::RecordSecrets;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::images::{ImageRegistry, PlannedImage};
use crate::plan::not_carried::NotCarried;
use crate::plan::rewriting::Targets;
use crate::plan::target_group::TargetGroupState;
use crate::plan::{Plan, Warning};
use crate::record::facts::{ArtifactFacts, Build, ReferenceFacts, Source, Tool};
use crate::record::followed::{Followed, Withdrawn};
use crate::record::images::ImageFacts;
use crate::record::planned::{PlanFacts, PlannedWrite, ReviewedPlanFacts};
use crate::record::target::Target;
use crate::register::sync::Change;
use crate::store::{List, Spooled};

/// The version of this document. It changes with every incompatible change.
pub const SCHEMA: u32 = 2;

/// The document of a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The outcome of the run.
    pub outcome: Conclusion,
    /// The source.
    pub source: Source,
    /// The target; absent in the document of `find-latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The number of versions by approval status; only if no version is approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeMap<ApprovalStatus, u64>>,
    /// The references of the package, each with its location in the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceFacts>,
    /// The objects, ordered by bucket and key.
    #[serde(default)]
    pub artifacts: List<ArtifactFacts>,
    /// The objects of the version's folder that were there before, and are not part of the promotion.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub other_objects: List<Location>,
    /// The container images, unless `--images keep` was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageFacts>,
    /// What this run has copied, how, and how fast; absent if it has copied nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopySummary>,
    /// When the artifacts with the result `recorded` were compared last, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifacts_recorded: Option<String>,
    /// The writes that a dry run has left out, greatest first; absent in other runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Vec<PlannedWrite>>,
    /// The digest of the plan, and the settings that it depends on; only in dry runs of `promote full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanFacts>,
    /// The reviewed plan that `promote full --plan` or `promote apply --plan` was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_plan: Option<ReviewedPlanFacts>,
    /// The hold of the target group, if it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Promoted versions that were withdrawn, or that a dry run would withdraw, because their source is Rejected.
    #[serde(default)]
    pub withdrawn: Vec<Withdrawn>,
    /// What the run has done with promoted versions besides the one that it promotes, except withdrawals.
    #[serde(default)]
    pub followed: Vec<Followed>,
    /// The fields that were changed since the version was promoted.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The fields that are not carried over, each with the reason.
    #[serde(default)]
    pub not_carried: Vec<NotCarried>,
    /// Which S3 URLs in environment variables were copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_urls: Option<EnvironmentUrls>,
    /// The key of `--kms-key-arn` that the version was promoted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<KmsKeyArn>,
    /// Warnings.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Why other promoted versions could not be followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    /// What the target group had before the version was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_group: Option<TargetGroupState>,
    /// The CreateModelPackage request without the client token. Secrets are sealed, unless the run records them in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Document>,
    /// The SourceUri, which an Update sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_uri: Option<String>,
    /// What could not be confirmed after the run did its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
    /// What to do about it, if something else than to run again is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed_hints: Vec<String>,
    /// The CodeBuild build of the run, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The program that wrote this.
    pub tool: Tool,
    /// When the run began, RFC 3339 in UTC.
    pub started: String,
    /// When the run ended, RFC 3339 in UTC.
    #[serde(default)]
    pub ended: String,
    /// The duration of the run in milliseconds.
    pub duration_ms: u64,
    /// What the request has in place of secrets.
    #[serde(skip)]
    pub secrets: RecordSecrets,
}

/// The part of a document that every version of promote can read.
#[derive(Deserialize)]
struct Version {
    schema: Option<serde_json::Value>,
}

impl Record {
    /// An empty document about `source` that begins at `started`.
    pub fn new(outcome: Conclusion, source: Source, started: &DateTime) -> Self {
        Self {
            schema: SCHEMA,
            outcome,
            source,
            target: None,
            versions: None,
            references: Vec::new(),
            artifacts: List::default(),
            other_objects: List::default(),
            images: Vec::new(),
            copy: None,
            artifacts_recorded: None,
            planned: None,
            plan: None,
            reviewed_plan: None,
            hold: None,
            withdrawn: Vec::new(),
            followed: Vec::new(),
            changes: Vec::new(),
            not_carried: Vec::new(),
            environment_urls: None,
            kms_key: None,
            warnings: Vec::new(),
            failures: Vec::new(),
            target_group: None,
            request: None,
            source_uri: None,
            unconfirmed: None,
            unconfirmed_hints: Vec::new(),
            build: None,
            tool: Tool::default(),
            started: rfc3339(started),
            ended: rfc3339(started),
            duration_ms: 0,
            secrets: RecordSecrets::default(),
        }
    }

    /// Adds the plan and the copied artifacts.
    ///
    /// # Errors
    /// A temporary file cannot be read or written.
    pub fn with_copied(self, copied: &Copied) -> Result<Self> {
        let artifacts = copied.artifacts();
        let mut record = self.with_plan(artifacts.plan(), copied.images())?;
        record.warnings.extend_from_slice(artifacts.warnings());
        record.copy = copied.summary().cloned();
        record.other_objects = artifacts.others().copied()?;
        Ok(record)
    }

    /// Adds the plan and the artifacts that would be copied.
    ///
    /// # Errors
    /// As [`Record::with_copied`].
    pub fn with_preview(self, preview: &Preview) -> Result<Self> {
        self.with_plan(preview.plan(), preview.images())
    }

    fn with_plan<'a>(
        mut self,
        plan: &Plan,
        images: impl Iterator<Item = (&'a PlannedImage, ImageDone)>,
    ) -> Result<Self> {
        for item in results(plan) {
            let (artifact, done) = item?;
            self.artifacts.push(&ArtifactFacts::of(&artifact, done))?;
        }
        self.images = images.map(|(image, done)| ImageFacts::of(image, done)).collect();
        self.not_carried.clone_from(&plan.not_carried);
        self.environment_urls = Some(plan.environment_urls);
        self.references = plan.references.iter().map(Into::into).collect();
        self.warnings.clone_from(&plan.warnings);
        self.target_group = plan.target_group;
        self.set_request(&plan.request);
        self.source_uri.clone_from(&plan.source_uri);
        Ok(self)
    }

    /// Sets the request, with its secrets as the run records them.
    pub fn set_request(&mut self, request: &Document) {
        self.request = Some(self.secrets.of(request));
    }

    /// The targets of the references that the promotion has resolved, and of the objects in `urls`.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn targets(&self, urls: &BTreeSet<Location>) -> Result<Targets> {
        let mut targets = Targets::default();
        if let Some(target) = self.target.as_ref().filter(|_| !self.images.is_empty()) {
            let (account, region) = (target.account.clone(), target.region.clone());
            targets.copy_images_to(ImageRegistry { account, region, prefix: RepositoryPrefix::default() });
        }
        for (image, target) in self.images.iter().filter_map(ImageFacts::replacement) {
            targets.add_image(image, target);
        }
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

    /// The manifests whose locations were rewritten. They differ from the source's manifests, so a URL must not be
    /// rewritten to them.
    pub fn rewritten_manifests(&self) -> impl Iterator<Item = &Location> {
        let manifests = self.references.iter().filter(|reference| reference.kind.is_manifest());
        manifests.filter_map(|reference| reference.target.as_ref())
    }

    /// Reads a document that a verb has printed.
    ///
    /// # Errors
    /// The text is not a document of this version.
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
