//! What copies need, and how they are made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::meter::Meter;
use super::uploads::OpenUploads;
use crate::aws::objects::{Encryption, SourceObjects, TargetObjects};

/// `--copy-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CopyMode {
    /// S3 copies; where that is denied and the source has its own principal, this process streams the bytes
    #[default]
    Auto,
    /// S3 copies; the target's principal reads the source
    ServerSide,
    /// The bytes pass through this process
    Stream,
}

/// `--verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// Compare S3's checksums, or ETags or sizes where an object has none
    #[default]
    Checksum,
    /// Read both objects again and compare every byte
    Deep,
    /// Compare sizes only, without extra requests
    Size,
}

/// How copies are made.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Who moves the bytes.
    pub mode: CopyMode,
    /// How copies are verified.
    pub verify: Strictness,
    /// The size of parts, and the size up to which an object has none.
    pub part_size: Option<u64>,
    /// A connection that brings less than 1 KiB/s for so long is given up.
    pub stall: Duration,
}

/// The SDK's own grace period for stalled streams.
pub const STALL: Duration = Duration::from_secs(20);

impl Default for Tuning {
    fn default() -> Self {
        let (mode, verify) = (CopyMode::default(), Strictness::default());
        Self { mode, verify, part_size: None, stall: STALL }
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
    /// Requests and memory, shared with other runs of the process.
    pub limits: &'a Limits,
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
