//! The plans of several groups that somebody has reviewed.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::plan_file::{PlanKind, Wanted, not_wanted};
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::record::{Record, ReviewedPlan};

/// The group of a document for several groups, if the document is a plan.
#[derive(Deserialize)]
pub(super) struct PlannedGroup {
    group: GroupArn,
    exit_code: i32,
    document: Value,
}

/// The digest of the plans of all groups.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlanDigest {
    digest: String,
}

impl PlanDigest {
    /// The digest of plans that were made before.
    pub fn made(digest: &str) -> Self {
        Self { digest: digest.to_owned() }
    }

    /// The digest of the plans of these groups.
    pub fn of<'a>(plans: impl Iterator<Item = (&'a GroupArn, &'a str)>) -> Self {
        let mut hash = Sha256::new();
        for (group, digest) in plans {
            hash.update(format!("{} {digest}\n", group.canonical()));
        }
        Self { digest: format!("sha256:{}", hex::encode(hash.finalize())) }
    }
}

/// The document of a dry run for several groups.
#[derive(Deserialize)]
struct PlanOfGroups {
    plan: PlanDigest,
    groups: Vec<PlannedGroup>,
}

/// The command that makes the plan of a pattern.
const COMMAND: &str = "promote full --dry-run --record plan.json";
/// How the plan of a pattern is made.
const MAKE: &str =
    "Make a new plan with `promote full --dry-run --record plan.json` for the same pattern; it must exit with 0";

/// The next step if a plan has other members than expected.
pub(super) const RELEASE: &str = "Use the same release of promote for the plan and its promotion";

/// The plan of each group.
pub(super) struct ReviewedGroups {
    plans: Vec<(GroupArn, ReviewedPlan)>,
    /// How such plans are made.
    make: String,
}

impl ReviewedGroups {
    /// Reads the plan of a pattern, which `promote full --dry-run --record` has written. `-` is standard input.
    ///
    /// # Errors
    /// The file is no such plan, a group of it has failed, or it was edited.
    pub fn read(path: &Path) -> Result<Self> {
        let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
        let mut text = Vec::new();
        let read = match path == Path::new("-") {
            true => std::io::stdin().read_to_end(&mut text).map(drop),
            false => std::fs::read(path).map(|bytes| text = bytes),
        };
        read.with_context(|| format!("promote full cannot read {name}")).hint(MAKE)?;
        let wanted = Wanted { kind: PlanKind::Groups(String::new()), make: MAKE };
        if let Some(failure) = not_wanted(text.as_slice(), &name, &wanted) {
            return Err(failure.into());
        }
        let document: PlanOfGroups = serde_json::from_slice(&text)
            .with_context(|| format!("promote full cannot read {name} as a plan"))
            .hint(RELEASE)?;
        let Self { plans, make } = Self::of(document.groups, &name, (MAKE, COMMAND))?;
        let digest = &document.plan.digest;
        let plans = plans.into_iter().map(|(group, plan)| (group, plan.of_groups(digest))).collect();
        let reviewed = Self { plans, make };
        reviewed.refuse_edited(digest)?;
        Ok(reviewed)
    }

    /// Takes the groups of a document as plans. `name` names the document, `make` says how a plan is made, and with
    /// which command.
    ///
    /// # Errors
    /// The plan of a group has failed, or it was edited.
    pub fn of(groups: Vec<PlannedGroup>, name: &str, (make, command): (&str, &str)) -> Result<Self> {
        if let Some(failed) = groups.iter().find(|group| group.exit_code != 0) {
            let message = format!("{name} has no plan for {}, because it has failed", failed.group);
            return Err(Failure::new(message).hint(make).into());
        }
        let plans = groups.into_iter().map(|group| group.plan(command)).collect::<Result<Vec<_>>>();
        Ok(Self { plans: plans.with_context(|| name.to_owned())?, make: make.to_owned() })
    }

    /// Refuses other groups than those that were planned together.
    ///
    /// # Errors
    /// A group was added to the plan or removed from it.
    fn refuse_edited(&self, planned: &str) -> Result<()> {
        let now = PlanDigest::of(self.plans.iter().map(|(group, plan)| (group, plan.digest()))).digest;
        ensure!(
            now == planned,
            Failure::new(format!("the plan was edited: its groups have the digest {now}, not {planned}"))
                .hint(&self.make)
        );
        Ok(())
    }

    /// Refuses a plan of which a part is older than `limit`.
    ///
    /// # Errors
    /// It is older.
    pub fn refuse_older(&self, limit: Duration, now: SystemTime) -> Result<()> {
        self.plans.iter().try_for_each(|(_, plan)| plan.refuse_older(limit, now))
    }

    /// Refuses groups that the plan does not have, and planned groups that are not found any more.
    ///
    /// # Errors
    /// The message names the group.
    pub fn refuse_other_groups<'a>(&self, found: impl Iterator<Item = &'a GroupArn>) -> Result<()> {
        let found: Vec<&GroupArn> = found.collect();
        if let Some(new) = found.iter().find(|group| self.plan_of(group).is_none()) {
            return Err(Failure::new(format!("{new} matches the pattern, but is not in the plan"))
                .hint(&self.make)
                .into());
        }
        if let Some((gone, _)) = self.plans.iter().find(|(planned, _)| !found.contains(&planned)) {
            return Err(Failure::new(format!("{gone} is in the plan, but no longer matches the pattern"))
                .hint(&self.make)
                .into());
        }
        Ok(())
    }

    /// The plan of a group.
    pub fn plan_of(&self, group: &GroupArn) -> Option<&ReviewedPlan> {
        self.plans.iter().find(|(planned, _)| planned == group).map(|(_, plan)| plan)
    }
}

impl PlannedGroup {
    fn plan(self, command: &str) -> Result<(GroupArn, ReviewedPlan)> {
        let record: Record = serde_json::from_value(self.document)
            .with_context(|| format!("the plan of {} cannot be read", self.group))
            .hint(RELEASE)?;
        let plan = ReviewedPlan::of(record, command).with_context(|| self.group.to_string())?;
        Ok((self.group, plan))
    }
}
