//! The result of a sync: its outcome, its changes, and what it refuses.

use anyhow::{Error, Result, ensure};

use super::signatures::Signatures;
use crate::copy::CopySummary;
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::image::EcrImage;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::plan::sealed::{SEALED, sealed_fields};
use crate::record::history::Past;
use crate::record::{ArtifactFacts, Conclusion, ImageFacts, List, PlannedWrite, Record, Unconfirmed};
use crate::register::decision::{Act, Decision};
use crate::register::sync::{Change, ChangeResult, SyncPlan};
use crate::run::images::there::Untagged;

/// The result of a sync.
pub(in crate::run) enum Synced {
    /// The version is in sync. The record is the document about it.
    Done {
        record: Box<Record>,
        /// Whether a record was written.
        recorded: bool,
        /// What a reader should know of this run, in addition to the record.
        warnings: Vec<Warning>,
    },
    /// These artifacts and images of the version do not exist.
    Missing(Missing),
}

impl Synced {
    /// The result of a sync that has written a record, or that did not need one.
    pub fn of(mut record: Record, recorded: bool, signatures: Signatures) -> Self {
        record.add_unconfirmed(signatures.failed);
        Self::Done { record: Box::new(record), recorded, warnings: signatures.refused }
    }

    /// Adds what a reader should know of this run.
    pub fn with_warnings(mut self, more: Vec<Warning>) -> Self {
        if let Self::Done { warnings, .. } = &mut self {
            warnings.extend(more);
        }
        self
    }

    /// The document about the version.
    pub fn into_record(self) -> Option<Record> {
        match self {
            Self::Done { mut record, warnings, .. } => {
                record.warnings.extend(warnings);
                Some(*record)
            }
            Self::Missing(_) => None,
        }
    }
}

/// What a sync has decided.
#[derive(Clone, Copy)]
pub(in crate::run) struct Update<'a> {
    pub package: &'a Package,
    pub past: &'a Past<'a>,
    pub promoted: &'a PromotedVersion,
    pub plan: &'a SyncPlan,
    pub decision: &'a Decision,
    pub signatures: &'a Signatures,
}

impl Update<'_> {
    /// Whether the version is withdrawn before its other fields are updated: neither a record nor another field may
    /// prevent a withdrawal.
    pub fn withdraws_first(&self) -> bool {
        self.decision.act == Act::Withdraw && self.plan.update.len() > self.decision.update().len()
    }
}

/// Says in the record of a withdrawal that nothing else was synced.
pub(in crate::run) fn not_synced_otherwise(mut record: Record, error: &anyhow::Error) -> Record {
    record.add_unconfirmed([Unconfirmed::because(error).about("the version was not synced otherwise")]);
    record
}

/// What is known of the artifacts of a version.
pub(in crate::run) enum ArtifactState {
    /// They are those of the record.
    Compared {
        /// Whether the images were looked at too.
        images: bool,
    },
    /// This run has not looked at them.
    NotCompared,
    /// These do not exist.
    Missing(Missing),
}

/// Artifacts and images of a promoted version that do not exist, and tags.
#[derive(Debug, Default)]
pub(in crate::run) struct Missing {
    pub artifacts: Vec<Location>,
    pub images: Vec<EcrImage>,
    /// Images that have lost the tag that keeps them.
    pub untagged: Vec<Untagged>,
    /// Whether the images were looked at.
    pub looked_at_images: bool,
}

impl Missing {
    /// Whether everything exists, and has its tag.
    pub fn is_nothing(&self) -> bool {
        self.is_tags_only() && self.untagged.is_empty()
    }

    /// Whether everything exists.
    pub fn is_tags_only(&self) -> bool {
        self.artifacts.is_empty() && self.images.is_empty()
    }
}

/// The error for a version that is not approved, because artifacts or images of it are missing.
pub(in crate::run) fn missing_artifacts(promoted: &PromotedVersion, source: &PackageArn, missing: &Missing) -> Error {
    let count = missing.artifacts.len();
    let objects = match (count, missing.images.first()) {
        (0, Some(image)) => return missing_image(promoted, source, image),
        (1, _) => "1 artifact is",
        _ => &format!("{count} artifacts are"),
    };
    let version = source.version();
    Failure::new(format!("{} was not approved: {objects} missing in its folder", promoted.arn))
        .hint(format!("Copy them again with `promote full --package-version {version}`"))
        .into()
}

fn missing_image(promoted: &PromotedVersion, source: &PackageArn, image: &EcrImage) -> Error {
    let version = source.version();
    Failure::new(format!("{} was not approved: its image {image} does not exist any more", promoted.arn))
        .hint(format!("Copy it again with `promote full --images copy --package-version {version}`"))
        .into()
}

/// Whether this run copies artifacts of the version again.
#[derive(Debug)]
pub(in crate::run) enum Repaired {
    No,
    /// A dry run: it would copy the missing ones.
    Planned,
    /// It has copied them. These are all artifacts and images of the version, and what was copied of them.
    Done(List<ArtifactFacts>, Vec<ImageFacts>, Option<Box<CopySummary>>),
}

/// Lists what a dry run leaves out.
pub(in crate::run) fn plan_writes(record: &mut Record, plan: &SyncPlan, writes: Vec<PlannedWrite>) {
    record.planned = Some(writes);
    if !plan.update.is_empty() {
        record.outcome = Conclusion::Planned;
        record.changes = planned_changes(&record.changes);
    }
}

/// The changes before the Update.
pub(in crate::run) fn planned_changes(changes: &[Change]) -> Vec<Change> {
    let planned = |result| if result == ChangeResult::Updated { ChangeResult::Planned } else { result };
    changes.iter().cloned().map(|change| Change { result: planned(change.result), ..change }).collect()
}

/// The outcome of a sync.
pub(in crate::run) fn outcome(decision: &Decision, plan: &SyncPlan, repaired: bool) -> Conclusion {
    match decision.act {
        Act::Withdraw => Conclusion::Withdrawn,
        Act::ApproveAgain => Conclusion::ApprovedAgain,
        Act::WaitAgain => Conclusion::WaitsAgain,
        Act::Carry => Conclusion::Promoted,
        Act::Keep if plan.update.is_empty() && repaired => Conclusion::Repaired,
        Act::Keep if plan.update.is_empty() => Conclusion::AlreadyPromoted,
        Act::Keep => Conclusion::Updated,
    }
}

/// Refuses to approve a version if somebody else has changed what it deploys, or where it comes from.
pub(in crate::run) fn refuse_edited(plan: &SyncPlan, promoted: &PromotedVersion) -> Result<()> {
    let sealed = sealed_fields(&promoted.description).into_iter().map(|field| format!("  {field} {SEALED}"));
    let refused = plan.refused(&promoted.description).map(|detail| format!("  {detail}"));
    let changed: Vec<String> = refused.chain(sealed).collect();
    ensure!(
        changed.is_empty(),
        Failure::new(format!("{} differs from its record and was not approved:\n{}", promoted.arn, changed.join("\n")))
            .hint("If the changes are right, approve the version in the target account")
    );
    Ok(())
}
