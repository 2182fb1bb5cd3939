//! Renders the result of `promote status` as text.

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
            writeln!(out, "The source group has no versions")?;
            return Ok(out);
        }
        writeln!(
            out,
            "\n{:>7}  {:<21}  {:<20}  {:>6}  {:<21}  {:<20}  STATE",
            "SOURCE", "APPROVAL", "REGISTERED", "TARGET", "APPROVAL", "CHANGED"
        )?;
        for row in &self.versions {
            let (version, source, registered) = cells(row.source.as_ref(), |side| &side.created);
            let changed = |side: &'_ Side| side.modified.clone().unwrap_or_else(|| side.created.clone());
            let (promoted, target, _) = cells(row.target.as_ref(), |side| &side.created);
            let changed = row.target.as_ref().map(changed).map_or("-".to_owned(), |time| seconds(&time));
            let drift = if row.drift.is_empty() { String::new() } else { format!(", drift: {}", row.drift.join(", ")) };
            let state = state(row.state);
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
        State::Failed => "failed",
        State::Stale => "approved here, not at the source: `promote full` withdraws it if the source is Rejected",
        State::Orphaned => "approved here, deleted at the source",
    }
}
