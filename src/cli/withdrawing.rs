//! Takes back what the source has rejected, while the promotion goes on: what was listed comes in, what was withdrawn
//! goes out, each with a record of its own beside the artifacts.

use anyhow::Result;
use futures_util::future::join_all;

use super::output::Printer;
use super::records::Records;
use super::signing::Signer;
use super::steps::{Clock, Place};
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::error::with_hints;
use crate::aws::registry::Summary;
use crate::model::arn::{GroupArn, KmsKeyArn};
use crate::model::package::Package;
use crate::plan::Warning;
use crate::record::{Conclusion, Source, Taken, Withdrawn};
use crate::register::withdrawal::{Due, Withdrawal};

/// What a withdrawal needs.
pub struct Withdrawing<'a> {
    /// The run.
    pub clock: &'a Clock,
    /// Where the versions come from.
    pub source: &'a SourceAccount,
    /// Where their copies are.
    pub target: &'a TargetAccount,
    /// The source's group.
    pub from: &'a GroupArn,
    /// The target's group, and the folder of its promotions.
    pub place: &'a Place,
    /// What encrypts the records.
    pub kms_key: Option<&'a KmsKeyArn>,
    /// What signs them.
    pub signer: Option<&'a Signer>,
    /// Who reads the source.
    pub caller: Option<&'a str>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// Where each withdrawal is announced.
    pub printer: &'a Printer,
}

/// What was taken back.
#[derive(Debug, Clone, Default)]
pub struct TakenBack {
    /// Each version.
    pub withdrawn: Vec<Withdrawn>,
    /// Copies whose source cannot be asked.
    pub unclear: Vec<Warning>,
    /// What is not certain.
    pub doubts: Vec<String>,
}

impl Withdrawing<'_> {
    /// Withdraws every copy whose source is among the rejected. One that cannot be withdrawn keeps no other from it.
    ///
    /// # Errors
    /// The first that could not be withdrawn.
    pub async fn run(&self, approved: &[Summary], rejected: &[Summary]) -> Result<TakenBack> {
        let registries = (self.source.registry(), self.target.registry());
        let due = Due::find(registries, self.from, self.place.group.name(), (approved, rejected)).await?;
        let mut taken = TakenBack { unclear: due.unclear, ..TakenBack::default() };
        for one in join_all(due.withdrawals.iter().map(|withdrawal| self.one(withdrawal))).await {
            let (withdrawn, doubt) = one?;
            taken.withdrawn.push(withdrawn);
            taken.doubts.extend(doubt);
        }
        Ok(taken)
    }

    async fn one(&self, withdrawal: &Withdrawal) -> Result<(Withdrawn, Option<String>)> {
        if self.dry_run {
            return Ok((Withdrawn::of(withdrawal, Taken::Planned), None));
        }
        withdrawal.carry_out(self.target.registry()).await?;
        let (arn, source) = (&withdrawal.own.arn, &withdrawal.source);
        self.printer.say(&format!("withdrew {arn}: its source {source} is Rejected"));
        let withdrawn = Withdrawn::of(withdrawal, Taken::Withdrawn);
        let written = self.write(withdrawal, &withdrawn).await;
        let doubt = written
            .err()
            .map(|error| format!("the record of withdrawing {arn} could not be written: {}", with_hints(&error)));
        Ok((withdrawn, doubt))
    }

    async fn write(&self, withdrawal: &Withdrawal, withdrawn: &Withdrawn) -> Result<()> {
        let (own, source) = (&withdrawal.own, &withdrawal.source);
        let package = Package::from_description(source, withdrawal.rejected.clone())?;
        let facts = Source::of(&package, self.caller.map(str::to_owned));
        let mut record = self.clock.record(Conclusion::Withdrawn, facts);
        let place = self.place.of(own, source).unwrap_or_else(|| self.place.clone());
        record.target = Some(place.target(source, Some((&own.arn, "Rejected"))));
        record.withdrawn = vec![withdrawn.clone()];
        let records = Records { target: self.target, place: &place, kms_key: self.kms_key, signer: self.signer };
        records.append(&record, self.clock).await?;
        Ok(())
    }
}
