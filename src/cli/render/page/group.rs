//! The section of a group: its versions, source and target side by side.

use maud::{Markup, html};

use super::lineage::{self, FIRST};
use super::section::{GroupSection, state_of};
use super::text::{age, minute, visible};
use crate::model::words::counted;
use crate::run::status::standing::{Row, SideVersion};
use crate::run::{StatusReport, UnreadSource};

/// How much of a group its section shows.
#[derive(Clone, Copy)]
struct Detail {
    versions: usize,
    lineages: usize,
    /// Artifacts and fields of each lineage.
    listed: usize,
}

/// From the most to the least.
const DETAILS: [Detail; 7] = [
    MOST,
    Detail { versions: 50, lineages: 50, listed: FIRST },
    Detail { versions: 50, lineages: 10, listed: FIRST },
    Detail { versions: 6, lineages: 2, listed: FIRST },
    Detail { versions: 6, lineages: 1, listed: FIRST },
    Detail { versions: 6, lineages: 0, listed: 0 },
    LEAST,
];

/// What the page of one group shows at most.
const MOST: Detail = Detail { versions: 50, lineages: 50, listed: usize::MAX };

const LEAST: Detail = Detail { versions: 1, lineages: 0, listed: 0 };

/// The section of a group, in as much detail as this number of bytes allows.
pub fn section(number: usize, group: &GroupSection<'_>, bytes: usize) -> Markup {
    let mut sections = DETAILS.iter().map(|detail| in_detail(number, group, *detail));
    sections.find(|section| section.0.len() <= bytes).unwrap_or_else(|| in_detail(number, group, LEAST))
}

fn in_detail(number: usize, group: &GroupSection<'_>, detail: Detail) -> Markup {
    html! {
        section id=(format!("g{number}")) {
            h2 { (visible(group.name)) }
            @match group.result {
                Ok(report) => (content(report, detail)),
                Err(message) => p { span.r { "Not read" } ": " (visible(message)) },
            }
        }
    }
}

fn content(report: &StatusReport, detail: Detail) -> Markup {
    let rows: Vec<&Row> = newest(report, detail).collect();
    let mut with_lineage: Vec<&Row> = rows.iter().copied().filter(|row| row.lineage.is_some()).collect();
    with_lineage.sort_by_key(|row| row.importance());
    with_lineage.truncate(detail.lineages);
    html! {
        @if let Some(UnreadSource(reason)) = &report.source_unread {
            p { span.w { "Source not read" } ": " (visible(&reason.to_string())) }
        }
        dl {
            @if let Some(source) = &report.source_group { dt { "Source group" } dd { code { (source) } } }
            dt { "Target group" } dd { code { (report.target_group) } }
            (held(report))
            @if report.live.is_none() { dt { "Live" } dd { "no version is Approved" } }
            @if report.others > 0 { dt { "By others" } dd { (counted(report.others, "version")) " of the target group" } }
        }
        h3 { (counted(report.versions.len(), "version")) }
        @if !rows.is_empty() { div.v.c { span { "Source" } span { "Target" } span { "State" } } }
        @for row in &rows {
            @let lineage = row.lineage.as_ref().filter(|_| with_lineage.iter().any(|one| std::ptr::eq(*one, *row)));
            (version(row, lineage.map(|found| lineage::of(row, found, detail.listed)), &report.read))
        }
        @if let Some(left_out) = left_out(report.versions.len(), &rows, with_lineage.len()) {
            p.m { (left_out) " not shown here: " code { (command(report, detail)) } }
        }
    }
}

fn held(report: &StatusReport) -> Markup {
    html! {
        @for hold in report.hold.iter().chain(&report.other_holds) {
            dt { "Held" }
            dd {
                span.r { "since " (minute(&hold.since)) } " by " code { (visible(&hold.by)) } ": " (visible(&hold.reason))
                @if let Some(to) = &hold.rolled_back_to { span.m { "; rolled back to version " (to.version()) } }
            }
        }
        @if let Some(reason) = &report.hold_unread { dt { "Hold" } dd.m { "not known: " (visible(reason)) } }
    }
}

/// The versions that the section shows: the newest and the live one.
fn newest(report: &StatusReport, detail: Detail) -> impl Iterator<Item = &Row> {
    let versions = report.versions.iter().enumerate();
    versions.filter(move |(at, row)| *at < detail.versions || row.live).map(|(_, row)| row)
}

/// How many of all versions the section leaves out, and how many lineages of the versions that it shows. `lineages`: the
/// number of those that it shows.
fn left_out(all: usize, shown: &[&Row], lineages: usize) -> Option<String> {
    let versions = all - shown.len();
    let lineages = shown.iter().filter(|row| row.target.is_some()).count() - lineages;
    let parts = [(versions, "older version"), (lineages, "lineage")].into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, noun)| counted(count, noun)).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// The command that shows more of a group: the page of this group alone, or all versions.
fn command(report: &StatusReport, detail: Detail) -> String {
    let format = if detail.versions == MOST.versions { "json" } else { "html" };
    let target = &report.target_group;
    let target = format!("--target-group {} --target-region {}", target.name(), target.region());
    match &report.source_group {
        Some(source) => format!("promote status --output {format} --group {source} {target}"),
        None => format!("promote status --output {format} {target}"),
    }
}

fn version(row: &Row, lineage: Option<Markup>, now: &str) -> Markup {
    let line = html! {
        span { (source(row, now)) }
        span { (target(row, now)) }
        span {
            (state_of(row))
            @if row.live { " " span.live { "live" } }
            @if !row.drift.is_empty() { ", " span.w { "drift" } }
        }
    };
    match lineage {
        Some(lineage) => html! { details.v { summary { (line) } div.d { (lineage) } } },
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

fn shown(side: &SideVersion, time: &str, now: &str) -> Markup {
    html! {
        b { (side.version) } " " (visible(&side.approval_status.to_string()))
        @match age(time, now) {
            Some(age) => span.m { ", " (age) },
            None => span.m { ", " (minute(time)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::approval::ApprovalStatus;
    use crate::run::status::standing::State;

    fn promoted() -> Row {
        let side = SideVersion {
            model_package_arn: "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn/1"
                .parse()
                .expect("an ARN"),
            version: 1,
            approval_status: ApprovalStatus::Approved,
            created: "2026-11-28T16:04:12Z".to_owned(),
            modified: None,
        };
        let state = State::Promoted;
        Row { state, source: None, target: Some(side), promoted_from: None, live: false, drift: vec![], lineage: None }
    }

    #[test]
    fn a_section_counts_what_it_leaves_out_also_if_it_was_not_read() {
        let (promoted, other) = (promoted(), Row { target: None, ..promoted() });
        assert_eq!(left_out(3, &[&promoted, &promoted, &other], 2), None);
        assert_eq!(left_out(3, &[&promoted, &promoted, &other], 1).as_deref(), Some("1 lineage"));
        assert_eq!(left_out(9, &[&promoted, &promoted], 0).as_deref(), Some("7 older versions and 2 lineages"));
    }
}
