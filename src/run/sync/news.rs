//! Decides whether the history of a version lacks something that a run has seen.

use crate::record::history::Past;
use crate::record::{Change, ChangeResult, Conclusion};
use crate::register::decision::RecordedApproval;
use crate::register::sync::SyncPlan;

/// Whether the newest record does not describe the version: somebody else or an interrupted run has changed it.
pub(super) fn is_news(plan: &SyncPlan, changes: &[Change], approval: &RecordedApproval, past: &Past<'_>) -> bool {
    let (before, state) = (past.base(), past.state());
    before.outcome == Conclusion::Updating
        || plan.request != *state.request
        || plan.source_uri.as_deref() != state.source_uri
        || theirs(changes) != theirs(&before.changes)
        || past.approval().as_ref() != Some(approval)
}

/// What somebody else has changed, by field.
fn theirs(changes: &[Change]) -> Vec<(&str, Option<String>, ChangeResult)> {
    let kept = changes.iter().filter(|change| matches!(change.result, ChangeResult::Kept | ChangeResult::Conflict));
    let value = |change: &Change| change.was.as_ref().map(ToString::to_string);
    let mut theirs: Vec<_> = kept.map(|change| (change.field.as_str(), value(change), change.result)).collect();
    theirs.sort_by(|one, other| one.0.cmp(other.0));
    theirs
}
