//! What copies need, and how they are made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::meter::Meter;
use super::uploads::OpenUploads;
use crate::aws::objects::{Encryption, SourceObjects, TargetObjects};

/// `--copy-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyMode {
    /// Server-side; by streaming where that is denied and the source has a principal of its own.
    #[default]
    Auto,
    /// S3 copies; the target's principal reads the source.
    ServerSide,
    /// The bytes pass through this process.
    Stream,
}

/// `--verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// Compare S3 checksums, or ETags or sizes where there are none.
    #[default]
    Checksum,
    /// Read both objects again, byte by byte.
    Deep,
    /// Make no extra requests.
    Size,
}

/// How copies are made.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Who moves the bytes.
    pub mode: CopyMode,
    /// How copies are verified.
    pub verify: Strictness,
    /// Requests under way at once.
    pub concurrency: usize,
    /// The size of parts, and the size up to which an object has none.
    pub part_size: Option<u64>,
    /// A connection that brings less than 1 KiB/s for so long is given up.
    pub stall: Duration,
}

/// S3 takes 3,500 writes a second and prefix (its performance guidelines), which 256 requests of 70 ms use up.
const CONCURRENCY: usize = 256;
/// The SDK's own grace period for stalled streams.
pub const STALL: Duration = Duration::from_secs(20);

impl Default for Tuning {
    fn default() -> Self {
        let (mode, verify) = (CopyMode::default(), Strictness::default());
        Self { mode, verify, concurrency: CONCURRENCY, part_size: None, stall: STALL }
    }
}

/// What copies need.
pub struct Engine<'a> {
    /// Reads the source for itself.
    pub source: &'a SourceObjects,
    /// Writes the target; reads the source too when S3 does the copying.
    pub target: &'a TargetObjects,
    /// How copies are made.
    pub tuning: Tuning,
    /// Whether `source` has a principal of its own, so that streaming can do what a server-side copy may not.
    pub separate_principals: bool,
    /// How the target is encrypted.
    pub encryption: &'a Encryption,
    /// Counts.
    pub meter: &'a Meter,
    /// Keeps uploads that have to be aborted.
    pub uploads: &'a OpenUploads,
}

impl Engine<'_> {
    /// Whether streaming can do what a server-side copy may not.
    pub(super) fn may_fall_back(&self) -> bool {
        self.tuning.mode == CopyMode::Auto && self.separate_principals
    }
}
