//! A plan of several promotions that somebody has reviewed: the file that `promote plan --record` has written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::file::FileTarget;
use crate::cli::exit::Exit;
use crate::cli::plan_file::{PlanKind, Wanted, not_wanted};
use crate::cli::reviewed_groups::{PlannedGroup, RELEASE, ReviewedGroups};
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::record::ReviewedPlan;

/// The plans of all targets by name and group.
pub(super) struct ReviewedFile {
    targets: BTreeMap<String, ReviewedGroups>,
    /// How such a plan is made.
    make: String,
}

#[derive(Deserialize)]
struct PlanOfFile {
    targets: Vec<PlannedTarget>,
}

#[derive(Deserialize)]
struct PlannedTarget {
    name: String,
    exit_code: i32,
    groups: Vec<PlannedGroup>,
}

impl ReviewedFile {
    /// Reads the plans of these targets of a promotions file.
    ///
    /// # Errors
    /// The file is no plan, or the plan of one of these targets has failed.
    pub fn read(path: &Path, (file, selected): (&Path, &[FileTarget])) -> Result<Self> {
        let name = path.display();
        let command = format!("promote plan --file {} --record {name}", file.display());
        let make = format!("Make a new plan with `{command}`");
        let text = std::fs::read(path).with_context(|| format!("promote apply cannot read {name}")).hint(&make)?;
        let wanted = Wanted { kind: PlanKind::Promotions(String::new()), make: &make };
        if let Some(failure) = not_wanted(text.as_slice(), &name.to_string(), &wanted) {
            return Err(failure.into());
        }
        let document: PlanOfFile = serde_json::from_slice(&text)
            .with_context(|| format!("promote apply cannot read {name} as a plan"))
            .hint(RELEASE)?;
        let is_selected = |target: &PlannedTarget| selected.iter().any(|one| one.name == target.name);
        let (planned, others): (Vec<_>, Vec<_>) = document.targets.into_iter().partition(is_selected);
        if let Some(message) = without_plan(&planned) {
            let all = planned.iter().chain(&others);
            let usable: Vec<&str> = all.filter(|one| one.exit_code == 0).map(|one| one.name.as_str()).collect();
            let only = match usable.as_slice() {
                [] => String::new(),
                [one] => format!(", or pass `--only {one}`, which has a plan"),
                several => format!(", or pass `--only {}`, which have a plan", several.join(",")),
            };
            return Err(Failure::new(format!("{name} {message}")).hint(format!("{make}{only}")).into());
        }
        let mut targets = BTreeMap::new();
        for target in planned {
            targets.insert(target.name, ReviewedGroups::of(target.groups, &name.to_string(), (&make, &command))?);
        }
        Ok(Self { targets, make })
    }

    /// Refuses a plan of which a part is older than `limit`.
    ///
    /// # Errors
    /// It is older.
    pub fn refuse_older(&self, limit: Duration, now: SystemTime) -> Result<()> {
        self.targets.values().try_for_each(|groups| groups.refuse_older(limit, now))
    }

    /// Refuses targets that the plan does not have.
    ///
    /// # Errors
    /// The message names the target.
    pub fn refuse_other_targets(&self, targets: &[FileTarget]) -> Result<()> {
        for FileTarget { name, .. } in targets {
            let missing = || Failure::new(format!("the target {name} is not in the plan")).hint(&self.make);
            ensure!(self.targets.contains_key(name), missing());
        }
        Ok(())
    }

    /// Refuses groups of a target that the plan does not have, and planned groups that are not found any more.
    ///
    /// # Errors
    /// The message names the group.
    pub fn refuse_other_groups<'a>(&self, target: &str, found: impl Iterator<Item = &'a GroupArn>) -> Result<()> {
        let Some(groups) = self.targets.get(target) else { return Ok(()) };
        groups.refuse_other_groups(found).with_context(|| target.to_owned())
    }

    /// The plan of a group.
    pub fn of(&self, target: &str, group: &GroupArn) -> Option<&ReviewedPlan> {
        self.targets.get(target)?.plan_of(group)
    }
}

/// Which targets have no plan, and why; nothing if each has one.
fn without_plan(targets: &[PlannedTarget]) -> Option<String> {
    let of = |is_ended: fn(i32) -> bool| -> Vec<&str> {
        targets.iter().filter(|target| is_ended(target.exit_code)).map(|target| target.name.as_str()).collect()
    };
    let failed = of(|code| code != 0 && code != Exit::Interrupted.code());
    let interrupted = of(|code| code == Exit::Interrupted.code());
    let because = |names: &[&str], one: &str, several: &str| match names.split_last() {
        None => None,
        Some((name, [])) => Some(format!("for {name}, because it {one}")),
        Some((last, others)) => Some(format!("for {} and {last}, because they {several}", others.join(", "))),
    };
    let failed = because(&failed, "has failed", "have failed");
    let interrupted = because(&interrupted, "was interrupted", "were interrupted");
    let reasons: Vec<String> = failed.into_iter().chain(interrupted).collect();
    (!reasons.is_empty()).then(|| format!("has no plan {}", reasons.join(", and ")))
}
