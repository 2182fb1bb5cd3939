//! The result of copying one image.

use serde::{Deserialize, Serialize};

/// What became of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageOutcome {
    /// This run copied it.
    Copied,
    /// It was there with the same digest.
    AlreadyThere,
    /// An earlier run copied it, as its record says. This run has not looked at it.
    Recorded,
    /// A dry run would copy it.
    Planned,
    /// AWS provides it in the target's region too.
    ReRegioned,
    /// The target uses the image of the source.
    Kept,
}

/// The result of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageDone {
    /// What became of it.
    pub outcome: ImageOutcome,
    /// The layers that the target did not have.
    pub missing_layers: usize,
    /// Their size in bytes.
    pub missing_bytes: u64,
}

impl ImageDone {
    pub(super) fn nothing_missing(outcome: ImageOutcome) -> Self {
        Self { outcome, missing_layers: 0, missing_bytes: 0 }
    }
}
