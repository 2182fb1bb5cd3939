//! Syncs a promoted version with its source: approval, metadata and added specifications. Records what others changed.

pub(super) mod by_metadata;
pub(super) mod deleted;
pub(super) mod follow;
pub(super) mod followed;
pub(super) mod intact;
mod new_specifications;
mod news;
pub(super) mod purpose;
mod recording;
pub(super) mod repair;
mod signatures;
pub(super) mod synced;
pub(super) mod unrecorded;
mod update;
mod withdrawing;

use anyhow::Result;

use super::images::there::ImagesThere;
use super::promotion::Promotion;
use super::promotion::planned::sync_writes;
use crate::copy::Folder;
use crate::model::approval::ApprovalStatus;
use crate::model::destination::Destination;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::draft::{Draft, PackageOverrides};
use crate::plan::rewriting::Rewritten;
use crate::plan::urls_elsewhere;
use crate::record::history::{History, Past};
use crate::record::{Conclusion, ImageFacts, Record, Target, WithdrawalResult, Withdrawn};
use crate::register::decision::{Act, ApprovalPolicy, Decision};
use crate::register::sync::{Change, ChangeResult, SyncPlan};
use news::is_news;
use purpose::Purpose;
use synced::{
    ArtifactState, Missing, Repaired, Synced, Update, not_synced_otherwise, outcome, plan_writes, planned_changes,
    refuse_edited,
};

/// Syncs a promoted version with its source.
pub(super) struct Syncing<'a> {
    pub promotion: &'a Promotion<'a>,
    /// The destination that the version was promoted to.
    pub destination: &'a Destination,
    /// How approvals are decided.
    pub policy: ApprovalPolicy,
    /// The listing of the version's folder, if there is one.
    pub folder: Option<Result<Folder>>,
    /// Whether this run copies artifacts of the version again.
    pub repaired: Repaired,
}

