//! The first line of a record: the greatest effect of the run.

use std::collections::BTreeMap;

use crate::model::approval::ApprovalStatus;
use crate::model::words::counted;
use crate::plan::find::Versions;
use crate::record::{Conclusion, FollowResult, PlannedWrite, Record, Unconfirmed};
use crate::run::RunReport;

/// The first line: what the run has changed, the greatest effect first.
pub(super) fn headline(record: &Record) -> String {
    // A run into a held group has withdrawn versions, although it has promoted nothing.
    if let Some(planned) = record.planned.as_ref().filter(|_| record.outcome != Conclusion::Held) {
        return dry_run(record, planned);
    }
    let of = |result: FollowResult| record.followed.iter().filter(move |one| one.result == result).count();
    let own = record.target.as_ref().and_then(|target| target.model_package_arn.as_ref());
    let others = record.withdrawn.iter().filter(|one| Some(&one.model_package_arn) != own).count();
    let effects = [
        (0, others, "withdrew", "", ", because the source is Rejected"),
        (1, of(FollowResult::ApprovedAgain), "approved", " again", ""),
        (1, of(FollowResult::WaitsAgain), "set", " back to pending", ""),
        (3, of(FollowResult::Approved), "approved", "", ""),
        (5, of(FollowResult::Updated), "updated", "", ""),
        (6, of(FollowResult::Held), "did not approve", "", ", because the group is held"),
        (6, of(FollowResult::Failed), "could not sync", "", ""),
    ];
    let effects = effects.into_iter().filter(|(_, count, ..)| *count > 0);
    let effects = effects
        .map(|(rank, count, act, again, why)| (rank, format!("{act} {}{again}{why}", counted(count, "version"))));
    // `promote withdraw` is about no version of its own.
    let has_own = record.outcome != Conclusion::Withdrawn || own.is_some();
    let own = has_own.then(|| (rank(record.outcome), outcome(record)));
    let mut parts: Vec<(u8, String)> = own.into_iter().chain(effects).collect();
    parts.sort_by_key(|(rank, _)| *rank);
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")
}

/// The place of an outcome among the effects of a run, in the order of the writes of a dry run.
fn rank(outcome: Conclusion) -> u8 {
    match outcome {
        Conclusion::Withdrawn | Conclusion::NotWithdrawn | Conclusion::RolledBack => 0,
        Conclusion::ApprovedAgain | Conclusion::WaitsAgain => 1,
        Conclusion::Promoted => 2,
        Conclusion::Copied | Conclusion::Repaired => 4,
        Conclusion::Updating | Conclusion::Updated => 5,
        Conclusion::Found
        | Conclusion::AlreadyPromoted
        | Conclusion::NothingApproved
        | Conclusion::NothingToWithdraw
        | Conclusion::Held
        | Conclusion::Planned => 7,
    }
}

fn dry_run(record: &Record, writes: &[PlannedWrite]) -> String {
    const NOTHING_WRITTEN: &str = "dry run, nothing was written";
    match (writes.first(), record.outcome) {
        (Some(write), _) if writes.len() == 1 => {
            format!("{NOTHING_WRITTEN}: would {write}")
        }
        (Some(write), _) => {
            let others = if writes.len() == 2 {
                "1 other write".to_owned()
            } else {
                format!("{} other writes", writes.len() - 1)
            };
            format!("{NOTHING_WRITTEN}: would {write}, and {others}")
        }
        (None, Conclusion::Planned) => NOTHING_WRITTEN.into(),
        (None, _) => format!("{NOTHING_WRITTEN}: {}", outcome(record)),
    }
}

/// The next step if no version of the source group is approved.
const APPROVE: &str = "Approve a version in the source account, or name one with `--package-version`";

