//! Renders the result of `promote status` as text.

use std::fmt::Write as _;

use anyhow::{Error, Result};

use super::Rendered;
use super::images::of_version;
use super::page::{GroupSection, Page};
use super::record::{labelled, shortened};
use crate::cli::of_groups::{Ended, ManyDocument};
use crate::cli::wrap::fitted;
use crate::model::approval::ApprovalStatus;
use crate::model::hold::Hold;
use crate::model::words::word;
use crate::run::status::standing::{Row, SideVersion, State};
use crate::run::{StatusReport, UnreadSource};

/// The column of the state of a version.
const STATE: usize = 60;

impl Rendered for StatusReport {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        let mut line = |label: &str, text: &str| writeln!(out, "{}", labelled(label, text));
        line("Source", &self.source_group.as_ref().map_or("not given".into(), ToString::to_string))?;
        if let Some(UnreadSource(reason)) = &self.source_unread {
            line("", &format!("not read, so the table has promoted versions only: {reason}"))?;
        }
        line("Target", self.target_group.as_str())?;
        match self.others {
            0 => {}
            1 => line("", "1 version of the target group was registered by others")?,
            others => line("", &format!("{others} versions of the target group were registered by others"))?,
        }
        match &self.live {
            Some(live) => line("Live", &format!("version {}, the newest Approved version", live.version()))?,
            None => line("Live", "no version is Approved")?,
        }
        for hold in self.hold.iter().chain(&self.other_holds) {
            line("Held", &held(hold))?;
        }
        if let Some(reason) = &self.hold_unread {
            line("Hold", &format!("not known: {reason}"))?;
        }
        if self.versions.is_empty() {
            writeln!(out, "There are no versions")?;
            return Ok(out);
        }
        writeln!(
            out,
            "\n{:>6}  {:<8}  {:<10}  {:>6}  {:<8}  {:<10}  STATE",
            "SOURCE", "APPROVAL", "REGISTERED", "TARGET", "APPROVAL", "CHANGED"
        )?;
        for row in &self.versions {
            let (mut version, source, registered) = cells(row.source.as_ref(), |side| &side.created);
            if let (None, Some(from)) = (&row.source, &row.promoted_from) {
                version = from.version().to_string();
            }
            let changed = |side: &'_ SideVersion| side.modified.clone().unwrap_or_else(|| side.created.clone());
            let (promoted, target, _) = cells(row.target.as_ref(), |side| &side.created);
            let changed = row.target.as_ref().map(changed).map_or("-".to_owned(), |time| day(&time));
            let state = format!("{}{}", state(row.state), if row.live { ", live" } else { "" });
            let cells =
                format!("{version:>6}  {source:<8}  {registered:<10}  {promoted:>6}  {target:<8}  {changed:<10}");
            writeln!(out, "{}", fitted(&format!("{cells}  {state}"), STATE))?;
            if !row.drift.is_empty() {
                writeln!(out, "{}", fitted(&format!("{:9}drift: {}", "", row.drift.join(", ")), 16))?;
            }
            for image in row.lineage.iter().flat_map(|lineage| &lineage.images) {
                writeln!(out, "{}", fitted(&format!("{:9}image {}", "", of_version(image)), 15))?;
            }
        }
        Ok(out)
    }

    fn html(&self) -> Option<String> {
        let name = self.source_group.as_ref().unwrap_or(&self.target_group).name().as_str();
        Some(Page { groups: vec![GroupSection { name, result: Ok(self) }] }.html())
    }
}

/// With several groups: the newest Approved source version, or what is live if no source version is approved.
impl Ended for StatusReport {
    const READS: bool = true;

    fn outcome(&self) -> String {
        match self.latest() {
            Some(row) => word(row.state),
            None if self.source_unread.is_some() => "source-unread".to_owned(),
            None => "nothing-approved".to_owned(),
        }
    }

