//! The source groups that a pattern selects.

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
    /// The target group.
    pub target: GroupName,
}

/// The groups of a pattern.
#[derive(Debug, Clone)]
pub struct FoundGroups {
    /// The groups in the order in which they begin.
    pub groups: Vec<GroupPair>,
    /// Groups that match, and that have nothing to promote.
    pub passed_over: Vec<PassedOver>,
}

/// A group that matches the pattern and is skipped.
#[derive(Debug, Clone, Serialize)]
pub struct PassedOver {
    /// The group.
    pub group: GroupArn,
    /// Its status: it could not be created, or is being deleted.
    pub status: &'static str,
}
