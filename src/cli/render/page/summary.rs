//! The table of all groups.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};

use super::section::{GroupSection, state_of};
use super::text::{age, visible};
use crate::model::words::counted;
use crate::run::StatusReport;
use crate::run::status::standing::{SideVersion, State};

/// A row for each group.
pub fn table(groups: &[GroupSection<'_>]) -> Markup {
    html! {
        section {
            h2 { (counted(groups.len(), "group")) }
            @if groups.len() > 1 { p { (counts(groups)) } }
            (unread(groups))
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

/// A warning that names the groups that were not read, or whose source was not.
fn unread(groups: &[GroupSection<'_>]) -> Markup {
    let is_whole = |group: &GroupSection<'_>| group.result.is_ok_and(|report| report.source_unread.is_none());
    let unread = groups.iter().enumerate().filter(|(_, group)| !is_whole(group));
    let unread: Vec<(usize, &GroupSection<'_>)> = unread.collect();
    html! {
        @if !unread.is_empty() {
            p {
                span.w { "Warning" } ": not every group could be read: "
                @for (place, (number, group)) in unread.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href=(format!("#g{number}")) { (visible(group.name)) }
                }
            }
        }
    }
}

/// How many groups are in each state, which is what somebody with many groups wants to see first.
fn counts(groups: &[GroupSection<'_>]) -> Markup {
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for group in groups {
        let state = group.result.map_or_else(|_| html! { span.r { "not read" } }, newest_approved);
        *states.entry(state.0).or_default() += 1;
    }
    let read = || groups.iter().filter_map(|group| group.result.ok());
    let held = read().filter(|report| report.hold.is_some()).count();
    let drifted = read().filter(|report| report.versions.iter().any(|row| !row.drift.is_empty())).count();
    let more = [(held, "held"), (drifted, "with drift")].into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<(usize, String)> = states.into_iter().map(|(state, count)| (count, state)).collect();
    parts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    html! {
        @for (number, (count, state)) in parts.iter().enumerate() {
            @if number > 0 { ", " } (count) " " (PreEscaped(state))
        }
        @for (count, what) in more { "; " (count) " " (what) }
    }
}

fn row(number: usize, group: &GroupSection<'_>) -> Markup {
    let link = html! { td { a href=(format!("#g{number}")) { (visible(group.name)) } } };
    let report = match group.result {
        Ok(report) => report,
        Err(_) => {
            return html! { tr { (link) td {} td {} td {} td { span.r { "not read" } } td {} td {} td {} td {} td {} } };
        }
    };
    let latest = report.latest();
    let version = |side: Option<&SideVersion>| side.map(|side| side.version.to_string());
    let states = report.versions.iter().fold(BTreeMap::<&str, usize>::new(), |mut states, row| {
        *states.entry(class(row.state)).or_default() += 1;
        states
    });
    let drifted = report.versions.iter().filter(|row| !row.drift.is_empty()).count();
    let shown = |count: usize| (count > 0).then_some(count);
    let count = |state: &str| states.get(state).copied().and_then(shown);
    html! {
        tr {
            (link)
            td { (version(latest.and_then(|row| row.source.as_ref())).unwrap_or_default()) }
            td { (version(latest.and_then(|row| row.target.as_ref())).unwrap_or_default()) }
            td { (report.live.as_ref().map(|live| live.version().to_string()).unwrap_or_default()) }
            td { (overall(report)) }
            td { (unpromoted(report).unwrap_or_default()) }
            @for number in [count("promoted"), count("pending"), count("withdrawn"), shown(drifted)] {
                td.n { @if let Some(number) = number { (number) } }
            }
        }
    }
}

/// The state of the newest approved source version, and how many versions are approved in the target although their
/// source is not.
fn overall(report: &StatusReport) -> Markup {
    let stale = report.versions.iter().filter(|row| matches!(row.state, State::Stale | State::Orphaned)).count();
    html! {
        @if report.hold.is_some() { span.r { "held" } ", " }
        (newest_approved(report))
        @if stale > 0 { ", " span.r { (stale) " approved in the target only" } }
    }
}

fn newest_approved(report: &StatusReport) -> Markup {
    html! {
        @match report.latest() {
            Some(row) => (state_of(row)),
            None if report.source_unread.is_some() => span.w { "the source was not read" },
            None if report.source_group.is_none() => span.m { "the source was not given" },
            None => span.m { "nothing approved at the source" },
        }
    }
}

/// How long ago the newest approved source version was registered, if it is not promoted.
pub fn unpromoted(report: &StatusReport) -> Option<String> {
    let latest = report.latest().filter(|row| row.state == State::NotPromoted)?;
    age(&latest.source.as_ref()?.created, &report.read)
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
