//! Carries out the Update of a sync.

use anyhow::{Context, Result, ensure};

use super::event::Event;
use super::sync::Syncing;
use crate::aws::error::with_hints;
use crate::model::field::Document;
use crate::model::promoted::PromotedVersion;
use crate::record::{Record, Withdrawn};
use crate::register::decision::{Act, Decision, RecordedApproval, not_withdrawn};
use crate::register::describe_updated;
use crate::register::sync::SyncPlan;

impl Syncing<'_> {
    /// Sends the Update, if there is one, and writes the record.
    ///
    /// # Errors
    /// The Update fails. A record that could not be written is unconfirmed.
    pub(super) async fn carry_out(
        &self,
        plan: &SyncPlan,
        decision: &Decision,
        promoted: &PromotedVersion,
        record: &mut Record,
    ) -> Result<()> {
        let mut unconfirmed = Vec::new();
        if !plan.update.is_empty() {
            self.update(plan, decision, promoted, record, &mut unconfirmed).await?;
        }
        let records = self.promotion.records(self.destination);
        record.unconfirmed = (!unconfirmed.is_empty()).then(|| unconfirmed.join("; "));
        if let Err(error) = records.append(record).await {
            unconfirmed.push(with_hints(&error));
            record.unconfirmed = Some(unconfirmed.join("; "));
        }
        Ok(())
    }

    /// Sends the Update, and describes the version after it.
    async fn update(
        &self,
        plan: &SyncPlan,
        decision: &Decision,
        promoted: &PromotedVersion,
        record: &mut Record,
        unconfirmed: &mut Vec<String>,
    ) -> Result<()> {
        let registry = self.promotion.target.registry();
        let act = || match record.withdrawn.first() {
            Some(withdrawn) => {
                format!("withdrawing {}, whose source {} is Rejected", promoted.arn, withdrawn.source_model_package_arn)
            }
            None => format!("syncing {}", promoted.arn),
        };
        registry.update(&promoted.arn, &plan.update).await.with_context(act)?;
        if let Some(Withdrawn { source_model_package_arn: source, .. }) = record.withdrawn.first() {
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
                    let fields = missing.join(" and ");
                    unconfirmed.push(format!("after the update, {fields} differs from the value that was set"));
                }
                record.changes = plan.all_changes(&after.description);
                if let Some(target) = &mut record.target {
                    target.set_approval(RecordedApproval {
                        status: after.approval(),
                        description: after.approval_description().map(str::to_owned),
                        decided_by: decision.decided_by,
                    });
                }
            }
            Err(error) => {
                let error = with_hints(&error.into());
                unconfirmed.push(format!("the state of the version after the update could not be read: {error}"));
            }
        }
        Ok(())
    }
}
