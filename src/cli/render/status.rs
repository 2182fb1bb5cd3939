//! Renders the result of `promote status` as text.

use std::fmt::Write as _;

use anyhow::Result;

use super::Rendered;
use crate::run::StatusReport;
use crate::run::standing::{Side, State};

impl Rendered for StatusReport {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        let source = self.source_group.as_ref().map_or("not given".into(), ToString::to_string);
        writeln!(out, "{:<11}{source}", "Source")?;
        if let Some(reason) = &self.source_unread {
            writeln!(out, "{:<11}not read, so the table has promoted versions only: {reason}", "")?;
        }
        writeln!(out, "{:<11}{}", "Target", self.target_group)?;
        if self.others > 0 {
            writeln!(out, "{:<11}{} more in the target group, registered by others", "", self.others)?;
        }
        match &self.live {
            Some(live) => writeln!(out, "{:<11}version {}, the newest Approved version", "Live", live.version())?,
            None => writeln!(out, "{:<11}no version is Approved", "Live")?,
        }
        if self.versions.is_empty() {
            writeln!(out, "There are no versions")?;
            return Ok(out);
        }
        writeln!(
            out,
            "\n{:>7}  {:<21}  {:<20}  {:>6}  {:<21}  {:<20}  STATE",
            "SOURCE", "APPROVAL", "REGISTERED", "TARGET", "APPROVAL", "CHANGED"
        )?;
        for row in &self.versions {
            let (mut version, source, registered) = cells(row.source.as_ref(), |side| &side.created);
            if let (None, Some(from)) = (&row.source, &row.promoted_from) {
                version = from.version().to_string();
            }
            let changed = |side: &'_ Side| side.modified.clone().unwrap_or_else(|| side.created.clone());
            let (promoted, target, _) = cells(row.target.as_ref(), |side| &side.created);
            let changed = row.target.as_ref().map(changed).map_or("-".to_owned(), |time| seconds(&time));
            let drift = if row.drift.is_empty() { String::new() } else { format!(", drift: {}", row.drift.join(", ")) };
            let state = format!("{}{}", state(row.state), if row.live { ", live" } else { "" });
            writeln!(
                out,
                "{version:>7}  {source:<21}  {registered:<20}  {promoted:>6}  {target:<21}  {changed:<20}  {state}{drift}"
            )?;
        }
        Ok(out)
    }
}

fn cells(side: Option<&Side>, time: impl Fn(&Side) -> &String) -> (String, String, String) {
    side.map_or(("-".into(), "-".into(), "-".into()), |side| {
        (side.version.to_string(), side.approval_status.to_string(), seconds(time(side)))
    })
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
