//! The source groups that a pattern selects.

use anyhow::Error;
use serde::Serialize;

use crate::model::arn::{GroupArn, GroupName, GroupPattern, GroupRef, GroupTemplate};

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
    /// The number of groups that run at a time.
    pub jobs: usize,
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
    /// Groups that match, and that have no target group of their own.
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
