//! Syncs a promoted version with changes of its source version.

mod carried;
mod carry;
mod change;
mod comparison;
mod edit;
mod specifications;
mod sync_plan;

pub use change::{Change, ChangeResult};
pub use comparison::{Base, METADATA};
pub use edit::{Edit, edits, specifications_of_others};
pub use specifications::{SPECIFICATIONS, added_specifications, name_of, names};
pub use sync_plan::SyncPlan;
