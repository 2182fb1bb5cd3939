//! The section of a group: its versions, source and target side by side.

use maud::{Markup, html};

use super::lineage;
use super::section::{GroupSection, state_of};
use super::text::{age, counted, minute, visible};
use crate::run::StatusReport;
use crate::run::standing::{Row, Side};

/// Versions that a group lists on a page of its own, and beside others.
const VERSIONS: (usize, usize) = (50, 6);

/// The section of a group. `groups`: how many the page has.
pub fn section(number: usize, group: &GroupSection<'_>, groups: usize) -> Markup {
    html! {
        section id=(format!("g{number}")) {
            h2 { (visible(group.name)) }
            @match group.result {
                Ok(report) => (content(report, groups)),
                Err(message) => p.r { "Not read: " (visible(message)) },
            }
        }
    }
}

fn content(report: &StatusReport, groups: usize) -> Markup {
    let most = if groups == 1 { VERSIONS.0 } else { VERSIONS.1 };
    let left_out = report.versions.len().saturating_sub(most);
    html! {
        dl {
            @if let Some(source) = &report.source_group { dt { "Source group" } dd { code { (source) } } }
            @if let Some(reason) = &report.source_unread { dt { "Source not read" } dd { (visible(reason)) } }
            dt { "Target group" } dd { code { (report.target_group) } }
            @if report.live.is_none() { dt { "Live" } dd { "no version is Approved" } }
            @if report.others > 0 { dt { "By others" } dd { (counted(report.others, "version")) " of the target group" } }
        }
        h3 { (counted(report.versions.len(), "version")) }
        @for row in report.versions.iter().take(most) { (version(row, &report.read)) }
        @if left_out > 0 {
            p.m { (counted(left_out, "older version")) " not shown: " code { (command(report)) } }
        }
    }
}

/// The command that shows all versions of a group.
fn command(report: &StatusReport) -> String {
    let target = format!("--target-group {}", report.target_group.name());
    match &report.source_group {
        Some(source) => format!("promote status --group {source} {target}"),
        None => format!("promote status {target}"),
    }
}

fn version(row: &Row, now: &str) -> Markup {
    let line = html! {
        span { (source(row, now)) }
        span { (target(row, now)) }
        span {
            (state_of(row))
            @if row.live { " " span.live { "live" } }
            @if !row.drift.is_empty() { ", " span.w { "drift" } }
        }
    };
    match &row.lineage {
        Some(found) => html! { details.v { summary { (line) } div.d { (lineage::of(row, found)) } } },
        None => html! { div.v { (line) } },
    }
}

fn source(row: &Row, now: &str) -> Markup {
    match (&row.source, &row.promoted_from) {
        (Some(side), _) => shown(side, &side.created, now),
        (None, Some(from)) => html! { b { (from.version()) } " " span.m { "not read, or deleted" } },
        (None, None) => html! {},
    }
}

fn target(row: &Row, now: &str) -> Markup {
    match &row.target {
        Some(side) => html! { "→ " (shown(side, side.modified.as_ref().unwrap_or(&side.created), now)) },
        None => html! {},
    }
}

fn shown(side: &Side, time: &str, now: &str) -> Markup {
    html! {
        b { (side.version) } " " (visible(&side.approval_status.to_string()))
        @match age(time, now) {
            Some(age) => span.m { ", " (age) },
            None => span.m { ", " (minute(time)) },
        }
    }
}
