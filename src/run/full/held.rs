//! A run into a group that is held: it withdraws what the source rejects, and reports what it would promote.

use anyhow::{Error, Result};
use tokio::sync::watch;

use super::listed::ListedPromotions;
use super::permitted::Permitted;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::hold::{Held, Hold};
use crate::plan::{Warning, add_new};
use crate::record::{Conclusion, PlannedAct, PlannedWrite, Record, Withdrawn};
use crate::register::decision::ApprovalPolicy;
use crate::run::promotion::Promotion;
use crate::run::report::RunReport;
use crate::run::sync::follow::Following;
use crate::run::sync::followed::{FollowedVersions, Stopped};

/// Withdraws every promoted version whose source is Rejected. From then on, the promotion is a dry run.
pub(in crate::run) async fn withdraw_rejected(
    promotion: &mut Promotion<'_>,
    policy: ApprovalPolicy,
    promotions: &ListedPromotions,
    rejected: &[Summary],
) -> FollowedVersions {
    let permitted = promotion.permitted;
    promotion.permitted = permitted.only_withdrawals();
    let following = Following { promotion, policy, promotions, rejected, except: None };
    let withdrawn = following.run(&watch::channel(Some(None)).0).await;
    promotion.dry_run = true;
    // Nothing is written, so nothing has to be in a plan.
    promotion.permitted = match permitted {
        Permitted::Planned(_) => Permitted::Everything,
        permitted => permitted,
    };
    withdrawn
}

/// What a run had done with other versions before a hold stopped it.
///
/// # Errors
/// Something else has stopped the run.
pub(in crate::run) fn stopped_by_hold(error: Error) -> Result<FollowedVersions> {
    match error.downcast::<Stopped>() {
        Ok(Stopped(followed)) => Ok(followed),
        Err(error) if Held::of(&error).is_some() => Ok(FollowedVersions::default()),
        Err(error) => Err(error),
    }
}

impl RunReport {
    /// Turns approvals of other versions that a hold has stopped into warnings: what a run may not do in a held group is no
    /// failure.
    pub(in crate::run) fn without_held_failures(mut self) -> Self {
        let record = &mut self.document;
        self.failures.retain(|failure| {
            let Some(hold) = Held::of(failure) else { return true };
            record.hold.get_or_insert_with(|| hold.clone());
            add_new(&mut record.warnings, [is_held(hold)]);
            false
        });
        self
    }

    /// Adds what the same run had done with other versions before a hold stopped it.
    pub(in crate::run) fn with_earlier(mut self, earlier: FollowedVersions) -> Self {
        let record = &mut self.document;
        let withdrawn: Vec<_> = record.withdrawn.iter().map(|one| one.model_package_arn.clone()).collect();
        let is_new = |one: &Withdrawn| !withdrawn.contains(&one.model_package_arn);
        record.withdrawn.extend(earlier.withdrawn.into_iter().filter(is_new));
        record.withdrawn.sort_by_key(|one| one.version);
        record
            .followed
            .retain(|one| !earlier.followed.iter().any(|other| other.model_package_arn == one.model_package_arn));
        record.followed.extend(earlier.followed);
        add_new(&mut record.warnings, earlier.warnings);
        record.add_unconfirmed(earlier.unconfirmed);
        self.failures.extend(earlier.failures);
        self
    }
}

fn is_held(hold: &Hold) -> Warning {
    let remark = format!("it is held since {} by {}: {}", hold.since, hold.by, hold.reason);
    Warning { field: hold.target_model_package_group_arn.to_string(), remark }
}

/// The report of a dry run as the report of a run into a group that is held.
pub(in crate::run) fn as_held(
    mut report: RunReport,
    hold: Hold,
    withdrawn: FollowedVersions,
    dry_run: bool,
) -> RunReport {
    let record = &mut report.document;
    record.warnings.push(is_held(&hold));
    record.warnings.extend(pending(record));
    record.hold = Some(hold);
    if dry_run {
        return report;
    }
    record.outcome = Conclusion::Held;
    record.withdrawn = withdrawn.withdrawn;
    record.add_unconfirmed(withdrawn.unconfirmed);
    report.failures.extend(withdrawn.failures);
    report
}

/// Says of a version that was registered before its group was held that it is pending, and whether a run approves it.
fn pending(record: &Record) -> Option<Warning> {
    let target = record.target.as_ref()?;
    target.approval_status.as_ref().filter(|status| **status == ApprovalStatus::PendingManualApproval)?;
    let field = target.model_package_arn.as_ref()?.to_string();
    let is_due = |write: &PlannedWrite| write.act == PlannedAct::Approve && write.subject == field;
    let after = if record.planned.iter().flatten().any(is_due) {
        "the next run after `promote release` approves it. If it has no record and was modified more than a minute after \
         its registration, approve it in the target account instead"
    } else if record.warnings.iter().any(|warning| warning.field == field) {
        return None;
    } else {
        "a run with the same settings does not approve it"
    };
    Some(Warning { remark: format!("it is registered and pending approval; {after}"), field })
}
