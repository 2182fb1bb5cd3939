//! Copies the artifacts of a plan: artifacts come in, copies come out, each with how it was verified. Nothing can be
//! registered without them.

mod budget;
mod existing;
mod multipart;
pub mod parts;
mod server_side;
mod stream;
mod there;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

pub use there::There;

use super::artifacts::{Artifact, Body};
use super::meter::Meter;
use super::plan::Plan;
use super::spool::Numbered;
use super::uploads::OpenUploads;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Encryption, Head, SourceObjects, TargetObjects};
use budget::Budget;

/// Bytes that a streaming copy holds in memory at once, in MiB; part size times parts under way never exceed it, but
/// for one part that is larger.
const STREAM_MEMORY_MIB: usize = 64;

/// Objects of so many bytes or more are begun before smaller ones, in these classes.
const CLASSES: [u64; 4] = [1 << 30, 64 << 20, 1 << 20, 0];

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// By what S3 tells of both: checksums, where they have them, else ETags or sizes.
    #[default]
    Checksum,
    /// By reading both again, byte by byte.
    Deep,
    /// By what the answers to the copies tell; no request more.
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
    let run = Run {
        engine,
        purpose,
        there,
        budget: Budget::new(engine.tuning.concurrency, vec![engine.source.pressure(), engine.target.pressure()]),
        memory: Semaphore::new(STREAM_MEMORY_MIB),
        only_streams: AtomicBool::new(engine.tuning.mode == CopyMode::Stream),
    };
    let copies = match run.all(plan).await {
        Ok(copies) => copies,
        Err(error) => return Err(engine.uploads.leave(error).await),
    };
    if purpose == Purpose::Copy {
        let leftovers = match engine.uploads.has_begun() {
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

/// One run over all artifacts.
struct Run<'a> {
    engine: &'a Engine<'a>,
    purpose: Purpose,
    there: There,
    budget: Budget,
    memory: Semaphore,
    /// Set when a server-side copy was denied: the rest need not try.
    only_streams: AtomicBool,
}

impl Run<'_> {
    /// Large objects first, so that small ones fill the gaps at the end. Where a server-side copy may be denied, the
    /// smallest object tells, so that the rest need not try.
    async fn all(&self, plan: &Plan) -> Result<Copies> {
        let work = Work::of(plan)?;
        self.engine.meter.expect(work.objects as u64, work.bytes);
        let mut copies = Numbered::new(work.objects)?;
        let probe = if self.engine.may_fall_back() { work.smallest } else { None };
        if let Some(number) = probe
            && let Some(artifact) = plan.artifacts.iter().nth(number)
        {
            let (number, done) = self.numbered(number, artifact?).await?;
            copies.insert(number, &done)?;
        }
        let rest = work.in_order(plan).filter(|item| item.as_ref().map_or(true, |(number, _)| Some(*number) != probe));
        let rest = rest.map(|item| async {
            let (number, artifact) = item?;
            self.numbered(number, artifact).await
        });
        let mut under_way = futures_util::stream::iter(rest).buffer_unordered(budget::MOST);
        while let Some((number, done)) = under_way.try_next().await? {
            copies.insert(number, &done)?;
        }
        Ok(Copies(copies))
    }

    async fn numbered(&self, number: usize, artifact: Artifact) -> Result<(usize, Done)> {
        let done = self.one(&artifact).await.with_context(|| self.act(&artifact))?;
        Ok((number, done))
    }

    fn act(&self, artifact: &Artifact) -> String {
        let field = artifact.fields.first().map(ToString::to_string).unwrap_or_default();
        let (source, target) = (&artifact.source.location, &artifact.target);
        match self.purpose {
            Purpose::Copy => format!("copying {source} ({field}) to {target}"),
            Purpose::Confirm | Purpose::Preview => format!("comparing {target} with {source} ({field})"),
        }
    }

    async fn one(&self, artifact: &Artifact) -> Result<Done> {
        if let Some(done) = self.found(artifact).await? {
            self.engine.meter.found(artifact.bytes());
            return Ok(done);
        }
        match self.purpose {
            Purpose::Copy => self.bring(artifact).await,
            Purpose::Preview => Ok(Done { outcome: Outcome::Planned, verified: None, etag: None, crc64nvme: None }),
            Purpose::Confirm => bail!("{} is not there. Run `promote copy-artifacts` first", artifact.target),
        }
    }

    /// The copy that was there before this run.
    async fn found(&self, artifact: &Artifact) -> Result<Option<Done>> {
        if let Some(listed) = self.there.object(&artifact.target) {
            return self.compare(artifact, listed.size, &listed.etag).await.map(Some);
        }
        if self.purpose == Purpose::Copy || self.there.is_complete() {
            return Ok(None);
        }
        match self.target_head(artifact).await {
            Ok(head) => self.compare(artifact, head.size, &head.etag).await.map(Some),
            Err(error) if kind(&error) == Some(Kind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn bring(&self, artifact: &Artifact) -> Result<Done> {
        let done = match self.attempt(artifact).await {
            // The upload was completed or aborted by another run, or by its owner: a new one settles it.
            Err(error) if kind(&error) == Some(Kind::NoSuchUpload) => match self.settle(artifact, error).await {
                Ok(done) => done,
                Err(_) => self.attempt_or_settle(artifact).await?,
            },
            Err(error) => self.settle(artifact, error).await?,
            Ok(done) => done,
        };
        match done.outcome {
            Outcome::AlreadyThere => self.engine.meter.found(artifact.bytes()),
            Outcome::Copied | Outcome::Planned => self.engine.meter.completed(),
        }
        match self.engine.tuning.verify {
            Strictness::Deep if done.verified != Some(Verified::Bytes) => self.read_both(artifact, done).await,
            _ => Ok(done),
        }
    }

    async fn attempt_or_settle(&self, artifact: &Artifact) -> Result<Done> {
        match self.attempt(artifact).await {
            Err(error) => self.settle(artifact, error).await,
            done => done,
        }
    }

    async fn attempt(&self, artifact: &Artifact) -> Result<Done> {
        if let Body::Rewritten(text) = &artifact.body {
            return self.put_rewritten(artifact, text.clone()).await;
        }
        if self.only_streams.load(Relaxed) {
            return self.stream(artifact).await;
        }
        match self.copy_server_side(artifact).await {
            Err(error) if self.may_stream_instead(&error) => {
                self.only_streams.store(true, Relaxed);
                self.stream(artifact).await
            }
            other => other,
        }
    }

    fn may_stream_instead(&self, error: &anyhow::Error) -> bool {
        kind(error) == Some(Kind::Denied) && self.engine.may_fall_back()
    }

    /// A condition that did not hold, or an upload that is gone, is settled by looking: another run may have brought
    /// the same object meanwhile.
    async fn settle(&self, artifact: &Artifact, error: anyhow::Error) -> Result<Done> {
        if !matches!(kind(&error), Some(Kind::PreconditionFailed | Kind::NoSuchUpload)) {
            return Err(error);
        }
        match self.engine.target.head(&artifact.target).await {
            Ok(head) => self.compare(artifact, head.size, &head.etag).await,
            Err(missing) if missing.kind == Kind::NotFound => Err(error.context(format!(
                "{} was replaced while it was copied; nothing was registered, run again",
                artifact.source.location
            ))),
            Err(other) => Err(other.into()),
        }
    }

    /// Headers and metadata of the source, from the inventory or looked up now.
    async fn source_head(&self, artifact: &Artifact) -> Result<Head> {
        if let Some(head) = &artifact.source.head {
            return Ok(head.clone());
        }
        let _request = self.budget.request(0).await;
        let head = self.engine.source.head(&artifact.source.location).await?;
        if head.etag != artifact.source.etag {
            bail!("{} was replaced while it was copied; nothing was registered, run again", artifact.source.location);
        }
        Ok(head)
    }
}

/// What the failed call behind an error means, if there is one.
pub(super) fn kind(error: &anyhow::Error) -> Option<Kind> {
    error.chain().find_map(|cause| cause.downcast_ref::<CallError>()).map(|error| error.kind)
}

/// What a plan amounts to.
struct Work {
    objects: usize,
    bytes: u64,
    /// How many are of each class.
    classes: [usize; CLASSES.len()],
    smallest: Option<usize>,
}

impl Work {
    fn of(plan: &Plan) -> Result<Self> {
        let mut work = Self { objects: 0, bytes: 0, classes: [0; CLASSES.len()], smallest: None };
        let mut least = u64::MAX;
        for (number, artifact) in plan.artifacts.iter().enumerate() {
            let bytes = artifact?.bytes();
            work.objects += 1;
            work.bytes += bytes;
            work.classes[class(bytes)] += 1;
            if bytes < least {
                (least, work.smallest) = (bytes, Some(number));
            }
        }
        Ok(work)
    }

    /// The artifacts with their numbers, one class after the other: the plan is read again for each.
    fn in_order<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = Result<(usize, Artifact)>> + 'a {
        let classes = self.classes.into_iter().enumerate().filter(|(_, objects)| *objects > 0);
        classes.flat_map(move |(wanted, _)| {
            let numbered = plan.artifacts.iter().enumerate().map(|(number, artifact)| Ok((number, artifact?)));
            numbered.filter(move |item| item.as_ref().map_or(true, |(_, artifact)| class(artifact.bytes()) == wanted))
        })
    }
}

fn class(bytes: u64) -> usize {
    CLASSES.iter().position(|least| bytes >= *least).unwrap_or_default()
}
