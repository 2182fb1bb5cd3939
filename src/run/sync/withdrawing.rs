//! Withdraws a promoted version without syncing it: no record tells what was promoted, or the source cannot be read.

use anyhow::Result;

use crate::model::destination::Destination;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::record::{Conclusion, PlannedAct, PlannedWrite, Record, Target, Unconfirmed, WithdrawalResult, Withdrawn};
use crate::register::decision::{Act, ApprovalPolicy, Decision, RecordedApproval};
use crate::run::event::Event;
use crate::run::promotion::Promotion;

/// Withdraws a promoted version by its approval alone.
pub(super) struct Withdrawing<'a> {
    pub promotion: &'a Promotion<'a>,
    /// The destination that the version was promoted to.
    pub destination: &'a Destination,
    pub policy: ApprovalPolicy,
}

impl Withdrawing<'_> {
    /// Rejects the version if its source is Rejected, and writes a record without a request: the newest record with a
    /// request stays the one that later runs compare with. Returns nothing if the version is not to be withdrawn.
    ///
    /// # Errors
    /// The version could not be rejected. A record that could not be written is unconfirmed.
    pub async fn run(
        &self,
        package: &Package,
        promoted: &PromotedVersion,
        recorded: Option<&RecordedApproval>,
    ) -> Result<Option<Record>> {
        let promotion = self.promotion;
        let decision = Decision::of(package, promoted, recorded, self.policy);
        if decision.act != Act::Withdraw {
            return Ok(None);
        }
        let arn = &promoted.arn;
        let writes = vec![PlannedWrite::new(PlannedAct::Withdraw, arn)];
        promotion.permitted.check(&writes, package.arn(), arn)?;
        if promotion.dry_run {
            let mut record = self.record(package, promoted, &decision, WithdrawalResult::Planned);
            record.outcome = Conclusion::Planned;
            record.planned = Some(writes);
            return Ok(Some(record));
        }
        self.reject(package, promoted, &decision).await?;
        Ok(Some(self.write_record(package, promoted, &decision).await))
    }

    /// Rejects the version, and tells so at once: whatever fails after this, the version is withdrawn.
    ///
    /// # Errors
    /// The version could not be rejected.
    pub async fn reject(&self, package: &Package, promoted: &PromotedVersion, decision: &Decision) -> Result<()> {
        let (promotion, arn) = (self.promotion, &promoted.arn);
        decision.carry_out(promotion.target.registry(), package.arn(), arn).await?;
        promotion.context.notice(Event::Withdrawn { promoted: arn, source: package.arn() });
        Ok(())
    }

    /// Writes the record of a withdrawal that is done. A record that could not be written is unconfirmed.
    pub async fn write_record(&self, package: &Package, promoted: &PromotedVersion, decision: &Decision) -> Record {
        let mut record = self.record(package, promoted, decision, WithdrawalResult::Withdrawn);
        if let Err(error) = self.promotion.records(self.destination).append(&record).await {
            let subject = "the record could not be written beside the artifacts";
            record.add_unconfirmed([Unconfirmed::because(&error).about(subject)]);
        }
        record
    }

    fn record(
        &self,
        package: &Package,
        promoted: &PromotedVersion,
        decision: &Decision,
        result: WithdrawalResult,
    ) -> Record {
        let arn = &promoted.arn;
        let mut record = self.promotion.record(Conclusion::Withdrawn, package);
        let mut target = Target::of_version(self.destination, package.arn(), promoted);
        target.set_approval(decision.approval(promoted));
        record.target = Some(target);
        record.withdrawn = vec![Withdrawn::of(arn, package, result)];
        record
    }
}
