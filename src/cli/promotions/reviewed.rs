//! A plan of several promotions that somebody has reviewed: the file that `promote plan --record` has written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::file::FileTarget;
use crate::cli::reviewed_groups::{PlannedGroup, ReviewedGroups};
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
        let document: PlanOfFile =
            serde_json::from_slice(&text).with_context(|| format!("{name} is not a plan of promotions")).hint(&make)?;
        let is_selected = |target: &PlannedTarget| selected.iter().any(|one| one.name == target.name);
        let planned: Vec<PlannedTarget> = document.targets.into_iter().filter(is_selected).collect();
        let failed: Vec<&str> =
            planned.iter().filter(|target| target.exit_code != 0).map(|target| target.name.as_str()).collect();
        ensure!(
            failed.is_empty(),
            Failure::new(format!("{name} has no plan for {}, because it has failed", failed.join(", ")))
                .hint(format!("{make}, or select targets that have a plan with `--only`"))
        );
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
