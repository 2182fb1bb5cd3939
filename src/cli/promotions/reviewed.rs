//! A plan of several promotions that somebody has reviewed: the file that `promote plan --record` has written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::file::FileTarget;
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::record::{Record, ReviewedPlan};

/// How a plan is made.
const MAKE: &str = "Make a new plan with `promote plan --record plan.json`";

/// The plans of all targets by name and group.
pub(super) struct ReviewedFile {
    targets: BTreeMap<String, Vec<(GroupArn, ReviewedPlan)>>,
}

#[derive(Deserialize)]
struct Document {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    exit_code: i32,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    group: GroupArn,
    exit_code: i32,
    document: Value,
}

impl ReviewedFile {
    /// Reads a plan.
    ///
    /// # Errors
    /// The file is no plan, or the plan of a group has failed.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read(path).with_context(|| format!("promote apply cannot read {name}")).hint(MAKE)?;
        let document: Document =
            serde_json::from_slice(&text).with_context(|| format!("{name} is not a plan of promotions")).hint(MAKE)?;
        let mut targets = BTreeMap::new();
        for target in document.targets {
            ensure!(
                target.exit_code == 0 && target.groups.iter().all(|group| group.exit_code == 0),
                Failure::new(format!("{name} has no plan for {}, because it has failed", target.name)).hint(MAKE)
            );
            let plans = target.groups.into_iter().map(Group::plan).collect::<Result<Vec<_>>>();
            targets.insert(target.name, plans.with_context(|| name.to_string())?);
        }
        Ok(Self { targets })
    }

    /// Refuses a plan of which a part is older than `limit`.
    ///
    /// # Errors
    /// It is older.
    pub fn refuse_older(&self, limit: Duration, now: SystemTime) -> Result<()> {
        self.targets.values().flatten().try_for_each(|(_, plan)| plan.refuse_older(limit, now))
    }

    /// Refuses targets that the plan does not have.
    ///
    /// # Errors
    /// The message names the target.
    pub fn refuse_other_targets(&self, targets: &[FileTarget]) -> Result<()> {
        for FileTarget { name, .. } in targets {
            let missing = || Failure::new(format!("the target {name} is not in the plan")).hint(MAKE);
            ensure!(self.targets.contains_key(name), missing());
        }
        Ok(())
    }

    /// Refuses groups of a target that the plan does not have, and planned groups that are not found any more.
    ///
    /// # Errors
    /// The message names the group.
    pub fn refuse_other_groups<'a>(&self, target: &str, found: impl Iterator<Item = &'a GroupArn>) -> Result<()> {
        let planned = self.targets.get(target).map(Vec::as_slice).unwrap_or_default();
        let found: Vec<&GroupArn> = found.collect();
        if let Some(new) = found.iter().find(|group| !planned.iter().any(|(planned, _)| planned == **group)) {
            return Err(Failure::new(format!("{target}: {new} matches, and is not in the plan")).hint(MAKE).into());
        }
        if let Some((gone, _)) = planned.iter().find(|(planned, _)| !found.contains(&planned)) {
            return Err(Failure::new(format!("{target}: {gone} is in the plan, and matches no more"))
                .hint(MAKE)
                .into());
        }
        Ok(())
    }

    /// The plan of a group.
    pub fn of(&self, target: &str, group: &GroupArn) -> Option<&ReviewedPlan> {
        let plans = self.targets.get(target)?;
        plans.iter().find(|(planned, _)| planned == group).map(|(_, plan)| plan)
    }
}

impl Group {
    fn plan(self) -> Result<(GroupArn, ReviewedPlan)> {
        let record: Record = serde_json::from_value(self.document)
            .with_context(|| format!("the plan of {} cannot be read", self.group))
            .hint("Use the same release of promote for the plan and its promotion")?;
        let plan = ReviewedPlan::of(record).with_context(|| self.group.to_string())?;
        Ok((self.group, plan))
    }
}
