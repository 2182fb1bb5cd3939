//! A plan of several promotions that somebody has reviewed: the file that `promote plan --record` has written.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::model::failure::{Failure, Hint};
use crate::run::many::{
    FoundGroups, PlanDigest, PlanKind, PlannedGroup, RELEASE, ReviewedGroups, WantedPlan, not_wanted,
};

/// The exit code of an interrupted run: 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// The plans of all targets by name and group.
#[derive(Debug)]
pub struct ReviewedPromotions {
    /// A target has a message instead if its groups could not be found.
    targets: BTreeMap<String, Result<ReviewedGroups, String>>,
    /// How such a plan is made.
    make: String,
}

#[derive(Deserialize)]
struct PlanOfFile {
    plan: PlanDigest,
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

impl ReviewedPromotions {
    /// Parses the plans of the selected targets. `name` names the text in errors, and `command` makes such a plan.
    ///
    /// # Errors
    /// The text is no plan, it was edited, or the plan of one of these targets was interrupted.
    pub fn parse(text: &[u8], name: &str, command: &str, selected: &[&str]) -> Result<Self> {
        let make = make_with(command);
        let wanted = WantedPlan { kind: PlanKind::Promotions, make: &make };
        if let Some(failure) = not_wanted(text, name, &wanted) {
            return Err(failure.into());
        }
        let document: PlanOfFile = serde_json::from_slice(text)
            .with_context(|| format!("promote apply cannot read {name} as a plan"))
            .hint(RELEASE)?;
        let now = digest(&document.targets);
        let is_selected = |target: &PlannedTarget| selected.contains(&target.name.as_str());
        let planned: Vec<PlannedTarget> = document.targets.into_iter().filter(is_selected).collect();
        if let Some(target) = planned.iter().find(|target| target.exit_code == i32::from(INTERRUPTED)) {
            let message = format!("{name} has no plan for {}, because it was interrupted", target.name);
            return Err(Failure::new(message).hint(make).into());
        }
        let mut targets = BTreeMap::new();
        for PlannedTarget { name: target, groups, error, .. } in planned {
            let groups = match error {
                Some(error) => Err(error["error"]["message"].as_str().unwrap_or_default().to_owned()),
                None => Ok(ReviewedGroups::of(groups, name, (&make, command))?.made_together(&document.plan)),
            };
            targets.insert(target, groups);
        }
        now.refuse_edited(&document.plan, "targets").map_err(|failure| failure.hint(&make))?;
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
    pub fn refuse_other_targets(&self, targets: &[&str]) -> Result<()> {
        let mut missing = targets.iter().filter(|target| !self.targets.contains_key(**target));
        missing.try_for_each(|target| self.groups_of(target).map(drop))
    }

    /// Refuses the groups of a target that have no plan, and the planned groups that are not found any more.
    ///
    /// # Errors
    /// The plan leaves out the target, because its groups could not be found.
    pub(super) fn planned(&self, target: &str, found: FoundGroups) -> Result<FoundGroups> {
        Ok(self.groups_of(target)?.planned(found))
    }

    /// The plans of the groups of a target.
    ///
    /// # Errors
    /// The plan does not have the target, or leaves it out because its groups could not be found.
    pub(super) fn groups_of(&self, target: &str) -> Result<&ReviewedGroups> {
        let message = match self.targets.get(target) {
            Some(Ok(groups)) => return Ok(groups),
            Some(Err(failed)) => format!("the plan leaves out {target}, because its dry run has failed: {failed}"),
            None => format!("the target {target} is not in the plan"),
        };
        Err(Failure::new(message).hint(&self.make).into())
    }
}

/// The digest of the plans of all targets.
fn digest(targets: &[PlannedTarget]) -> PlanDigest {
    PlanDigest::of_targets(targets.iter().map(|PlannedTarget { name, groups, error, .. }| {
        let groups = error.is_none().then(|| PlanDigest::of(groups.iter().map(PlannedGroup::digest)));
        (name.as_str(), groups)
    }))
}

/// How a plan is made, as a hint.
pub(crate) fn make_with(command: &str) -> String {
    format!("Make a new plan with `{command}`")
}
