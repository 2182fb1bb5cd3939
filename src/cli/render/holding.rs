//! Renders the results of `promote hold`, `promote release` and `promote rollback` as text.

use std::fmt::Write as _;

use anyhow::Result;

use super::Rendered;
use super::record::labelled;
use crate::model::hold::Hold;
use crate::run::{HoldOutcome, HoldReport, RollbackOutcome, RollbackReport};

impl Rendered for HoldReport {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        let outcome = match self.outcome {
            HoldOutcome::Held => "held: nothing is promoted into the group until `promote release`",
            HoldOutcome::AlreadyHeld => "already held: its hold was not changed",
            HoldOutcome::Released => "released: promotions into the group go on",
            HoldOutcome::NotHeld => "the group is not held",
            HoldOutcome::Planned => "dry run, nothing was written",
        };
        writeln!(out, "{}", labelled("Outcome", outcome))?;
        writeln!(out, "{:<11}{}", "Target", self.target_group)?;
        if let Some(hold) = &self.hold {
            // A dry run of a release has a hold that is there.
            let verb = if self.outcome == HoldOutcome::Planned && self.release.is_none() { WOULD_HOLD } else { HELD };
            write_hold(&mut out, hold, verb)?;
        }
        if let Some(release) = &self.release {
            writeln!(out, "{}", labelled("Released", &format!("{} by {}", release.at, release.by)))?;
        }
        for warning in &self.warnings {
            writeln!(out, "{}", labelled("Warning", warning))?;
        }
        Ok(out)
    }

    fn done(&self) -> Option<String> {
        match self.outcome {
            HoldOutcome::Held => Some(format!("{} is held", self.target_group)),
            HoldOutcome::Released => Some(format!("{} is released", self.target_group)),
            HoldOutcome::AlreadyHeld | HoldOutcome::NotHeld | HoldOutcome::Planned => None,
        }
    }
}

impl Rendered for RollbackReport {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        let to = self.to.version();
        let outcome = match self.outcome {
            RollbackOutcome::RolledBack => format!("rolled back to version {to}, and held until `promote release`"),
            RollbackOutcome::Incomplete => format!("incomplete: held, but not rolled back to version {to}"),
            RollbackOutcome::Planned => format!("dry run, nothing was written: would go back to version {to}"),
        };
        writeln!(out, "{}", labelled("Outcome", &outcome))?;
        writeln!(out, "{:<11}{}", "Target", self.to)?;
        let is_planned = self.outcome == RollbackOutcome::Planned;
        write_hold(&mut out, &self.hold, if is_planned { WOULD_HOLD } else { HELD })?;
        let verb = if is_planned { "To reject" } else { "Rejected" };
        for one in &self.rejected {
            let error = one.error.as_ref().map_or(String::new(), |_| ": not rejected".to_owned());
            let what = format!("{} (was {}){error}", one.model_package_arn, one.approval_status);
            writeln!(out, "{}", labelled(verb, &what))?;
        }
        for other in &self.approved_by_others {
            let what = format!("{other}, registered by others, stays Approved: reject it if it must not be deployed");
            writeln!(out, "{}", labelled("Warning", &what))?;
        }
        for warning in &self.warnings {
            writeln!(out, "{}", labelled("Warning", warning))?;
        }
        for unconfirmed in &self.unconfirmed {
            writeln!(out, "{}", labelled("Unconfirmed", unconfirmed))?;
        }
        Ok(out)
    }

    fn done(&self) -> Option<String> {
        match self.outcome {
            RollbackOutcome::RolledBack => {
                Some(format!("{} is held, and newer versions are rejected", self.target_group))
            }
            RollbackOutcome::Incomplete => Some(format!("{} is held", self.target_group)),
            RollbackOutcome::Planned => None,
        }
    }
}

const HELD: &str = "Held";
const WOULD_HOLD: &str = "Would hold";

fn write_hold(out: &mut String, hold: &Hold, verb: &str) -> std::fmt::Result {
    writeln!(out, "{}", labelled("Reason", &hold.reason))?;
    writeln!(out, "{}", labelled(verb, &format!("{} by {}", hold.since, hold.by)))
}
