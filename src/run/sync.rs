//! Syncs a version that was promoted before with its source: approval, metadata, added specifications.

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
use crate::plan::rewriting::{Rewritten, urls_elsewhere};
use crate::record::history::History;
use crate::record::{Conclusion, Record, Target};
use crate::register::sync::{Renewal, Renewed};

/// Syncs a version that was promoted before.
pub(super) struct Syncing<'a> {
    pub promotion: &'a Promotion<'a>,
    /// Where the version was promoted to.
    pub destination: &'a Destination,
    /// Who approves a version that waits for an approval.
    pub approval: Approval,
}

impl Syncing<'_> {
    /// Brings the copy up to date, in one Update; `record` is the document that the outcome goes into. Answers nothing
    /// when the copy is to be approved again and one of its artifacts is not there: then it has to be promoted again.
    ///
    /// # Errors
    /// The Update fails, or AWS would refuse it.
    pub async fn run(&self, package: &Package, history: &History, own: &PromotedVersion) -> Result<Option<Record>> {
        let Some(before) = history.past(&own.arn).map(|past| past.base()) else { return Ok(None) };
        let decided = Decision::of(package, own, self.approval);
        if decided.is_some() && !self.has_all(package, before).await? {
            return Ok(None);
        }
        let mut renewal = self.changes(package, before, own)?;
        if let Some(Decision { status, reason, .. }) = &decided {
            renewal = renewal.deciding(status, reason);
        }
        let mut record = self.promotion.record(Conclusion::AlreadyPromoted, package);
        for artifact in before.artifacts.iter() {
            record.artifacts.push(&artifact?.found_again())?;
        }
        record.references.clone_from(&before.references);
        record.not_carried.clone_from(&before.not_carried);
        record.warnings.extend(before.warnings.iter().cloned());
        record.request =
            if renewal.request.is_empty() { before.request.clone() } else { Some(renewal.request.clone()) };
        record.source_uri.clone_from(&before.source_uri);
        record.target = Some(Target::of(self.destination, package.arn(), Some((&own.arn, own.approval()))));
        self.announce_drift(&renewal, own);
        match (renewal.update.is_empty(), self.promotion.dry_run) {
            (true, _) => record.changes = renewal.changes,
            (false, true) => {
                record.outcome = Conclusion::Planned;
                record.changes = renewal.planned();
            }
            (false, false) => {
                record.outcome = decided.map_or(Conclusion::Updated, |decided| decided.outcome);
                self.update(&renewal, own, &mut record).await?;
            }
        }
        Ok(Some(record))
    }

    /// Whether every artifact of the promotion is at the target.
    async fn has_all(&self, package: &Package, before: &Record) -> Result<bool> {
        let there = There::look(self.promotion.target.objects(), &self.destination.layout(package.arn())).await?;
        for artifact in before.artifacts.iter() {
            let artifact = artifact?;
            if !there.has(&artifact.target, artifact.bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A source that is as it was has changed nothing.
    fn changes(&self, package: &Package, before: &Record, own: &PromotedVersion) -> Result<Renewal> {
        let Some(request) = &before.request else { return Ok(Renewal::default()) };
        let seen = before.source.package.as_ref().map(|source| source.fingerprint.as_str());
        // Drift is reported until the source takes it back.
        let drifted = before.changes.iter().any(|change| change.result == Renewed::Drift);
        if seen == Some(package.fingerprint().as_str()) && !drifted {
            return Ok(Renewal::default());
        }
        let draft = Draft::of(package, self.destination.group.name(), self.promotion.overrides)?;
        let targets = before.targets(&urls_elsewhere(package, &draft.request))?;
        let now = Rewritten::of(package, draft, &targets)?;
        Renewal::of(package, &now, request, own)
    }

    fn announce_drift(&self, renewal: &Renewal, own: &PromotedVersion) {
        let fields: Vec<&str> = renewal.drift().map(|change| change.field.as_str()).collect();
        if !fields.is_empty() {
            self.promotion.context.notice(Event::Drifted { promoted: &own.arn, fields: &fields });
        }
    }

    async fn update(&self, renewal: &Renewal, own: &PromotedVersion, record: &mut Record) -> Result<()> {
        self.promotion.target.registry().update(&own.arn, &renewal.update).await?;
        record.changes = renewal.changes.clone();
        let mut unconfirmed = Vec::new();
        match self.promotion.target.registry().describe(&own.arn).await {
            Ok(description) => {
                let after = PromotedVersion { arn: own.arn.clone(), description };
                unconfirmed.extend(not_as_set(renewal, own, &after));
                if let Some(target) = &mut record.target {
                    target.approval_status = Some(after.approval());
                }
            }
            Err(error) => {
                let error = with_hints(&error.into());
                unconfirmed.push(format!("its state after the update could not be read back: {error}"));
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

/// An approval that the copy waits for.
struct Decision {
    status: ApprovalStatus,
    reason: String,
    outcome: Conclusion,
}

impl Decision {
    /// What was withdrawn waits for its source to be approved again, what was left pending for a run that carries the
    /// approval. What somebody in the target account has decided stays.
    fn of(package: &Package, own: &PromotedVersion, approval: Approval) -> Option<Self> {
        let source = package.approval();
        // Without a reason, the text that it was withdrawn with would stay.
        let again = || format!("promote: {} is {source} again", package.arn());
        let reason = || package.text("ApprovalDescription").map_or_else(&again, str::to_owned);
        let (status, reason, outcome) = match (approval, own.approval()) {
            (Approval::Carry, ApprovalStatus::PendingManualApproval)
                if source != ApprovalStatus::PendingManualApproval =>
            {
                (source.clone(), reason(), Conclusion::Promoted)
            }
            (Approval::Carry, _) if own.is_withdrawn() && source == ApprovalStatus::Approved => {
                (source.clone(), reason(), Conclusion::ApprovedAgain)
            }
            (Approval::Pending, _) if own.is_withdrawn() && source == ApprovalStatus::Approved => {
                (ApprovalStatus::PendingManualApproval, again(), Conclusion::ApprovedAgain)
            }
            _ => return None,
        };
        Some(Self { status, reason, outcome })
    }
}

fn not_as_set(renewal: &Renewal, own: &PromotedVersion, after: &PromotedVersion) -> Option<String> {
    let mut missing = renewal.missing(&after.description);
    let status = ApprovalStatus::stated(&renewal.update).unwrap_or(own.approval());
    if after.approval() != status {
        missing.push("ModelApprovalStatus".into());
    }
    (!missing.is_empty()).then(|| format!("after the update, {} is not as it was set", missing.join(" and ")))
}
