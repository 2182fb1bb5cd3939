//! Withdraws promoted versions whose source is Rejected, and writes a record of each withdrawal.

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, stream};

use super::event::Event;
use super::promotion::Promotion;
use crate::aws::error::with_hints;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::package::Package;
use crate::plan::Warning;
use crate::record::{Conclusion, Target, WithdrawalResult, Withdrawn};
use crate::register::withdrawal::{Due, Withdrawal};

/// Concurrent withdrawals. SageMaker throttles its control plane at low rates.
const AT_ONCE: usize = 4;

/// The versions that a run has withdrawn.
#[derive(Debug, Clone, Default)]
pub(super) struct WithdrawnVersions {
    /// The versions.
    pub versions: Vec<Withdrawn>,
    /// Promoted versions whose source cannot be read.
    pub warnings: Vec<Warning>,
    /// What could not be confirmed.
    pub unconfirmed: Vec<String>,
}

impl Promotion<'_> {
    /// Withdraws every promoted version whose source is Rejected. A failure does not stop the other withdrawals.
    ///
    /// # Errors
    /// The first error of a withdrawal.
    pub(super) async fn withdraw(&self, approved: &[Summary], rejected: &[Summary]) -> Result<WithdrawnVersions> {
        let registries = (self.source.registry(), self.target.registry());
        let due = Due::find(registries, &self.group, self.destination.group.name(), (approved, rejected)).await?;
        let mut withdrawn = WithdrawnVersions { warnings: due.unclear, ..WithdrawnVersions::default() };
        let mut withdrawals = Vec::new();
        for withdrawal in &due.withdrawals {
            withdrawals.push(self.withdraw_version(withdrawal).boxed());
        }
        let outcomes: Vec<_> = stream::iter(withdrawals).buffered(AT_ONCE).collect().await;
        for outcome in outcomes {
            let (version, unconfirmed) = outcome?;
            withdrawn.versions.push(version);
            withdrawn.unconfirmed.extend(unconfirmed);
        }
        Ok(withdrawn)
    }

    async fn withdraw_version(&self, withdrawal: &Withdrawal) -> Result<(Withdrawn, Option<String>)> {
        if self.dry_run {
            return Ok((Withdrawn::of(withdrawal, WithdrawalResult::Planned), None));
        }
        withdrawal.carry_out(self.target.registry()).await?;
        let (promoted, source) = (&withdrawal.promoted.arn, &withdrawal.source);
        self.context.notice(Event::Withdrawn { promoted, source });
        let withdrawn = Withdrawn::of(withdrawal, WithdrawalResult::Withdrawn);
        let written = self.write_withdrawal(withdrawal, &withdrawn).await;
        let unconfirmed = written
            .err()
            .map(|error| format!("the record of withdrawing {promoted} could not be written: {}", with_hints(&error)));
        Ok((withdrawn, unconfirmed))
    }

    async fn write_withdrawal(&self, withdrawal: &Withdrawal, withdrawn: &Withdrawn) -> Result<()> {
        let (promoted, source) = (&withdrawal.promoted, &withdrawal.source);
        let package = Package::from_description(source, withdrawal.rejected.clone())?;
        let mut record = self.record(Conclusion::Withdrawn, &package);
        let destination = self.destination.of(promoted, source).unwrap_or_else(|| self.destination.clone());
        record.target = Some(Target::of(&destination, source, Some((&promoted.arn, ApprovalStatus::Rejected))));
        record.withdrawn = vec![withdrawn.clone()];
        self.records(&destination).append(&record).await?;
        Ok(())
    }
}
