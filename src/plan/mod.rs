//! Plans a promotion: finds the version, looks up its references, and decides what is copied and requested.

mod archived;
pub mod artifact;
pub mod artifacts;
mod card;
pub mod draft;
pub mod find;
pub mod images;
pub mod inventory;
mod limits;
pub mod manifest;
pub mod not_carried;
pub mod path_warnings;
mod planning;
pub(crate) mod provenance;
pub mod resolved;
pub mod rewriting;
pub mod target_group;
mod warning;

pub use planning::{Plan, plan};
pub use rewriting::urls_elsewhere;
pub use warning::Warning;
