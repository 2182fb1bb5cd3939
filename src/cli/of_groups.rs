//! The document of a verb that ran for several groups.

use std::collections::BTreeMap;
use std::fmt::Debug;

use anyhow::{Error, Result};
use serde::{Serialize, Serializer};

use super::exit::Exit;
use super::failed::FailedRun;
use crate::model::arn::{GroupArn, GroupName};
use crate::record::Tool;
use crate::run::doctor::Mend;
use crate::run::many::{PassedOver, PlanDigest};

/// The result of a verb for one group, which is serialized as the document of the verb.
pub(super) trait Ended: Debug + Serialize + Send + Sized + 'static {
    /// Whether the verb only reads, so that a line for each group would repeat the table.
    const READS: bool;

    /// Whether the verb promotes, so that a group has a promoted version.
    const HAS_TARGET: bool = true;

    /// The outcome, as the document names it.
    fn outcome(&self) -> String;

    /// The outcome in a line.
    fn headline(&self) -> String;

    /// The numbers of the source version and of the promoted version, if they are known.
    fn versions(&self) -> (Option<u32>, Option<u32>);

    /// The digest of the plan, if the document is one.
    fn plan(&self) -> Option<&str> {
        None
    }

    /// What the text has below the table.
    ///
    /// # Errors
    /// It cannot be written.
    fn below(_: &ManyDocument<Self>, _: &mut String) -> Result<()> {
        Ok(())
    }

    /// Takes the policies out of the document: what has one policy, such as a bucket, has one for all groups.
    fn take_policies(&mut self) -> Vec<Mend> {
        Vec::new()
    }

    /// The digest of the plans of all groups that the run was given with `--plan`.
    fn reviewed_plan(&self) -> Option<&str> {
        None
    }

    /// The page of all groups, if the verb has one.
    fn page(_: &ManyDocument<Self>) -> Option<String> {
        None
    }

    /// Why the result is incomplete: what could not be read or followed.
    fn incomplete(&self) -> Option<String> {
        None
    }

    /// What is printed to standard error besides: messages, and failures that did not end the run.
    fn remarks(&self) -> (Option<String>, Vec<Error>) {
        (None, Vec::new())
    }
}

/// The document of a verb that ran for several groups.
#[derive(Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct ManyDocument<T: Ended> {
    pub schema: u32,
    pub verb: &'static str,
    pub pattern: String,
    /// The groups by name.
    pub groups: Vec<OfGroup<T>>,
    /// Groups that match and have nothing to promote.
    pub passed_over: Vec<PassedOver>,
    /// The plan of all groups that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanDigest>,
    /// The reviewed plan of all groups, with `--plan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_plan: Option<PlanDigest>,
    /// The policies that allow what is denied, for all groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Mend>,
    pub summary: GroupsSummary,
    pub tool: Tool,
    pub ended: String,
}

/// The result of one group.
#[derive(Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct OfGroup<T: Ended> {
    pub group: GroupArn,
    /// Nothing if the verb needs no target account, or the name is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group: Option<GroupName>,
    pub exit_code: Exit,
    /// The document that the verb prints for this group alone.
    #[serde(rename = "document", serialize_with = "document")]
    pub result: Result<T, FailedRun>,
}

/// The results of all groups.
#[derive(Debug, Serialize)]
pub(super) struct GroupsSummary {
    /// The number of groups.
    pub groups: usize,
    /// The number of groups with each outcome.
    pub outcomes: BTreeMap<String, usize>,
    /// The exit code of the run: the worst of all groups.
    pub exit_code: Exit,
}

impl<T: Ended> OfGroup<T> {
    /// The outcome, as the summary names it.
    pub fn outcome(&self) -> String {
        self.result.as_ref().map_or_else(|failed| failed.outcome().to_owned(), Ended::outcome)
    }

    /// The group, and the digest of its plan if it has one.
    pub fn plan(&self) -> (&GroupArn, Option<&str>) {
        (&self.group, self.result.as_ref().ok().and_then(Ended::plan))
    }

    /// The digest of the plans that the run was given with `--plan`.
    pub fn reviewed_plan(&self) -> Option<PlanDigest> {
        self.result.as_ref().ok()?.reviewed_plan().map(PlanDigest::made)
    }

    /// Why the group has failed, or why its result is incomplete.
    pub fn message(&self) -> Option<String> {
        match &self.result {
            Ok(ended) => ended.incomplete(),
            Err(failed) => Some(failed.message().to_owned()),
        }
    }
}

impl GroupsSummary {
    /// Counts the outcomes of the groups of a run.
    pub fn of<'a, T: Ended>(groups: impl Iterator<Item = &'a OfGroup<T>>, exit_code: Exit) -> Self {
        let mut outcomes = BTreeMap::new();
        for group in groups {
            *outcomes.entry(group.outcome()).or_default() += 1;
        }
        Self { groups: outcomes.values().sum(), outcomes, exit_code }
    }
}

/// Sorts groups by name, and returns the worst end of all.
pub(super) fn sorted<T: Ended>(groups: &mut [OfGroup<T>]) -> Exit {
    groups.sort_by_key(|group| group.group.name().canonical());
    groups.iter().fold(Exit::Done, |worst, group| worst.worst(group.exit_code))
}

fn document<T: Ended, S: Serializer>(result: &Result<T, FailedRun>, to: S) -> Result<S::Ok, S::Error> {
    match result {
        Ok(ended) => ended.serialize(to),
        Err(failed) => failed.serialize(to),
    }
}