/// The outcome for the version that the run promotes.
fn outcome(record: &Record) -> String {
    match record.outcome {
        Conclusion::Found => "found".into(),
        Conclusion::Copied => "copied: every artifact is in the target and verified".into(),
        Conclusion::Promoted => match approval(record) {
            Some(ApprovalStatus::Rejected) => "promoted as Rejected, like its source: it must not be deployed".into(),
            Some(ApprovalStatus::PendingManualApproval) => "promoted, and pending approval in the target".into(),
            _ => "promoted".into(),
        },
        Conclusion::AlreadyPromoted => match approval(record) {
            Some(ApprovalStatus::Rejected) => {
                "already promoted, and Rejected in the target: nothing was registered".into()
            }
            Some(ApprovalStatus::PendingManualApproval) => {
                "already promoted, and pending approval in the target: nothing was registered".into()
            }
            _ => "already promoted: nothing was registered".into(),
        },
        Conclusion::Repaired => "repaired: missing artifacts were copied again, no new version was registered".into(),
        Conclusion::NothingApproved => {
            let versions = Versions(record.versions.clone().unwrap_or_default());
            format!("nothing approved: the group has {versions}")
        }
        Conclusion::NothingToWithdraw => "nothing to withdraw".into(),
        Conclusion::NotWithdrawn => "not withdrawn".into(),
        Conclusion::Withdrawn => "withdrawn: the source is Rejected".into(),
        Conclusion::ApprovedAgain => {
            "approved again: the source is Approved again, no new version was registered".into()
        }
        Conclusion::WaitsAgain => {
            "pending again: the source is Approved again, and somebody in the target account has to approve".into()
        }
        Conclusion::Updating => "updating: the promoted version is about to be synced with its source".into(),
        Conclusion::Updated => {
            "updated: the promoted version was synced with its source, no new version was registered".into()
        }
        Conclusion::Held => "held: nothing was promoted into the target group".into(),
        Conclusion::RolledBack => "rolled back: the promoted version is Rejected".into(),
        Conclusion::Planned => "planned".into(),
    }
}

/// The approval status of the promoted version.
fn approval(record: &Record) -> Option<&ApprovalStatus> {
    record.target.as_ref()?.approval_status.as_ref()
}

/// What has to be done before a version is promoted, or before the version that the run has promoted is served; nothing
/// if there is nothing to do.
pub fn next_step(record: &Record) -> Option<String> {
    if record.outcome == Conclusion::NothingApproved {
        let is_empty = record.versions.as_ref().is_none_or(BTreeMap::is_empty);
        let register = if is_empty { "Register a version in the source group and approve it" } else { APPROVE };
        return Some(register.to_owned());
    }
    let is_confirmed = record.outcome == Conclusion::Promoted && record.unconfirmed.is_none();
    let target = record.target.as_ref().filter(|_| is_confirmed)?;
    let (promoted, source) = (target.model_package_arn.as_ref()?, record.source.package.as_ref()?);
    match (target.approval_status.as_ref()?, &source.approval_status) {
        (ApprovalStatus::Rejected, _) => Some(format!(
            "Promote another version; if this one may be deployed after all, approve it at the source, then approve \
             {promoted}"
        )),
        (ApprovalStatus::PendingManualApproval, ApprovalStatus::Approved) => {
            Some(format!("Approve {promoted} if it may be deployed"))
        }
        (ApprovalStatus::PendingManualApproval, _) => {
            Some(format!("Approve the version at the source and run again, or approve {promoted}"))
        }
        _ => None,
    }
}

/// The result for a version that was followed.
pub(super) fn followed(result: FollowResult) -> &'static str {
    match result {
        FollowResult::Approved => "Approved now",
        FollowResult::ApprovedAgain => "approved again",
        FollowResult::WaitsAgain => "pending again",
        FollowResult::Updated => "updated",
        FollowResult::Recorded => "recorded",
        FollowResult::Unchanged => "not changed",
        FollowResult::Planned => "would be updated",
        FollowResult::Held => "not approved, because the group is held",
        FollowResult::Failed => "could not be synced",
    }
}

/// What could not be confirmed by a run, as a message.
pub fn unconfirmed(report: &RunReport) -> Option<Unconfirmed> {
    let done = match report.outcome() {
        Conclusion::Promoted => "promoted, but",
        Conclusion::ApprovedAgain => "approved again, but",
        _ => "unconfirmed:",
    };
    let Unconfirmed { message, hints } = report.unconfirmed()?;
    Some(Unconfirmed { message: format!("{done} {}", message.trim_end_matches('.')), hints })
}
