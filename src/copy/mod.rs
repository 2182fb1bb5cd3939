//! Copies the artifacts of a plan to the target and verifies them.

mod artifacts;
mod claims;
mod engine;
mod existing;
mod folder;
mod holds;
mod limits;
mod marks;
mod meter;
mod multipart;
mod outcome;
mod parts;
mod run;
mod server_side;
mod stream;
mod summary;
mod there;
mod unexpected;
mod unfinished;
mod uploads;

pub use artifacts::{CopiedArtifacts, confirm, copy, preview, results};
pub use claims::{Claims, claims};
pub use engine::{CopyMode, CopySettings, Engine, STALL, Strictness};
pub use folder::Folder;
pub use holds::{HoldAt, Holds};
pub use limits::Limits;
pub use meter::{Meter, Reading};
pub use outcome::{Done, Outcome, Verified};
pub use parts::{MAX_PART, MIN_PART};
pub use summary::CopySummary;
pub use there::There;
pub use uploads::{OpenUploads, stays_open};