    fn headline(&self) -> String {
        let first = match (self.latest(), &self.source_unread) {
            (Some(row), _) => format!("{}{}", state(row.state), if row.live { ", live" } else { "" }),
            (None, Some(UnreadSource(reason))) => format!("source not read: {}", shortened(&reason.to_string())),
            (None, None) => "no source version is approved".to_owned(),
        };
        let live = self.live.as_ref().filter(|live| self.versions().1 != Some(live.version()));
        let live = live.map(|live| format!("version {} is live", live.version()));
        let stale = self.versions.iter().filter(|row| matches!(row.state, State::Stale | State::Orphaned)).count();
        let stale = (stale > 0).then(|| format!("{stale} approved here only"));
        let drift = self.versions.iter().filter(|row| !row.drift.is_empty()).count();
        let drift = (drift > 0).then(|| format!("{drift} with drift"));
        let held = self.hold.as_ref().map(|hold| format!("held since {}: {}", seconds(&hold.since), hold.reason));
        let held = held.or_else(|| self.hold_unread.as_ref().map(|_| "not known whether it is held".to_owned()));
        [Some(first), held, live, stale, drift].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    fn versions(&self) -> (Option<u32>, Option<u32>) {
        let row = self.latest();
        let version = |side: Option<&SideVersion>| side.map(|side| side.version);
        (version(row.and_then(|row| row.source.as_ref())), version(row.and_then(|row| row.target.as_ref())))
    }

    fn incomplete(&self) -> Option<String> {
        self.source_unread.as_ref().map(|UnreadSource(reason)| reason.to_string())
    }

    fn remarks(&self) -> (Option<String>, Vec<Error>) {
        (None, self.source_unread.iter().map(|UnreadSource(error)| error.clone().into()).collect())
    }

    fn page(document: &ManyDocument<Self>) -> Option<String> {
        let groups = document.groups.iter().map(|group| GroupSection {
            name: group.group.name().as_str(),
            result: group.result.as_ref().map_err(|failed| failed.message()),
        });
        Some(Page { groups: groups.collect() }.html())
    }
}

impl StatusReport {
    /// The row of the newest Approved source version.
    pub(super) fn latest(&self) -> Option<&Row> {
        let is_approved = |side: &SideVersion| side.approval_status == ApprovalStatus::Approved;
        self.versions.iter().find(|row| row.source.as_ref().is_some_and(is_approved))
    }
}

/// The line about a hold.
fn held(hold: &Hold) -> String {
    let Hold { since, by, reason, .. } = hold;
    let to = hold.rolled_back_to.as_ref().map(|to| format!(" (rolled back to version {})", to.version()));
    format!("since {} by {by}: {reason}{}", seconds(since), to.unwrap_or_default())
}

fn cells(side: Option<&SideVersion>, time: impl Fn(&SideVersion) -> &String) -> (String, String, String) {
    side.map_or(("-".into(), "-".into(), "-".into()), |side| {
        (side.version.to_string(), approval(&side.approval_status), day(time(side)))
    })
}

/// An approval status in a cell of the table.
fn approval(status: &ApprovalStatus) -> String {
    match status {
        ApprovalStatus::PendingManualApproval => "Pending".to_owned(),
        status => status.to_string(),
    }
}

/// The day of a time. The document has the time.
fn day(time: &str) -> String {
    time.get(..10).unwrap_or(time).to_owned()
}

/// A time without fractions of a second.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::NotPromoted => "not promoted",
        State::Promoted => "promoted",
        State::Pending => "pending approval in the target",
        State::Withdrawn => "withdrawn",
        State::Rejected => "rejected in the target",
        State::BeingCreated => "being created",
        State::Failed => "failed",
        State::Approved => "approved in the target",
        State::Stale => "approved here, not at the source: `promote full` withdraws it if the source is Rejected",
        State::Orphaned => "approved here, deleted at the source",
    }
}
