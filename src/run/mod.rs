//! The use cases as a library. Each is a function that takes a [`Context`] and settings.

mod clock;
mod context;
mod copy_artifacts;
mod copying;
mod event;
mod find_latest;
mod follow;
mod full;
mod intact;
mod news;
mod planned;
mod promotion;
mod register;
mod registering;
mod repair;
mod report;
pub mod settings;
mod source_version;
pub mod standing;
mod status;
mod sync;
mod synced;
mod target_group;
mod unrecorded;
mod verify;

pub use crate::copy::{Limits, Meter, Reading};
pub use clock::Clock;
pub use context::Context;
pub use copy_artifacts::copy_artifacts;
pub use event::{Event, Observer, Silent};
pub use find_latest::find_latest;
pub use full::full;
pub use register::register;
pub use report::RunReport;
pub use status::{StatusReport, status};
pub use verify::{Verification, verify};
