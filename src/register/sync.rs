//! Carries changes of a source version over to its promoted version.

mod change;
mod renewal;
mod specifications;

pub use change::{Change, Renewed};
pub use renewal::Renewal;
