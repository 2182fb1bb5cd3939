//! The result of `promote status` for people.

use std::fmt::Write as _;

use anyhow::Result;

use super::Rendered;
use crate::run::StatusReport;
use crate::run::standing::{Side, State};

impl Rendered for StatusReport {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        writeln!(out, "{:<11}{}", "Source", self.source_group)?;
        writeln!(out, "{:<11}{}", "Target", self.target_group)?;
        if self.others > 0 {
            writeln!(out, "{:<11}{} more in the target group, registered by others", "", self.others)?;
        }
        if self.versions.is_empty() {
            writeln!(out, "The source group has no version")?;
            return Ok(out);
        }
        writeln!(
            out,
            "\n{:>7}  {:<21}  {:<20}  {:>6}  {:<21}  {:<20}  STATE",
            "VERSION", "SOURCE", "REGISTERED", "COPY", "TARGET", "SINCE"
        )?;
        for row in &self.versions {
            let (version, source, registered) = cells(row.source.as_ref(), |side| &side.created);
            let since = |side: &'_ Side| side.modified.clone().unwrap_or_else(|| side.created.clone());
            let (copy, target, _) = cells(row.target.as_ref(), |side| &side.created);
            let since = row.target.as_ref().map(since).map_or("-".to_owned(), |time| seconds(&time));
            let drift =
                if row.drift.is_empty() { String::new() } else { format!(", drifted: {}", row.drift.join(", ")) };
            let state = state(row.state);
            writeln!(
                out,
                "{version:>7}  {source:<21}  {registered:<20}  {copy:>6}  {target:<21}  {since:<20}  {state}{drift}"
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

/// A time without its fraction.
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
        State::Pending => "pending in the target",
        State::Withdrawn => "withdrawn",
        State::Rejected => "rejected in the target",
        State::Failed => "failed",
        State::Stale => "offered, but not Approved at the source",
        State::Orphaned => "offered, but gone at the source",
    }
}
