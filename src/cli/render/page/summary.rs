//! The table of all groups.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::section::{GroupSection, is_approved, state_of};
use super::text::{age, counted, visible};
use crate::run::StatusReport;
use crate::run::standing::{Row, Side, State};

/// A row for each group.
pub fn table(groups: &[GroupSection<'_>]) -> Markup {
    html! {
        section {
            h2 { (counted(groups.len(), "group")) }
            table.s {
                thead { tr {
                    th scope="col" { "Group" }
                    th scope="col" { "Newest approved" }
                    th scope="col" { "Promoted as" }
                    th scope="col" { "Live" }
                    th scope="col" { "State" }
                    th scope="col" { "Not promoted for" }
                    th.n scope="col" { "Promoted" }
                    th.n scope="col" { "Pending" }
                    th.n scope="col" { "Withdrawn" }
                    th.n scope="col" { "Drift" }
                } }
                tbody { @for (number, group) in groups.iter().enumerate() { (row(number, group)) } }
            }
        }
    }
}

fn row(number: usize, group: &GroupSection<'_>) -> Markup {
    let link = html! { td { a href=(format!("#g{number}")) { (visible(group.name)) } } };
    let report = match group.result {
        Ok(report) => report,
        Err(message) => {
            return html! { tr { (link) td {} td {} td {} td { span.r { "not read: " (visible(message)) } } td {} td {} td {} td {} td {} } };
        }
    };
    let latest = latest(report);
    let version = |side: Option<&Side>| side.map(|side| side.version.to_string());
    let states = report.versions.iter().fold(BTreeMap::<&str, usize>::new(), |mut states, row| {
        *states.entry(class(row.state)).or_default() += 1;
        states
    });
    let count = |state: &str| states.get(state).copied().unwrap_or_default();
    let drifted = report.versions.iter().filter(|row| !row.drift.is_empty()).count();
    html! {
        tr {
            (link)
            td { (version(latest.and_then(|row| row.source.as_ref())).unwrap_or_default()) }
            td { (version(latest.and_then(|row| row.target.as_ref())).unwrap_or_default()) }
            td { (report.live.as_ref().map(|live| live.version().to_string()).unwrap_or_default()) }
            td { (overall(report)) }
            td { (unpromoted(report).unwrap_or_default()) }
            td.n { (count("promoted")) }
            td.n { (count("pending")) }
            td.n { (count("withdrawn")) }
            td.n { (drifted) }
        }
    }
}

/// The state of the newest approved source version, and how many versions are approved in the target although their
/// source is not.
fn overall(report: &StatusReport) -> Markup {
    let stale = report.versions.iter().filter(|row| matches!(row.state, State::Stale | State::Orphaned)).count();
    html! {
        @match latest(report) {
            Some(row) => (state_of(row)),
            None if report.source_unread.is_some() => span.w { "the source was not read" },
            None if report.source_group.is_none() => span.m { "the source was not given" },
            None => span.m { "nothing approved at the source" },
        }
        @if stale > 0 { ", " span.r { (stale) " approved in the target only" } }
    }
}

/// How long ago the newest approved source version was registered, if it is not promoted.
pub fn unpromoted(report: &StatusReport) -> Option<String> {
    let latest = latest(report).filter(|row| row.state == State::NotPromoted)?;
    age(&latest.source.as_ref()?.created, &report.read)
}

/// The row of the newest approved source version.
fn latest(report: &StatusReport) -> Option<&Row> {
    report.versions.iter().find(|row| is_approved(row))
}

fn class(state: State) -> &'static str {
    match state {
        State::Promoted | State::Approved => "promoted",
        State::Pending => "pending",
        State::Withdrawn => "withdrawn",
        State::NotPromoted | State::Rejected | State::BeingCreated | State::Failed | State::Stale | State::Orphaned => {
            "other"
        }
    }
}
