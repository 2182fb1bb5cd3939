//! Carries out the Update of a sync.

use anyhow::{Context, Result, ensure};

use super::Syncing;
use super::intact::is_updated;
use super::synced::{Update, not_synced_otherwise, planned_changes};
use super::withdrawing::Withdrawing;
use crate::aws::error::{CallError, Kind};
use crate::model::field::Document;
use crate::model::promoted::PromotedVersion;
use crate::model::words::listed;
use crate::plan::Warning;
use crate::record::history::Past;
use crate::record::{Conclusion, Record, Unconfirmed, Withdrawn};
use crate::register::decision::{Act, not_withdrawn};
use crate::register::describe_updated;
use crate::register::sync::{ChangeResult, SyncPlan};
use crate::run::event::Event;

impl Syncing<'_> {
    pub(super) fn withdrawing(&self) -> Withdrawing<'_> {
        Withdrawing { promotion: self.promotion, destination: self.destination, policy: self.policy }
    }

    /// Carries out what a sync has decided, and writes its records. Returns warnings of places where no hold can be looked
    /// for.
    ///
    /// # Errors
    /// An Update fails, or the record before it cannot be written. After a withdrawal, this is unconfirmed.
    pub(super) async fn write(&self, update: Update<'_>, record: &mut Record) -> Result<Vec<Warning>> {
        let Update { package, promoted, decision, .. } = update;
        if !update.withdraws_first() {
            return self.update_and_record(update, record).await;
        }
        let withdrawing = self.withdrawing();
        withdrawing.reject(package, promoted, decision).await?;
        if let Err(error) = self.update_and_record(update, record).await {
            *record = not_synced_otherwise(withdrawing.write_record(package, promoted, decision).await, &error);
        }
        Ok(Vec::new())
    }

    async fn update_and_record(&self, update: Update<'_>, record: &mut Record) -> Result<Vec<Warning>> {
        let Update { past, promoted, plan, signatures, .. } = update;
        if plan.request != *past.state().request {
            signatures.refuse_missing(&promoted.arn)?;
        }
        self.announce_update(plan, past, record).await?;
        let (warnings, is_made) = self.look_again(update).await?;
        self.carry_out(update, is_made, record).await?;
        Ok(warnings)
    }

    /// Looks again right before an Update, because comparing the artifacts may have taken hours: at the promoted version, at
    /// its source before it is approved or set back to pending, and at the holds of the group before an approval. Nothing
    /// prevents a withdrawal. Also returns whether a concurrent run has made the same Update.
    ///
    /// # Errors
    /// Somebody has changed a version since, or the group is held.
    async fn look_again(&self, update: Update<'_>) -> Result<(Vec<Warning>, bool)> {
        let act = update.decision.act;
        if update.plan.update.is_empty() || act == Act::Withdraw && !update.withdraws_first() {
            return Ok((Vec::new(), false));
        }
        let held = async {
            match act {
                Act::Carry | Act::ApproveAgain => self.promotion.refuse_held(self.destination.promotions()).await,
                Act::Keep | Act::WaitAgain | Act::Withdraw => Ok(Vec::new()),
            }
        };
        let (changed, held) = tokio::join!(self.promotion.refuse_changed(update), held);
        let is_made = changed?;
        Ok((held?, is_made))
    }

    /// Writes the record of an Update of fields before the Update: a killed run leaves a record of what it has changed.
    async fn announce_update(&self, plan: &SyncPlan, past: &Past<'_>, record: &mut Record) -> Result<()> {
        let newest = past.newest();
        let is_written = newest.outcome == Conclusion::Updating && newest.request == record.request;
        if plan.request == *past.state().request || is_written {
            return Ok(());
        }
        let (outcome, target) = (record.outcome, record.target.clone());
        let before = planned_changes(&record.changes);
        let changes = std::mem::replace(&mut record.changes, before);
        record.outcome = Conclusion::Updating;
        if let Some(target) = &mut record.target {
            (target.approval_status, target.approval_description, target.decided_by) = (None, None, None);
        }
        let written = self.promotion.records(self.destination).announce(record).await;
        (record.outcome, record.target, record.changes) = (outcome, target, changes);
        written.context("the record could not be written, so no field was updated")?;
        record.ended = self.promotion.started.now();
        Ok(())
    }

    /// Sends the Update, if there is one, and writes the record. A record that could not be written is unconfirmed.
    async fn carry_out(&self, update: Update<'_>, is_made: bool, record: &mut Record) -> Result<()> {
        if !update.plan.update.is_empty() {
            self.update(update, is_made, record).await?;
        }
        let records = self.promotion.records(self.destination);
        if let Err(error) = records.append(record).await {
            record.add_unconfirmed([Unconfirmed::because(&error)]);
        }
        Ok(())
    }

    /// Sends the UpdateModelPackage request. If a concurrent run has already made the same update, sends it without the
    /// inference specifications, which the version has by then.
    async fn send(&self, update: Update<'_>, is_made: bool) -> Result<(), CallError> {
        let registry = self.promotion.target.registry();
        let Update { promoted: PromotedVersion { arn, .. }, plan, .. } = update;
        let rest = plan.without_additions();
        let adds = rest.len() < plan.update.len();
        if !is_made {
            match registry.update(arn, &plan.update).await {
                Err(error) if adds && matches!(error.kind, Kind::Invalid | Kind::AlreadyExists) => {
                    let is_made = |now: &Document| is_updated(update, now);
                    match describe_updated(registry, arn, is_made).await {
                        Ok(now) if is_made(&now) => {}
                        _ => return Err(error),
                    }
                }
                done => return done,
            }
        }
        registry.update(arn, &rest).await
    }

    /// Sends the Update, and describes the version after it.
    async fn update(&self, update: Update<'_>, is_made: bool, record: &mut Record) -> Result<()> {
        let Update { promoted, plan, decision, .. } = update;
        let registry = self.promotion.target.registry();
        let act = || match record.withdrawn.first() {
            Some(withdrawn) => {
                format!("withdrawing {}, whose source {} is Rejected", promoted.arn, withdrawn.source_model_package_arn)
            }
            None => format!("syncing {}", promoted.arn),
        };
        self.send(update, is_made).await.with_context(act)?;
        if let Some(Withdrawn { source_model_package_arn: source, .. }) = record.withdrawn.first()
            && !update.withdraws_first()
        {
            self.promotion.context.notice(Event::Withdrawn { promoted: &promoted.arn, source });
        }
        let is_shown =
            |described: &Document| plan.missing(described).is_empty() && decision.missing(described).is_empty();
        match describe_updated(registry, &promoted.arn, is_shown).await {
            Ok(description) => {
                let after = PromotedVersion { arn: promoted.arn.clone(), description };
                if decision.act == Act::Withdraw {
                    ensure!(after.approval() == decision.status, not_withdrawn(&promoted.arn, &after.approval()));
                }
                let mut missing = plan.missing(&after.description);
                missing.extend(decision.missing(&after.description).into_iter().map(str::to_owned));
                if !missing.is_empty() {
                    let fields = listed(&missing);
                    let verb = if missing.len() == 1 { "differs" } else { "differ" };
                    let differs = format!("after the update, {fields} {verb} from what was set");
                    record.add_unconfirmed([differs.into()]);
                }
                record.changes = plan.all_changes(&after.description);
                if let Some(target) = &mut record.target {
                    target.set_approval(decision.approval_after(&after));
                }
            }
            Err(error) => {
                let unread = Unconfirmed::because(&error.into());
                record.add_unconfirmed([unread.about("the state of the version after the update could not be read")]);
            }
        }
        Ok(())
    }

    /// Tells which fields somebody in the target account has changed.
    pub(super) fn announce(&self, plan: &SyncPlan, promoted: &PromotedVersion) {
        let (context, promoted) = (self.promotion.context, &promoted.arn);
        let fields = |result| plan.left(result).map(|change| change.field.as_str()).collect::<Vec<_>>();
        let (drift, conflicts) = (fields(ChangeResult::Drift), fields(ChangeResult::Conflict));
        if !drift.is_empty() {
            context.notice(Event::Drifted { promoted, fields: &drift });
        }
        if !conflicts.is_empty() {
            context.notice(Event::Conflicting { promoted, fields: &conflicts });
        }
    }
}