impl Syncing<'_> {
    /// Syncs the promoted version with one Update. Returns nothing if no record describes the version.
    ///
    /// # Errors
    /// The Update fails, or AWS would reject it. The version is to be approved, and differs from its record.
    pub async fn run(
        mut self,
        package: &Package,
        history: &History,
        promoted: &PromotedVersion,
    ) -> Result<Option<Synced>> {
        let Some(past) = history.past(promoted) else { return Ok(None) };
        if let Some(another) = history.another_source(promoted, package) {
            return Err(another.error().into());
        }
        let promoted = &self.promotion.described_as_recorded(&past, promoted).await?;
        let decision = Decision::of(package, promoted, past.approval().as_ref(), self.policy);
        if decision.act != Act::Withdraw && !self.promotion.permitted.more_than_withdrawals() {
            return Ok(None);
        }
        let compared = match self.compare_artifacts(package, &past, &decision).await? {
            ArtifactState::Missing(missing) => return Ok(Some(Synced::Missing(missing))),
            ArtifactState::Compared { images } => Some(images),
            ArtifactState::NotCompared => None,
        };
        let plan = match self.changes(package, &past, promoted).await {
            Err(error) if decision.act == Act::Withdraw => {
                return self.withdraw(package, &past, promoted, &error).await;
            }
            plan => plan?,
        };
        if matches!(decision.act, Act::Carry | Act::ApproveAgain | Act::WaitAgain) {
            refuse_edited(&plan, promoted)?;
        }
        let plan = plan.with(decision.update());
        let writes = sync_writes(&decision, &plan, promoted);
        self.promotion.permitted.check(&writes, package.arn(), &promoted.arn)?;
        let changes = planned_changes(&plan.all_changes(&promoted.description));
        self.promotion.permitted.check_update(&promoted.arn, &changes)?;
        let signatures = self.promotion.sign_unsigned(self.destination, package, history, promoted).await;
        self.announce(&plan, promoted);
        let repaired = matches!(self.repaired, Repaired::Done(..));
        let mut record = self.record(package, &past, promoted, &plan, compared)?;
        record.outcome = outcome(&decision, &plan, repaired);
        if decision.act == Act::Withdraw {
            let result = if self.promotion.dry_run { WithdrawalResult::Planned } else { WithdrawalResult::Withdrawn };
            record.withdrawn = vec![Withdrawn::of(&promoted.arn, package, result)];
        }
        record.changes = plan.all_changes(&promoted.description);
        let approval = decision.approval(promoted);
        let due = repaired || !plan.update.is_empty() || is_news(&plan, &record.changes, &approval, &past);
        if let Some(target) = &mut record.target {
            target.set_approval(approval);
        }
        let (mut recorded, mut warnings) = (false, Vec::new());
        if self.promotion.dry_run {
            plan_writes(&mut record, &plan, writes);
        } else if due {
            let update =
                Update { package, past: &past, promoted, plan: &plan, decision: &decision, signatures: &signatures };
            warnings = self.write(update, &mut record).await?;
            recorded = true;
        }
        Ok(Some(Synced::of(record, recorded, signatures).with_warnings(warnings)))
    }

    /// The document about a promoted version for which there is nothing to do; nothing if there may be something, which
    /// [`Syncing::run`] decides with what the target has then.
    ///
    /// # Errors
    /// The artifacts cannot be compared with their record.
    pub async fn unchanged(
        mut self,
        package: &Package,
        history: &History,
        promoted: &PromotedVersion,
    ) -> Result<Option<Record>> {
        let Some(past) = history.past(promoted) else { return Ok(None) };
        if history.another_source(promoted, package).is_some() {
            return Ok(None);
        }
        let recorded = past.approval();
        let decision = Decision::of(package, promoted, recorded.as_ref(), self.policy);
        let is_settled = recorded.is_none_or(|recorded| recorded.status == promoted.approval());
        let is_signed = self.promotion.signer.is_none() || history.of_version(promoted).all(|stored| stored.signed);
        if decision.act != Act::Keep || !is_settled || !is_signed {
            return Ok(None);
        }
        let compared = match self.compare_artifacts(package, &past, &decision).await? {
            ArtifactState::Missing(_) => return Ok(None),
            ArtifactState::Compared { images } => Some(images),
            ArtifactState::NotCompared => None,
        };
        // The run that writes reports an error.
        let Ok(plan) = self.changes(package, &past, promoted).await else { return Ok(None) };
        let plan = plan.with(decision.update());
        let mut record = self.record(package, &past, promoted, &plan, compared)?;
        record.changes = plan.all_changes(&promoted.description);
        let approval = decision.approval(promoted);
        if !plan.update.is_empty() || is_news(&plan, &record.changes, &approval, &past) {
            return Ok(None);
        }
        self.announce(&plan, promoted);
        if let Some(target) = &mut record.target {
            target.set_approval(approval);
        }
        record.planned = self.promotion.dry_run.then(Vec::new);
        Ok(Some(record))
    }

    /// Compares the artifacts with their record: always before an approval, and otherwise if the folder is listed and the
    /// version is not Rejected. Whoever rejected it may have removed them.
    ///
    /// # Errors
    /// An artifact differs from its record.
    async fn compare_artifacts(
        &mut self,
        package: &Package,
        past: &Past<'_>,
        decision: &Decision,
    ) -> Result<ArtifactState> {
        let artifacts = match &self.repaired {
            Repaired::Done(restored, ..) => restored,
            Repaired::No | Repaired::Planned => &past.base().artifacts,
        };
        let recorded = (artifacts, past.base().references.as_slice());
        let (folder, purpose) = match decision.act {
            Act::Carry | Act::ApproveAgain | Act::WaitAgain => {
                let folder = self.destination.layout(package.arn()).folder();
                (Folder::list(self.promotion.target.objects(), &folder).await?, Purpose::Approval)
            }
            Act::Keep if decision.status != ApprovalStatus::Rejected => match self.folder.take() {
                Some(folder) => (folder?, Purpose::Report),
                None => return Ok(ArtifactState::NotCompared),
            },
            Act::Keep | Act::Withdraw => return Ok(ArtifactState::NotCompared),
        };
        let (artifacts, images) = tokio::try_join!(
            self.promotion.missing_artifacts(&folder, package.arn(), recorded, purpose),
            self.promotion.images_there(&past.base().images, purpose),
        )?;
        let looked_at_images = images.is_some();
        let ImagesThere { missing: images, mut untagged } = images.unwrap_or_default();
        if purpose != Purpose::Report {
            // A missing tag prevents no approval. The next run sets it.
            untagged.clear();
        }
        let missing = Missing { artifacts, images, untagged, looked_at_images };
        Ok(match missing.is_nothing() {
            // A dry run of a repair goes on: it copies them.
            true => ArtifactState::Compared { images: looked_at_images },
            _ if matches!(self.repaired, Repaired::Planned) => ArtifactState::Compared { images: false },
            _ => ArtifactState::Missing(missing),
        })
    }

    /// Withdraws a version whose other fields cannot be synced: nothing else may prevent a withdrawal. The record has no
    /// request, so that later runs still compare with the record before it.
    async fn withdraw(
        &self,
        package: &Package,
        past: &Past<'_>,
        promoted: &PromotedVersion,
        error: &anyhow::Error,
    ) -> Result<Option<Synced>> {
        let record = self.withdrawing().run(package, promoted, past.approval().as_ref()).await?;
        let recorded = !self.promotion.dry_run;
        Ok(record.map(|record| {
            let record = Box::new(not_synced_otherwise(record, error));
            Synced::Done { record, recorded, warnings: Vec::new() }
        }))
    }

    /// Compares the source, the newest record and the promoted version. An unchanged fingerprint means that the source has
    /// not changed.
    async fn changes(&self, package: &Package, past: &Past<'_>, promoted: &PromotedVersion) -> Result<SyncPlan> {
        let (before, state) = (past.base(), past.state());
        let seen = before.source.package.as_ref().map(|source| source.fingerprint.as_str());
        // Drift and conflicts are reported again in every run, until the source or the target reverts the change.
        let open = |change: &Change| matches!(change.result, ChangeResult::Drift | ChangeResult::Conflict);
        if seen == Some(package.fingerprint().as_str()) && !before.changes.iter().any(open) {
            let (request, source_uri) = (state.request.clone(), state.source_uri.map(str::to_owned));
            let now = Rewritten { request, source_uri, ..Rewritten::default() };
            return SyncPlan::of(package, &now, state, promoted);
        }
        let overrides = PackageOverrides {
            ignore_unknown_members: self.promotion.overrides.ignore_unknown_members,
            environment_urls: before.environment_urls.unwrap_or_default(),
            ..PackageOverrides::of(state.request)
        };
        let draft = Draft::of(package, self.destination.group.name(), &overrides);
        draft.findings().refuse(package.arn())?;
        let targets = before.targets(&urls_elsewhere(package, &draft.request))?;
        let mut now = Rewritten::of(package, draft, &targets)?;
        now.not_promoted = self.promotion.not_promoted(&now, before, state.request).await?;
        SyncPlan::of(package, &now, state, promoted)
    }

    /// The record of this run, with everything that the newest record has.
    fn record(
        &mut self,
        package: &Package,
        past: &Past<'_>,
        promoted: &PromotedVersion,
        plan: &SyncPlan,
        compared: Option<bool>,
    ) -> Result<Record> {
        let before = past.base();
        let mut record = self.promotion.record(Conclusion::AlreadyPromoted, package);
        let image = if compared == Some(true) { ImageFacts::compared } else { ImageFacts::recorded };
        record.images = before.images.iter().cloned().map(image).collect();
        match std::mem::replace(&mut self.repaired, Repaired::No) {
            Repaired::Done(artifacts, images, copy) => {
                (record.artifacts, record.images, record.copy) = (artifacts, images, copy.map(|copy| *copy));
            }
            Repaired::No | Repaired::Planned => {
                for artifact in before.artifacts.iter() {
                    let artifact = artifact?;
                    let facts = if compared.is_some() { artifact.compared() } else { artifact.recorded() };
                    record.artifacts.push(&facts)?;
                }
                if compared.is_none() && !before.artifacts.is_empty() {
                    record.artifacts_recorded =
                        Some(before.artifacts_recorded.clone().unwrap_or_else(|| before.ended.clone()));
                }
            }
        }
        record.other_objects = before.other_objects.copied()?;
        record.references.clone_from(&before.references);
        record.not_carried.clone_from(&before.not_carried);
        record.environment_urls = before.environment_urls;
        record.kms_key.clone_from(&before.kms_key);
        record.warnings.extend(before.warnings.iter().filter(|warning| warning.is_about_field()).cloned());
        record.set_request(&plan.request);
        record.source_uri.clone_from(&plan.source_uri);
        record.target = Some(Target::of_version(self.destination, package.arn(), promoted));
        Ok(record)
    }
}
