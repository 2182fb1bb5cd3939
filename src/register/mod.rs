//! Registers, approves and withdraws promoted versions, and syncs them with later changes of their sources.

mod decision;
mod discarded;
pub mod existing;
mod new_group;
mod registration;
pub mod sync;
mod visibility;
pub mod withdrawal;

pub use new_group::NewGroup;
pub use registration::{Policy, Registration, register};
