//! A plan of several promotions that somebody has reviewed: the file that `promote plan --record` has written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::file::FileTarget;
use crate::cli::exit::Exit;
use crate::cli::plan_file::{PlanKind, Wanted, not_wanted};
use crate::cli::reviewed_groups::{PlannedGroup, RELEASE, ReviewedGroups};
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::record::ReviewedPlan;
use crate::run::many::FoundGroups;

/// The plans of all targets by name and group.
pub(super) struct ReviewedFile {
    /// A target has a message instead if its groups could not be found.
    targets: BTreeMap<String, Result<ReviewedGroups, String>>,
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
    /// Why its groups could not be found.
    error: Option<Value>,
}

impl ReviewedFile {
    /// Reads the plans of these targets of a promotions file.
    ///
    /// # Errors
    /// The file is no plan, or the plan of one of these targets was interrupted.
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
        let planned: Vec<PlannedTarget> = document.targets.into_iter().filter(is_selected).collect();
        if let Some(target) = planned.iter().find(|target| target.exit_code == Exit::Interrupted.code()) {
            let message = format!("{name} has no plan for {}, because it was interrupted", target.name);
            return Err(Failure::new(message).hint(make).into());
        }
        let mut targets = BTreeMap::new();
        for PlannedTarget { name: target, groups, error, .. } in planned {
            let groups = match error {
                Some(error) => Err(error["error"]["message"].as_str().unwrap_or_default().to_owned()),
                None => Ok(ReviewedGroups::of(groups, &name.to_string(), (&make, &command))?),
            };
            targets.insert(target, groups);
        }
        Ok(Self { targets, make })
    }

    /// Refuses a plan of which a part is older than `limit`.
    ///
    /// # Errors
    /// It is older.
    pub fn refuse_older(&self, limit: Duration, now: SystemTime) -> Result<()> {
        let mut targets = self.targets.values().filter_map(|groups| groups.as_ref().ok());
        targets.try_for_each(|groups| groups.refuse_older(limit, now))
    }

    /// Refuses targets that the plan does not have.
    ///
    /// # Errors
    /// The message names the target.
    pub fn refuse_other_targets(&self, targets: &[FileTarget]) -> Result<()> {
        let mut missing = targets.iter().filter(|target| !self.targets.contains_key(&target.name));
        missing.try_for_each(|target| self.groups(&target.name).map(drop))
    }

    /// Refuses the groups of a target that have no plan, and the planned groups that are not found any more.
    ///
    /// # Errors
    /// The plan leaves out the target, because its groups could not be found.
    pub fn planned(&self, target: &str, found: FoundGroups) -> Result<FoundGroups> {
        Ok(self.groups(target)?.planned(found))
    }

    /// The plan of a group.
    ///
    /// # Errors
    /// The group has no plan.
    pub fn of(&self, target: &str, group: &GroupArn) -> Result<&ReviewedPlan> {
        self.groups(target)?.plan_of(group)
    }

    fn groups(&self, target: &str) -> Result<&ReviewedGroups> {
        let message = match self.targets.get(target) {
            Some(Ok(groups)) => return Ok(groups),
            Some(Err(failed)) => format!("the plan leaves out {target}, because its dry run has failed: {failed}"),
            None => format!("the target {target} is not in the plan"),
        };
        Err(Failure::new(message).hint(&self.make).into())
    }
}
