//! Copies the artifacts of a plan: artifacts come in, copies come out, each with how it was verified. Nothing can be
//! registered without them.

mod budget;
mod existing;
pub mod folder;
pub mod meter;
mod multipart;
pub mod parts;
mod run;
mod server_side;
mod stream;
mod there;
pub mod uploads;
mod work;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

pub use there::There;

use crate::aws::objects::{Encryption, SourceObjects, TargetObjects};
use crate::copy::meter::Meter;
use crate::copy::uploads::OpenUploads;
use crate::plan::Plan;
use crate::store::spool::Numbered;
use budget::{Budget, REQUESTS};
use run::Run;
use stream::{PASSING, units};

/// Bytes that a streaming copy has in memory at once: parts that are held, and the buffers of those that pass through.
const STREAM_MEMORY: u64 = 64 << 20;

/// `--copy-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CopyMode {
    /// S3 copies; this process streams where S3 is denied it and the source has its own principal
    #[default]
    Auto,
    /// S3 copies; the target's principal reads the source
    ServerSide,
    /// The bytes pass through this process
    Stream,
}

/// How an artifact came to be at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// This run copied it.
    Copied,
    /// It was there, from an earlier run.
    AlreadyThere,
    /// A dry run would copy it.
    Planned,
}

/// How a copy was held against its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// Both were read again, and every byte is equal.
    Bytes,
    /// A checksum over all bytes (CRC64NVME) is equal.
    Checksum,
    /// The ETag is equal: the MD5 of the bytes, or of the same parts.
    Etag,
    /// The size is equal, and the copy was made from the source's ETag: the weakest kind.
    Size,
}

/// `--verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
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

/// What became of an artifact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    /// How it came to be there.
    pub outcome: Outcome,
    /// How it was verified; nothing in a dry run.
    pub verified: Option<Verified>,
    /// The ETag at the target.
    pub etag: Option<String>,
    /// The CRC64NVME of the whole object, in base64, where S3 has told it.
    pub crc64nvme: Option<String>,
}

/// What became of all artifacts of a plan: each is at the target and verified, or would be after a dry run.
#[derive(Debug)]
pub struct Copies(Numbered<Done>);

impl Copies {
    /// What became of an artifact, by its number in the plan.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn of(&self, number: usize) -> Result<Done> {
        self.0.get(number)
    }
}

/// What a run of the engine is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Copy what is not there.
    Copy,
    /// Everything has to be there already: what is not, is an error.
    Confirm,
    /// A dry run: say what is there and what would be copied.
    Preview,
}

/// How copies are made.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Who moves the bytes.
    pub mode: CopyMode,
    /// How strictly copies are held against their sources.
    pub verify: Strictness,
    /// Requests under way at once; otherwise as many as turn out well.
    pub concurrency: Option<usize>,
    /// The size of parts, and the size up to which an object has none; otherwise by what was measured.
    pub part_size: Option<u64>,
    /// A connection that brings less than 1 KiB/s for so long is given up.
    pub stall: Duration,
}

/// The SDK's own grace period for stalled streams.
pub const STALL: Duration = Duration::from_secs(20);

impl Default for Tuning {
    fn default() -> Self {
        let (mode, verify) = (CopyMode::default(), Strictness::default());
        Self { mode, verify, concurrency: None, part_size: None, stall: STALL }
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

/// Brings every artifact of the plan to the target.
///
/// # Errors
/// The first artifact that cannot be copied, by its fields; its fellows under way are given up, and a later run takes
/// up what is complete: whole objects, and parts of unfinished ones.
pub async fn copy(plan: &Plan, there: There, engine: &Engine<'_>, purpose: Purpose) -> Result<Copies> {
    if purpose == Purpose::Confirm {
        there.refuse_missing(plan)?;
    }
    let before = there.open();
    let budget = |reach| {
        let pressure = vec![engine.source.pressure(), engine.target.pressure()];
        Budget::new(engine.tuning.concurrency, reach, pressure)
    };
    let run = Run {
        engine,
        purpose,
        there,
        budget: budget(REQUESTS),
        passing: budget(PASSING),
        memory: Semaphore::new(units(STREAM_MEMORY) as usize),
        only_streams: AtomicBool::new(engine.tuning.mode == CopyMode::Stream),
    };
    let copies = match run.all(plan).await {
        Ok(copies) => copies,
        Err(error) => return Err(engine.uploads.leave(error).await),
    };
    if purpose == Purpose::Copy {
        let leftovers = match engine.uploads.may_be_more() {
            true => there::open_uploads(engine.target, &plan.layout.folder()).await?,
            false => before,
        };
        there::abort_leftovers(engine.target, &leftovers).await?;
    }
    Ok(copies)
}

impl Engine<'_> {
    /// Whether streaming can do what a server-side copy may not.
    fn may_fall_back(&self) -> bool {
        self.tuning.mode == CopyMode::Auto && self.separate_principals
    }
}
