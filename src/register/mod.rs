//! Registers, approves and withdraws promoted versions, and syncs them with later changes of their sources.

mod attempt;
mod completion;
pub mod decision;
mod discarded;
mod duplicates;
mod event;
pub mod existing;
mod new_group;
mod once;
mod policy;
mod recorded_approval;
mod registration;
mod services;
pub mod sync;
mod visibility;
mod wanted;
mod withheld;

pub use discarded::is_overtaken;
pub use event::RegistrationEvent;
pub use new_group::NewGroup;
pub use policy::RegistrationPolicy;
pub use registration::{Registrar, Registration};
pub use services::SourceNow;
pub use visibility::describe_updated;

#[cfg(test)]
mod interleavings;
