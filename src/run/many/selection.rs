//! The source groups that a pattern selects.

use anyhow::Error;
use serde::Serialize;

use crate::model::arn::{GroupArn, GroupName, GroupPattern, GroupRef, GroupTemplate};
use crate::register::NewGroup;

/// The source groups to run for.
#[derive(Debug, Clone)]
pub struct GroupSelection {
    /// The pattern that they match.
    pub pattern: GroupPattern,
    /// Tags that each of them has.
    pub tags: Vec<(String, String)>,
    /// The group that begins before the others.
    pub first: Option<GroupRef>,
    /// The name of each target group; otherwise the source group's name.
    pub target_group: Option<GroupTemplate>,
    /// The tags of target groups that the run creates, which take precedence over those of their source groups; nothing
    /// if it creates none.
    pub created_tags: Option<Vec<(String, String)>>,
    /// The number of groups that run at a time.
    pub jobs: usize,
}

impl GroupSelection {
    /// Whether a target group that does not exist yet has all of the tags once the run has created it.
    pub(super) fn selects_created(&self) -> bool {
        let created = self.created_tags.as_ref().map(|own| NewGroup::of(None, self.tags.clone(), own).tags);
        self.tags.iter().all(|tag| created.as_ref().is_some_and(|created| created.contains(tag)))
    }
}

/// A source group and the name of its target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPair {
    /// The source group.
    pub source: GroupArn,
    /// The target group; nothing if the run needs no target account.
    pub target: Option<GroupName>,
}

/// The groups of a pattern.
#[derive(Debug)]
pub struct FoundGroups {
    /// The groups in the order in which they begin.
    pub groups: Vec<GroupPair>,
    /// Groups that match, and that have no target group of their own, or whose tags could not be read.
    pub refused: Vec<RefusedGroup>,
    /// Groups that match, and that have nothing to promote.
    pub passed_over: Vec<PassedOver>,
}

impl FoundGroups {
    /// The source groups, also those that are refused.
    pub fn sources(&self) -> impl Iterator<Item = &GroupArn> {
        self.groups.iter().chain(self.refused.iter().map(|refused| &refused.pair)).map(|pair| &pair.source)
    }
}

/// A group that matches the pattern and cannot be promoted, although the others can.
#[derive(Debug)]
pub struct RefusedGroup {
    /// The source group, and its target group if its name is known.
    pub pair: GroupPair,
    /// Why it is refused.
    pub error: Error,
}

/// A group that matches the pattern and is skipped.
#[derive(Debug, Clone, Serialize)]
pub struct PassedOver {
    /// The group.
    pub group: GroupArn,
    /// Its status: it could not be created, or is being deleted.
    pub status: &'static str,
}
