//! The settings and shared resources of the copy step.

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
    /// Have S3 copy; if access is denied and source and target have different principals, stream
    #[default]
    Auto,
    /// Have S3 copy; the target's credentials must be allowed to read the source
    ServerSide,
    /// Stream the bytes through this process
    Stream,
}

/// `--verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// Compare ETags or S3 checksums, or sizes if neither can be compared
    #[default]
    Checksum,
    /// Read both objects again and compare every byte
    Deep,
    /// As checksum, but without extra requests for new copies
    Size,
}

/// How artifacts are copied.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopySettings {
    /// Whether S3 copies or promote streams.
    pub mode: CopyMode,
    /// How copies are verified.
    pub verify: Strictness,
    /// The part size in bytes. Objects up to this size are copied in one request. `None` selects it by the object size.
    pub part_size: Option<u64>,
    /// Seconds after which a download slower than 1 KiB/s is retried.
    pub stall_seconds: u64,
}

/// The default of `stall_seconds`: the SDK's own grace period for stalled streams.
pub const STALL: Duration = Duration::from_secs(20);

impl Default for CopySettings {
    fn default() -> Self {
        let (mode, verify) = (CopyMode::default(), Strictness::default());
        Self { mode, verify, part_size: None, stall_seconds: STALL.as_secs() }
    }
}

impl CopySettings {
    /// The time after which a download slower than 1 KiB/s is retried.
    pub(crate) fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_seconds.max(1))
    }
}

/// The clients, settings and shared resources of copies.
pub struct Engine<'a> {
    /// Reads the source.
    pub source: &'a SourceObjects,
    /// Writes the target. In server-side copies, its principal also reads the source.
    pub target: &'a TargetObjects,
    /// The settings.
    pub settings: CopySettings,
    /// The limits of requests and memory, shared by all runs of the process.
    pub limits: &'a Limits,
    /// Whether `source` has its own principal, so that streaming can succeed if a server-side copy is denied.
    pub separate_principals: bool,
    /// The encryption of target objects.
    pub encryption: &'a Encryption,
    /// The progress counters.
    pub meter: &'a Meter,
    /// The open multipart uploads.
    pub uploads: &'a OpenUploads,
}

impl Engine<'_> {
    /// Whether to stream if a server-side copy is denied.
    pub(super) fn may_fall_back(&self) -> bool {
        self.settings.mode == CopyMode::Auto && self.separate_principals
    }
}
