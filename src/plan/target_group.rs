//! What the target group has before a version is promoted into it.

use serde::{Deserialize, Serialize};

/// The versions of the target group before the promotion, by who registered them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetGroupState {
    /// Whether the group existed.
    pub existed: bool,
    /// Versions that were promoted from the source group.
    pub ours: usize,
    /// Versions that others have registered.
    pub others: usize,
    /// Older versions, which were not looked at because a newer one is ours.
    pub unread: usize,
}

impl TargetGroupState {
    /// Whether the group has versions, of which none was promoted from the source group.
    pub fn is_others(&self) -> bool {
        self.ours == 0 && self.others > 0
    }
}
