//! Copies missing artifacts of a promoted version again.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};

use super::Syncing;
use super::synced::{Missing, Repaired, Synced, missing_artifacts};
use crate::aws::error::with_hints;
use crate::copy::results;
use crate::image::{Copied, tag_of};
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::{Plan, Warning};
use crate::record::history::History;
use crate::record::recorded::{Look, Recorded, recorded};
use crate::record::{ArtifactFacts, Conclusion, ImageFacts, List, PlannedAct, PlannedWrite, Record};
use crate::register::decision::ApprovalPolicy;
use crate::run::images::only_recorded;
use crate::run::images::there::Untagged;
use crate::run::promotion::{Promotion, describe};
use crate::run::settings::CopySettings;

/// Copies missing artifacts again.
pub(in crate::run) struct Repair<'a> {
    pub promotion: &'a Promotion<'a>,
    pub copy: &'a CopySettings,
    /// How approvals are decided.
    pub policy: ApprovalPolicy,
}

impl Repair<'_> {
    /// Copies the missing artifacts of a version, then syncs the version.
    ///
    /// # Errors
    /// An artifact cannot be copied, or the source has replaced it. Then the version is not changed.
    pub async fn run(
        &self,
        package: &Package,
        destination: &Destination,
        history: &History,
        promoted: &PromotedVersion,
        missing: Missing,
    ) -> Result<Record> {
        let (promotion, source) = (self.promotion, package.arn());
        let gone = || missing_artifacts(promoted, source, &missing);
        if missing.is_tags_only() {
            let record = self.tag(package, destination, (history, promoted), &missing.untagged).await?;
            return record.ok_or_else(gone);
        }
        let past =
            history.past(promoted).filter(|_| destination.layout(source) == promotion.destination.layout(source));
        let Some(past) = past else { return Err(gone()) };
        let (mut plan, there) = tokio::try_join!(promotion.plan(package), promotion.list_folder(source))?;
        only_recorded(&mut plan, &past.base().images, &missing.images)?;
        if !refuse_replaced(&past.base().artifacts, &plan, &missing.artifacts)? {
            return Err(gone());
        }
        let artifacts = (!missing.artifacts.is_empty())
            .then(|| PlannedWrite::new(PlannedAct::Copy, destination.layout(source).folder()));
        let images = missing.images.iter().map(|image| PlannedWrite::new(PlannedAct::CopyImage, image));
        let writes: Vec<PlannedWrite> = artifacts.into_iter().chain(images).chain(tags(&missing.untagged)).collect();
        if promotion.dry_run {
            let preview = promotion.preview(self.copy, plan, there).await?;
            let preview = promotion.record(Conclusion::Planned, package).with_preview(&preview)?;
            let syncing = self.syncing(destination, Repaired::Planned);
            let synced = syncing.run(package, history, promoted).await?;
            let mut record = synced.and_then(Synced::into_record).ok_or_else(gone)?;
            (record.outcome, record.artifacts) = (Conclusion::Planned, preview.artifacts);
            if !preview.images.is_empty() {
                record.images = preview.images;
            }
            record.artifacts_recorded = None;
            record.planned = Some(writes.into_iter().chain(record.planned.unwrap_or_default()).collect());
            return Ok(record);
        }
        promotion.permitted.check(&writes, source, &promoted.arn)?;
        let copied = promotion.copy(self.copy, plan, there).await;
        if copied.is_err() {
            promotion.context.abort_run(&promotion.uploads).await;
        }
        let copied = copied?;
        promotion.uploads.delete_states().await;
        let artifacts = restored(&past.base().artifacts, &copied, &missing.artifacts)?;
        let images = restored_images(&past.base().images, &copied, missing.looked_at_images);
        let syncing =
            self.syncing(destination, Repaired::Done(artifacts, images, copied.summary().cloned().map(Box::new)));
        let (package, history, promoted) = self.after_copy(package, destination, promoted).await?;
        let synced = syncing.run(&package, &history, &promoted).await?;
        synced.and_then(Synced::into_record).ok_or_else(gone)
    }

    /// Both versions and the records as they are now. The copy may have taken hours.
    async fn after_copy(
        &self,
        package: &Package,
        destination: &Destination,
        promoted: &PromotedVersion,
    ) -> Result<(Package, History, PromotedVersion)> {
        let (source, target) = (self.promotion.source, self.promotion.target);
        let recorded = recorded(target, destination, package.arn(), Look::AtRecords);
        let (package, recorded) = tokio::try_join!(describe(source, package.arn()), recorded)?;
        match recorded.filter(|now| now.promoted.arn == promoted.arn && now.promoted.is_complete()) {
            Some(Recorded { history, promoted, .. }) => {
                self.promotion.permitted.check_source(&package)?;
                Ok((package, history, promoted))
            }
            None => {
                let changed = format!("{} was deleted or discarded during this run", promoted.arn);
                Err(Failure::new(changed).hint("Run again").into())
            }
        }
    }

    /// Gives images of a version the tags that keep them, then syncs the version. A tag that cannot be set is told.
    async fn tag(
        &self,
        package: &Package,
        destination: &Destination,
        (history, promoted): (&History, &PromotedVersion),
        untagged: &[Untagged],
    ) -> Result<Option<Record>> {
        let promotion = self.promotion;
        let Some(past) = history.past(promoted) else { return Ok(None) };
        let (mut repaired, mut warnings) = (Repaired::No, Vec::new());
        if promotion.dry_run {
            repaired = Repaired::Planned;
        } else {
            promotion.permitted.check(&tags(untagged).collect::<Vec<_>>(), package.arn(), &promoted.arn)?;
        }
        for image in untagged.iter().filter(|_| !promotion.dry_run) {
            let tag = tag_of(&image.image.digest);
            match promotion.target.images().put(&image.repository, &image.image, Some(&tag)).await {
                Ok(()) => {
                    let images = past.base().images.iter().cloned().map(ImageFacts::compared).collect();
                    repaired = Repaired::Done(compared(&past.base().artifacts)?, images, None);
                }
                Err(error) => warnings.push(not_tagged(image, &error.into())),
            }
        }
        let synced = self.syncing(destination, repaired).run(package, history, promoted).await?;
        let Some(mut record) = synced.and_then(Synced::into_record) else { return Ok(None) };
        record.warnings.extend(warnings);
        if promotion.dry_run {
            record.outcome = Conclusion::Planned;
            record.planned = Some(tags(untagged).chain(record.planned.unwrap_or_default()).collect());
        }
        Ok(Some(record))
    }

    fn syncing<'a>(&'a self, destination: &'a Destination, repaired: Repaired) -> Syncing<'a> {
        Syncing { promotion: self.promotion, destination, policy: self.policy, folder: None, repaired }
    }
}

