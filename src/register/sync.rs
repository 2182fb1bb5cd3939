//! Syncs a promoted version with changes of its source version.

mod change;
mod sync_plan;
mod specifications;

pub use change::{Change, ChangeResult};
pub use sync_plan::SyncPlan;
