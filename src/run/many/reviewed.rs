//! The plans of several groups that somebody has reviewed.

use std::collections::HashSet;
use std::fmt::Display;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::plan_file::{PlanKind, WantedPlan, not_wanted};
use super::selection::{FoundGroups, GroupPair, RefusedGroup};
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::record::{PlanText, Record, ReviewedPlan};
use crate::run::context::Context;
use crate::run::full::as_planned::full_as_planned;
use crate::run::full::full;
use crate::run::report::RunReport;
use crate::run::settings::FullSettings;

/// The group of a document for several groups, if the document is a plan.
#[derive(Deserialize)]
pub(crate) struct PlannedGroup {
    group: GroupArn,
    document: Value,
}

/// The digest of plans that were made together.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanDigest {
    digest: String,
}

impl PlanDigest {
    /// The digest of plans that were made before.
    pub fn made(digest: &str) -> Self {
        Self { digest: digest.to_owned() }
    }

    /// The digest of the plans of these groups. A group without a plan has failed.
    pub fn of<'a>(plans: impl Iterator<Item = (&'a GroupArn, Option<&'a str>)>) -> Self {
        Self::of_named(plans.map(|(group, digest)| (group.canonical(), digest)))
    }

    /// The digest of the plans of the targets of a promotions file. The groups of a target without plans were not found.
    pub fn of_targets<'a>(targets: impl Iterator<Item = (&'a str, Option<Self>)>) -> Self {
        Self::of_named(targets.map(|(name, groups)| (name, groups.map(|groups| groups.digest))))
    }

    fn of_named(plans: impl Iterator<Item = (impl Display, Option<impl Display>)>) -> Self {
        let mut hash = Sha256::new();
        for (name, digest) in plans {
            let digest = digest.map_or_else(|| "failed".to_owned(), |digest| digest.to_string());
            hash.update(format!("{name} {digest}\n"));
        }
        Self { digest: format!("sha256:{}", hex::encode(hash.finalize())) }
    }

    /// Refuses plans that have another digest now than when they were made. `of` names what has the plans.
    ///
    /// # Errors
    /// A plan was added, removed or exchanged.
    pub fn refuse_edited(&self, made: &Self, of: &str) -> Result<(), Failure> {
        let message = || format!("the plan was edited: its {of} have the digest {}, not {}", self.digest, made.digest);
        if self == made { Ok(()) } else { Err(Failure::new(message())) }
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
pub(crate) const MAKE: &str = "Make a new plan with `promote full --dry-run --record plan.json` for the same pattern";

/// The next step if a plan has other members than expected.
pub(crate) const RELEASE: &str = "Use the same release of promote for the plan and its promotion";

/// The plan of each group, or why it has none.
#[derive(Debug)]
pub struct ReviewedGroups {
    plans: Vec<(GroupArn, Result<ReviewedPlan, String>)>,
    /// How such plans are made.
    make: String,
}

impl ReviewedGroups {
    /// Parses the plan of a pattern, which `promote full --dry-run --record` has written. `name` names it in errors.
    ///
    /// # Errors
    /// The text is no such plan, or it was edited.
    pub fn parse(text: &[u8], name: &str) -> Result<Self> {
        if let Some(failure) = not_wanted(text, name, &WantedPlan { kind: PlanKind::Groups, make: MAKE }) {
            return Err(failure.into());
        }
        let document: PlanOfGroups = serde_json::from_slice(text)
            .with_context(|| format!("promote full cannot read {name} as a plan"))
            .hint(RELEASE)?;
        let reviewed = Self::of(document.groups, name, (MAKE, COMMAND))?;
        let now = PlanDigest::of(reviewed.plans.iter().map(|(group, plan)| {
            let plan = plan.as_ref().ok();
            (group, plan.map(ReviewedPlan::digest))
        }));
        now.refuse_edited(&document.plan, "groups").map_err(|failure| failure.hint(MAKE))?;
        Ok(reviewed.made_together(&document.plan))
    }

    /// The plans in the groups of a document. Errors name the document by `name`, and hints say by `make` and `command` how
    /// to make a plan.
    ///
    /// # Errors
    /// The plan of a group was edited.
    pub(crate) fn of(groups: Vec<PlannedGroup>, name: &str, (make, command): (&str, &str)) -> Result<Self> {
        let mut names = HashSet::new();
        if let Some(twice) = groups.iter().find(|planned| !names.insert(&planned.group)) {
            let message = format!("{name} was edited: it has two plans of {}", twice.group);
            return Err(Failure::new(message).hint(make).into());
        }
        let plans = groups.into_iter().map(|group| group.plan(command)).collect::<Result<Vec<_>>>();
        Ok(Self { plans: plans.with_context(|| name.to_owned())?, make: make.to_owned() })
    }

    /// The same plans as parts of the plans that have this digest.
    pub(crate) fn made_together(self, PlanDigest { digest }: &PlanDigest) -> Self {
        let plans = self.plans.into_iter().map(|(group, plan)| (group, plan.map(|plan| plan.of_groups(digest))));
        Self { plans: plans.collect(), ..self }
    }

    /// Refuses a plan of which a part is older than `limit`.
    ///
    /// # Errors
    /// It is older.
    pub fn refuse_older(&self, limit: Duration, now: SystemTime) -> Result<()> {
        let mut plans = self.plans.iter().filter_map(|(_, plan)| plan.as_ref().ok());
        plans.try_for_each(|plan| plan.refuse_older(limit, now))
    }

    /// Refuses the groups without a plan, and adds the planned groups that are not found any more, which are refused too.
    /// The others are carried out.
    pub fn planned(&self, found: FoundGroups) -> FoundGroups {
        let gone: Vec<GroupArn> = self.gone(&found).cloned().collect();
        let FoundGroups { groups, mut refused, passed_over } = found;
        let mut planned = Vec::new();
        for pair in groups {
            match self.plan_of(&pair.source) {
                Ok(_) => planned.push(pair),
                Err(error) => refused.push(RefusedGroup { pair, error }),
            }
        }
        refused.extend(gone.into_iter().map(|source| {
            let gone = || Failure::new(format!("{source} is in the plan, but no longer matches the pattern"));
            let error = self.plan_of(&source).err().unwrap_or_else(|| gone().hint(&self.make).into());
            RefusedGroup { pair: GroupPair { source, target: None }, error }
        }));
        FoundGroups { groups: planned, refused, passed_over }
    }

    /// The groups of the plan that are not among those that were found.
    fn gone(&self, found: &FoundGroups) -> impl Iterator<Item = &GroupArn> {
        let found: HashSet<GroupArn> = found.sources().cloned().collect();
        let planned = self.plans.iter().map(|(group, _)| group);
        planned.filter(move |group| !found.contains(group))
    }

    /// The plan of a group.
    ///
    /// # Errors
    /// The plan does not have the group, or leaves it out because it has failed.
    pub fn plan_of(&self, group: &GroupArn) -> Result<&ReviewedPlan> {
        let message = match self.plans.iter().find(|(planned, _)| planned == group) {
            Some((_, Ok(plan))) => return Ok(plan),
            Some((_, Err(failed))) => format!("the plan leaves out {group}, because its dry run has failed: {failed}"),
            None => format!("{group} matches the pattern, but is not in the plan"),
        };
        Err(Failure::new(message).hint(&self.make).into())
    }
}

impl PlannedGroup {
    /// The group, and the digest of its plan if it has one.
    pub fn digest(&self) -> (&GroupArn, Option<&str>) {
        (&self.group, self.document["plan"]["digest"].as_str())
    }

    /// The plan of the group, or why it has none.
    fn plan(self, command: &str) -> Result<(GroupArn, Result<ReviewedPlan, String>)> {
        let Self { group, document } = self;
        if document.get("plan").is_none() {
            let message = document["error"]["message"].as_str().or_else(|| document["failures"][0].as_str());
            return Ok((group, Err(message.unwrap_or("the file does not say why").to_owned())));
        }
        let text: serde_json::Result<PlanText> = serde_json::from_value(document.clone());
        let record: serde_json::Result<Record> = serde_json::from_value(document);
        let plan = record.and_then(|record| Ok((record, text?)));
        let plan = plan.with_context(|| format!("the plan of {group} cannot be read")).hint(RELEASE)?;
        let plan = ReviewedPlan::of(plan, command).with_context(|| group.to_string())?;
        Ok((group, Ok(plan)))
    }
}

/// Runs [`full()`] for a group of several: with the reviewed plan of the group, if the groups have reviewed plans.
///
/// # Errors
/// The plan does not have the group, or leaves it out. Otherwise as [`full_as_planned()`].
pub async fn full_for_group(
    context: &Context,
    settings: &FullSettings,
    reviewed: Option<&ReviewedGroups>,
) -> Result<RunReport> {
    let Some(reviewed) = reviewed else { return full(context, settings).await };
    let group = context.source_group(&settings.selection.group).await?;
    full_as_planned(context, settings, reviewed.plan_of(&group)?).await
}