fn tags(untagged: &[Untagged]) -> impl Iterator<Item = PlannedWrite> {
    untagged.iter().map(|image| PlannedWrite::new(PlannedAct::TagImage, image.tagged()))
}

fn not_tagged(image: &Untagged, error: &anyhow::Error) -> Warning {
    let remark = format!(
        "the image has lost its tag, so a lifecycle rule for untagged images may delete it, and the tag could not be \
         restored: {}",
        with_hints(error)
    );
    Warning { field: image.tagged().to_string(), remark }
}

/// Refuses to copy anything but the missing artifacts as they were promoted: the promoted version refers to their keys.
/// Returns whether the source still has all of them.
///
/// # Errors
/// The source has replaced a missing artifact, or refers to an object that was not promoted. Nothing was copied.
fn refuse_replaced(recorded: &List<ArtifactFacts>, plan: &Plan, missing: &[Location]) -> Result<bool> {
    let mut then = HashMap::new();
    for artifact in recorded.iter() {
        let artifact = artifact?;
        then.insert(artifact.target, artifact.etag);
    }
    let mut lost: HashSet<&Location> = missing.iter().collect();
    for artifact in plan.artifacts.iter() {
        let artifact = artifact?;
        let (source, etag) = (&artifact.source.location, artifact.source.etag.as_str());
        let message = match then.get(&artifact.target) {
            None => format!("{source} was not promoted with this version, and cannot be added to it"),
            Some(then) if lost.remove(&artifact.target) && then != etag => {
                format!("{source} has changed since it was promoted, so its missing copy cannot be restored")
            }
            Some(_) => continue,
        };
        return Err(Failure::new(format!("{message}; the version was not changed"))
            .hint("Register a new version at the source")
            .into());
    }
    Ok(lost.is_empty())
}

/// The recorded artifacts, with the new facts of those that were missing.
fn restored(recorded: &List<ArtifactFacts>, copied: &Copied, missing: &[Location]) -> Result<List<ArtifactFacts>> {
    let missing: HashSet<&Location> = missing.iter().collect();
    let mut facts = HashMap::new();
    for item in results(copied.artifacts().plan()) {
        let (artifact, done) = item?;
        if missing.contains(&artifact.target) {
            facts.insert(artifact.target.clone(), ArtifactFacts::of(&artifact, done));
        }
    }
    let mut all = List::default();
    for then in recorded.iter() {
        let then = then?;
        match facts.remove(&then.target) {
            None => all.push(&then.compared())?,
            Some(now) => {
                let same = now.etag == then.etag || now.checksum.is_some() && now.checksum == then.checksum;
                ensure!(
                    same,
                    Failure::new(format!(
                        "{} has changed since it was promoted, so its missing copy cannot be restored; the version was not changed",
                        then.source
                    ))
                    .hint("Register a new version at the source")
                );
                all.push(&now)?;
            }
        }
    }
    Ok(all)
}

/// The recorded artifacts, which this run has compared.
fn compared(recorded: &List<ArtifactFacts>) -> Result<List<ArtifactFacts>> {
    let mut all = List::default();
    for artifact in recorded.iter() {
        all.push(&artifact?.compared())?;
    }
    Ok(all)
}

/// The recorded images, with what this run has done with each.
fn restored_images(recorded: &[ImageFacts], copied: &Copied, looked_at: bool) -> Vec<ImageFacts> {
    let done = |then: &ImageFacts| copied.images().find(|(image, _)| image.target() == then.target);
    let restored = recorded.iter().cloned().map(|then| match done(&then) {
        Some((_, done)) => then.restored(done),
        None if looked_at => then.compared(),
        None => then.recorded(),
    });
    restored.collect()
}
