//! Syncs a promoted version with changes of its source version.

mod change;
mod specifications;
mod sync_plan;

pub use change::{Change, ChangeResult};
pub use sync_plan::SyncPlan;
