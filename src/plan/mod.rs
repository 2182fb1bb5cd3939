//! Plans a promotion: finds the version, looks up its references, and decides what is copied and requested.

mod archived;
pub mod artifact;
pub mod artifacts;
pub(crate) mod aws_registries;
mod card;
pub mod draft;
pub mod environment;
pub mod find;
pub mod findings;
pub mod images;
pub mod inventory;
mod limits;
pub mod manifest;
mod missing;
pub mod not_carried;
mod noted;
pub mod path_warnings;
mod planning;
pub(crate) mod provenance;
pub(crate) mod refusals;
mod replaced;
pub mod requested;
pub mod resolved;
pub mod rewriting;
mod rules;
pub(crate) mod sealed;
pub mod target_group;
mod unchanged;
mod visible;
mod warning;

pub use archived::{ARCHIVED, RESTORE};
pub use findings::references_of;
pub use planning::{Plan, plan};
pub use rewriting::urls_elsewhere;
pub use visible::{Checked, checked_references};
pub use warning::{Warning, add_new};
