//! Rejects one promoted version in a rollback, and records that.

use anyhow::{Context as _, Error, Result};

use super::rollback::{Rollback, RollbackReport};
use crate::aws::error::{CallError, with_hints};
use crate::model::approval::{ApprovalStatus, DecidedBy};
use crate::model::failure::{Failure, cause};
use crate::model::field::Document;
use crate::model::hold::Hold;
use crate::model::promoted::PromotedVersion;
use crate::record::files::Records;
use crate::record::recorded::{Look, recorded};
use crate::record::{Conclusion, Target};
use crate::register::decision::{RecordedApproval, approval_update, remark};
use crate::register::describe_updated;
use crate::run::event::Event;

/// When a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recording {
    Always,
    IfMissing,
}

/// The approval description of the versions that a rollback rejects.
fn reason(report: &RollbackReport) -> String {
    let Hold { by, reason, .. } = &report.hold;
    remark(&format!("promote: rolled back to version {} by {by}: ", report.to.version()), reason)
}

impl Rollback<'_> {
    /// Rejects a version, and records that.
    pub(super) async fn reject(&self, version: &PromotedVersion, report: &mut RollbackReport) -> Result<()> {
        let (registry, arn) = (self.target.registry(), &version.arn);
        let description = reason(report);
        let context = || format!("rejecting {arn}");
        let rejected = ApprovalStatus::Rejected;
        registry.update(arn, &approval_update(&rejected, Some(&description))).await.with_context(context)?;
        let is_shown = |described: &Document| ApprovalStatus::of(described) == rejected;
        let described = describe_updated(registry, arn, is_shown).await.with_context(context)?;
        let status = ApprovalStatus::of(&described);
        anyhow::ensure!(
            status == rejected,
            Failure::new(format!("{arn} is {status} after it was rejected: somebody else changed it"))
                .hint("Run again")
        );
        self.context.notice(Event::RolledBack(arn));
        if let Err(error) = self.record(version, description, Recording::Always).await {
            self.tell_unrecorded(version, &error, report);
        }
        Ok(())
    }

    /// Records the rejection by a run of the same rollback that was killed before its record.
    pub(super) async fn complete_record(&self, version: &PromotedVersion, report: &mut RollbackReport) {
        let description = reason(report);
        if version.approval() != ApprovalStatus::Rejected || version.approval_description() != Some(&description) {
            return;
        }
        if let Err(error) = self.record(version, description, Recording::IfMissing).await {
            self.tell_unrecorded(version, &error, report);
        }
    }

    /// The records of a bucket that was deleted are gone, so a run again could not confirm the rejection either.
    fn tell_unrecorded(&self, version: &PromotedVersion, error: &Error, report: &mut RollbackReport) {
        let (arn, bucket) = (&version.arn, self.place.of(version).bucket);
        let is_gone = cause::<CallError>(error).is_some_and(|call| call.code.as_deref() == Some("NoSuchBucket"));
        if is_gone && self.settings.hold.bucket.as_ref() != Some(&bucket) {
            let warning = format!("the rejection of {arn} is not recorded: the bucket {bucket} does not exist");
            if !report.warnings.contains(&warning) {
                report.warnings.push(warning);
            }
            return;
        }
        report.unconfirmed.push(format!("{arn}: {}", with_hints(error)));
    }

    async fn record(&self, version: &PromotedVersion, description: String, recording: Recording) -> Result<()> {
        let (target, destination) = (self.target, &self.place.of(version));
        let source = version.source().context("the version was promoted")?;
        let found = recorded(target, destination, &source, Look::AtRecords).await?;
        // A run that was killed before its record has left none; the next run records what it finds.
        let Some(past) = found.as_ref().and_then(|found| found.history.past(version)) else { return Ok(()) };
        if recording == Recording::IfMissing && past.newest().outcome == Conclusion::RolledBack {
            return Ok(());
        }
        let mut record =
            self.started.record(Conclusion::RolledBack, past.newest().source.clone(), self.context.build.as_ref());
        let mut of = Target::of_version(destination, &source, version);
        let (status, description) = (ApprovalStatus::Rejected, Some(description));
        of.set_approval(RecordedApproval { status, description, decided_by: DecidedBy::Target });
        record.target = Some(of);
        let kms_key = self.settings.hold.kms_key.as_ref();
        Records { target, destination, kms_key, signer: self.signer }.append(&record).await.map(drop)
    }
}
