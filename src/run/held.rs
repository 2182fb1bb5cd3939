//! A run into a group that is held: it withdraws what the source rejects, and reports what it would promote.

use tokio::sync::watch;

use super::follow::Following;
use super::followed::FollowedVersions;
use super::listed::Promotions;
use super::permitted::Permitted;
use super::promotion::Promotion;
use super::report::RunReport;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::hold::Hold;
use crate::plan::Warning;
use crate::record::{Conclusion, Record};
use crate::register::decision::ApprovalPolicy;

/// Withdraws every promoted version whose source is Rejected. From then on, the promotion is a dry run.
pub(super) async fn withdraw_rejected(
    promotion: &mut Promotion<'_>,
    policy: ApprovalPolicy,
    promotions: &Promotions,
    rejected: &[Summary],
) -> FollowedVersions {
    let permitted = std::mem::replace(&mut promotion.permitted, Permitted::Withdrawals);
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

/// The report of a dry run as the report of a run into a group that is held.
pub(super) fn as_held(mut report: RunReport, hold: Hold, withdrawn: FollowedVersions, dry_run: bool) -> RunReport {
    let record = &mut report.document;
    let remark = format!("it is held since {} by {}: {}", hold.since, hold.by, hold.reason);
    record.warnings.push(Warning { field: hold.target_model_package_group_arn.to_string(), remark });
    record.warnings.extend(pending(record));
    record.hold = Some(hold);
    if dry_run {
        return report;
    }
    record.outcome = Conclusion::Held;
    // It is not a plan that can be carried out.
    record.plan = None;
    record.withdrawn = withdrawn.withdrawn;
    let unconfirmed: Vec<String> = record.unconfirmed.take().into_iter().chain(withdrawn.unconfirmed).collect();
    record.unconfirmed = (!unconfirmed.is_empty()).then(|| unconfirmed.join("; "));
    report.failures.extend(withdrawn.failures);
    report
}

/// Says of a version that was registered before its group was held that it is pending.
fn pending(record: &Record) -> Option<Warning> {
    let target = record.target.as_ref()?;
    target.approval_status.as_ref().filter(|status| **status == ApprovalStatus::PendingManualApproval)?;
    let field = target.model_package_arn.as_ref()?.to_string();
    let remark = "it is registered and pending approval; a run after `promote release` completes it".to_owned();
    Some(Warning { field, remark })
}
