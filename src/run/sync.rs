//! Syncs a promoted version with its source: approval, metadata and added specifications.

use anyhow::Result;

use super::event::Event;
use super::promotion::Promotion;
use crate::aws::error::with_hints;
use crate::copy::There;
use crate::model::approval::{Approval, ApprovalStatus};
use crate::model::destination::Destination;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::draft::Draft;
use crate::plan::rewriting::Rewritten;
use crate::plan::urls_elsewhere;
use crate::record::history::History;
use crate::record::{Conclusion, Record, Target};
use crate::register::sync::{ChangeResult, SyncPlan};

/// Syncs a promoted version with its source.
pub(super) struct Syncing<'a> {
    pub promotion: &'a Promotion<'a>,
    /// The destination that the version was promoted to.
    pub destination: &'a Destination,
    /// Who approves a version that is pending approval.
    pub approval: Approval,
}

impl Syncing<'_> {
    /// Syncs the promoted version with one Update. Returns nothing if the version has no record, or if it is to be
    /// approved and one of its artifacts is missing: then it has to be promoted again.
    ///
    /// # Errors
    /// The Update fails, or AWS would reject it.
    pub async fn run(
        &self,
        package: &Package,
        history: &History,
        promoted: &PromotedVersion,
    ) -> Result<Option<Record>> {
        let Some(past) = history.past(&promoted.arn) else { return Ok(None) };
        let before = past.base();
        let decided = Decision::of(package, promoted, past.approval(), self.approval);
        if decided.is_some() && !self.has_all(package, before).await? {
            return Ok(None);
        }
        let mut plan = self.changes(package, before, promoted)?;
        if let Some(Decision { status, reason, .. }) = &decided {
            plan = plan.deciding(status, reason.as_deref());
        }
        let mut record = self.promotion.record(Conclusion::AlreadyPromoted, package);
        for artifact in before.artifacts.iter() {
            record.artifacts.push(&artifact?.recorded())?;
        }
        record.references.clone_from(&before.references);
        record.not_carried.clone_from(&before.not_carried);
        record.warnings.extend(before.warnings.iter().cloned());
        record.request = if plan.request.is_empty() { before.request.clone() } else { Some(plan.request.clone()) };
        record.source_uri.clone_from(&before.source_uri);
        record.target = Some(Target::of(self.destination, package.arn(), Some((&promoted.arn, promoted.approval()))));
        self.announce_drift(&plan, promoted);
        match (plan.update.is_empty(), self.promotion.dry_run) {
            (true, _) => record.changes = plan.changes,
            (false, true) => {
                record.outcome = Conclusion::Planned;
                record.changes = plan.planned();
            }
            (false, false) => {
                record.outcome = decided.map_or(Conclusion::Updated, |decided| decided.outcome);
                self.update(&plan, promoted, &mut record).await?;
            }
        }
        Ok(Some(record))
    }

    /// Whether every artifact of the promotion exists in the target and was not replaced.
    async fn has_all(&self, package: &Package, before: &Record) -> Result<bool> {
        let there = There::look(self.promotion.target.objects(), &self.destination.layout(package.arn())).await?;
        for artifact in before.artifacts.iter() {
            let artifact = artifact?;
            if !there.has(&artifact.target, artifact.bytes, artifact.target_etag.as_deref())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compares the source with the newest record. An unchanged fingerprint means that there are no changes.
    fn changes(&self, package: &Package, before: &Record, promoted: &PromotedVersion) -> Result<SyncPlan> {
        let Some(request) = &before.request else { return Ok(SyncPlan::default()) };
        let seen = before.source.package.as_ref().map(|source| source.fingerprint.as_str());
        // Drift is reported again in every run, until the source reverts the change.
        let drifted = before.changes.iter().any(|change| change.result == ChangeResult::Drift);
        if seen == Some(package.fingerprint().as_str()) && !drifted {
            return Ok(SyncPlan::default());
        }
        let draft = Draft::of(package, self.destination.group.name(), self.promotion.overrides)?;
        let targets = before.targets(&urls_elsewhere(package, &draft.request))?;
        let now = Rewritten::of(package, draft, &targets)?;
        SyncPlan::of(package, &now, request, promoted)
    }

    fn announce_drift(&self, plan: &SyncPlan, promoted: &PromotedVersion) {
        let fields: Vec<&str> = plan.drift().map(|change| change.field.as_str()).collect();
        if !fields.is_empty() {
            self.promotion.context.notice(Event::Drifted { promoted: &promoted.arn, fields: &fields });
        }
    }

    async fn update(&self, plan: &SyncPlan, promoted: &PromotedVersion, record: &mut Record) -> Result<()> {
        self.promotion.target.registry().update(&promoted.arn, &plan.update).await?;
        record.changes = plan.changes.clone();
        let mut unconfirmed = Vec::new();
        match self.promotion.target.registry().describe(&promoted.arn).await {
            Ok(description) => {
                let after = PromotedVersion { arn: promoted.arn.clone(), description };
                unconfirmed.extend(not_as_set(plan, promoted, &after));
                if let Some(target) = &mut record.target {
                    target.approval_status = Some(after.approval());
                }
            }
            Err(error) => {
                let error = with_hints(&error.into());
                unconfirmed.push(format!("the state of the version after the update could not be read: {error}"));
            }
        }
        let records = self.promotion.records(self.destination);
        record.unconfirmed = (!unconfirmed.is_empty()).then(|| unconfirmed.join("; "));
        if let Err(error) = records.append(record).await {
            unconfirmed.push(format!("the record could not be written beside the artifacts: {}", with_hints(&error)));
            record.unconfirmed = Some(unconfirmed.join("; "));
        }
        Ok(())
    }
}

/// The approval status that a sync sets.
struct Decision {
    status: ApprovalStatus,
    reason: Option<String>,
    outcome: Conclusion,
}

impl Decision {
    /// Decides about withdrawn versions whose source is Approved again, and about pending versions if the source's
    /// approval is carried over. A decision of somebody in the target account is kept, also if they set a version that
    /// was `recorded` as Approved to pending.
    fn of(
        package: &Package,
        promoted: &PromotedVersion,
        recorded: Option<&ApprovalStatus>,
        approval: Approval,
    ) -> Option<Self> {
        let source = package.approval();
        // Without a reason, the Update would keep the reason of the withdrawal.
        let again = || format!("promote: {} is {source} again", package.arn());
        let carried = package.text("ApprovalDescription").map(str::to_owned);
        let suspended = recorded == Some(&ApprovalStatus::Approved);
        let (status, reason, outcome) = match (approval, promoted.approval()) {
            (Approval::Carry, ApprovalStatus::PendingManualApproval)
                if source != ApprovalStatus::PendingManualApproval && !suspended =>
            {
                (source.clone(), carried, Conclusion::Promoted)
            }
            (Approval::Carry, _) if promoted.is_withdrawn() && source == ApprovalStatus::Approved => {
                (source.clone(), carried.or_else(|| Some(again())), Conclusion::ApprovedAgain)
            }
            (Approval::Pending, _) if promoted.is_withdrawn() && source == ApprovalStatus::Approved => {
                (ApprovalStatus::PendingManualApproval, Some(again()), Conclusion::ApprovedAgain)
            }
            _ => return None,
        };
        Some(Self { status, reason, outcome })
    }
}

fn not_as_set(plan: &SyncPlan, promoted: &PromotedVersion, after: &PromotedVersion) -> Option<String> {
    let mut missing = plan.missing(&after.description);
    let status = ApprovalStatus::stated(&plan.update).unwrap_or(promoted.approval());
    if after.approval() != status {
        missing.push("ModelApprovalStatus".into());
    }
    (!missing.is_empty())
        .then(|| format!("after the update, {} differs from the value that was set", missing.join(" and ")))
}
