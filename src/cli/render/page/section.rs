//! The input of the page, and the words for a state.

use maud::{Markup, html};

use crate::model::approval::ApprovalStatus;
use crate::run::StatusReport;
use crate::run::status::standing::{Row, State};

/// One group of the page.
pub struct GroupSection<'a> {
    /// The name of the group.
    pub name: &'a str,
    /// What was read, or why nothing was.
    pub result: Result<&'a StatusReport, &'a str>,
}

/// The words for a state, and the class of their colour.
fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::NotPromoted => ("not promoted", "w"),
        State::Promoted => ("promoted", "g"),
        State::Pending => ("pending approval", "w"),
        State::Withdrawn => ("withdrawn", "m"),
        State::Rejected => ("rejected in the target", "r"),
        State::BeingCreated => ("being created", "w"),
        State::Failed => ("failed", "r"),
        State::Approved => ("approved in the target", "g"),
        State::Stale => ("approved here, not at the source", "r"),
        State::Orphaned => ("approved here, deleted at the source", "r"),
    }
}

/// The state of a row. A source version that nobody has approved has nothing to promote.
pub fn state_of(row: &Row) -> Markup {
    let (words, class) = match row.state {
        State::NotPromoted if !is_approved(row) => ("not promoted", "m"),
        other => state(other),
    };
    html! { span class=(class) { (words) } }
}

/// Whether the source version of a row is approved.
fn is_approved(row: &Row) -> bool {
    row.source.as_ref().is_some_and(|side| side.approval_status == ApprovalStatus::Approved)
}
