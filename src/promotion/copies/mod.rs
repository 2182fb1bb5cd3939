//! Copies the artifacts of a plan: artifacts come in, copies come out, each with how it was verified. Nothing can be
//! registered without them.

pub mod parts;

mod existing;
mod server_side;
mod stream;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::location::Location;
use super::meter::Meter;
use super::plan::{Artifact, Body, Plan};
use super::uploads::OpenUploads;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Encryption, Head, Listed, SourceObjects, TargetObjects, UploadId};

/// Requests under way at once, over all objects: 5,000 small copies with 100 ms added to each request take 200 round trips
/// with 32 (counted 2026-11-23), so about half of that with 64 (computed); S3 takes 3,500 writes a second and prefix.
const REQUESTS_AT_ONCE: usize = 64;
/// Bytes that a streaming copy holds in memory at once, in MiB; part size times parts in flight never exceed it, but
/// for one part of an object of more than 625 GiB.
const STREAM_MEMORY_MIB: usize = 64;

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
    /// A checksum over all bytes (CRC64NVME) is equal.
    Checksum,
    /// The ETag is equal: the MD5 of the bytes, or of the same parts.
    Etag,
    /// The size is equal, and the copy was made from the source's ETag: the weakest kind.
    Size,
}

/// An artifact that is at the target, or would be after a dry run.
#[derive(Debug, Clone)]
pub struct Copied {
    /// What was copied.
    pub artifact: Artifact,
    /// How it came to be there.
    pub outcome: Outcome,
    /// How it was verified; nothing in a dry run.
    pub verified: Option<Verified>,
    /// The CRC64NVME of the whole object, in base64, where S3 has told it.
    pub crc64nvme: Option<String>,
}

/// All artifacts of a plan, each at the target and verified.
#[derive(Debug, Clone)]
pub struct Copies(Vec<Copied>);

impl Copies {
    /// Each artifact, in the plan's order.
    pub fn all(&self) -> &[Copied] {
        &self.0
    }
    /// How many this run copied.
    pub fn copied(&self) -> usize {
        self.0.iter().filter(|copied| copied.outcome == Outcome::Copied).count()
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

/// What copies need.
pub struct Engine<'a> {
    /// Reads the source for itself.
    pub source: &'a SourceObjects,
    /// Writes the target; reads the source too when S3 does the copying.
    pub target: &'a TargetObjects,
    /// Who moves the bytes.
    pub mode: CopyMode,
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
/// The first artifact that cannot be copied, by its fields; its fellows under way are given up, no upload stays open,
/// and a later run takes up what is complete.
pub async fn copy(plan: &Plan, there: There, engine: &Engine<'_>, purpose: Purpose) -> Result<Copies> {
    if purpose == Purpose::Confirm {
        refuse_missing(&there.missing(plan))?;
    }
    engine.meter.expect(plan.artifacts.len() as u64, plan.bytes());
    let run = Run {
        engine,
        purpose,
        there: there.objects,
        requests: Semaphore::new(REQUESTS_AT_ONCE),
        memory: Semaphore::new(STREAM_MEMORY_MIB),
        only_streams: AtomicBool::new(engine.mode == CopyMode::Stream),
    };
    let result = run.all(&plan.artifacts).await;
    if let Err(error) = result {
        let open = engine.uploads.abort_all().await;
        return Err(open.iter().fold(error, |error, left| error.context(format!("an upload stays open: {left}"))));
    }
    if purpose == Purpose::Copy {
        let leftovers = match engine.uploads.has_begun() {
            true => open_uploads(engine.target, &plan.layout.folder()).await?,
            false => there.uploads,
        };
        abort_leftovers(engine.target, &leftovers).await?;
    }
    result
}

impl Engine<'_> {
    /// Whether streaming can do what a server-side copy may not.
    fn may_fall_back(&self) -> bool {
        self.mode == CopyMode::Auto && self.separate_principals
    }
}

/// What is in the folder of a promotion before anything is copied.
#[derive(Debug, Default)]
pub struct There {
    objects: HashMap<String, Listed>,
    /// Uploads that an earlier run of this promotion left open, or a run at the same time has open: below this folder
    /// only promotions of one source version write.
    uploads: Vec<(Location, UploadId)>,
}

impl There {
    /// Lists the folder.
    ///
    /// # Errors
    /// The target cannot be listed.
    pub async fn look(target: &TargetObjects, folder: &Location) -> Result<Self> {
        let (objects, uploads) = tokio::try_join!(listing(target, folder), open_uploads(target, folder))?;
        Ok(Self { objects, uploads })
    }

    /// The artifacts that have to be copied.
    pub fn missing<'a>(&self, plan: &'a Plan) -> Vec<&'a Artifact> {
        plan.artifacts.iter().filter(|artifact| !self.objects.contains_key(&artifact.target.key)).collect()
    }
}

async fn open_uploads(target: &TargetObjects, folder: &Location) -> Result<Vec<(Location, UploadId)>, CallError> {
    let uploads = target.list_uploads(&folder.bucket, &folder.key).await?;
    Ok(uploads.into_iter().map(|upload| (Location::new(&folder.bucket, upload.key), upload.id)).collect())
}

/// Names what has to be there, up to a screen of it.
fn refuse_missing(missing: &[&Artifact]) -> Result<()> {
    let named: Vec<String> = missing.iter().take(20).map(|artifact| format!("  {}", artifact.target)).collect();
    ensure!(
        missing.is_empty(),
        "{} of the artifacts are not at the target:\n{}\nRun `promote copy-artifacts` first",
        missing.len(),
        named.join("\n")
    );
    Ok(())
}

async fn listing(target: &TargetObjects, folder: &Location) -> Result<HashMap<String, Listed>, CallError> {
    let mut there = HashMap::new();
    let mut pages = target.list(&folder.bucket, &folder.key);
    while let Some(page) = pages.next().await? {
        there.extend(page.into_iter().map(|listed| (listed.key.clone(), listed)));
    }
    Ok(there)
}

/// Every object of the promotion is complete by now, so an upload from before it is of no use to anybody: a second
/// run that is still at it finds the object when its upload is gone.
async fn abort_leftovers(target: &TargetObjects, uploads: &[(Location, UploadId)]) -> Result<()> {
    let aborts = uploads.iter().map(|(location, id)| target.abort(location, id));
    futures_util::stream::iter(aborts).buffer_unordered(REQUESTS_AT_ONCE).try_collect::<()>().await?;
    Ok(())
}

/// One run over all artifacts.
struct Run<'a> {
    engine: &'a Engine<'a>,
    purpose: Purpose,
    there: HashMap<String, Listed>,
    requests: Semaphore,
    memory: Semaphore,
    /// Set when a server-side copy was denied: the rest need not try.
    only_streams: AtomicBool,
}

/// What an attempt at one artifact came to.
struct Done {
    outcome: Outcome,
    verified: Option<Verified>,
    crc64nvme: Option<String>,
}

impl Run<'_> {
    /// Large objects first, so that small ones fill the gaps at the end. Where a server-side copy may be denied, the
    /// smallest object tells, so that the rest need not try.
    async fn all(&self, artifacts: &[Artifact]) -> Result<Copies> {
        let mut order: Vec<usize> = (0..artifacts.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(artifacts[*index].bytes()));
        let probe = if self.engine.may_fall_back() { order.pop() } else { None };
        let mut copies = Vec::with_capacity(artifacts.len());
        if let Some(index) = probe {
            copies.push(self.numbered(index, artifacts).await?);
        }
        let rest = order.into_iter().map(|index| self.numbered(index, artifacts));
        let rest: Vec<(usize, Copied)> =
            futures_util::stream::iter(rest).buffer_unordered(REQUESTS_AT_ONCE).try_collect().await?;
        copies.extend(rest);
        copies.sort_by_key(|(index, _)| *index);
        Ok(Copies(copies.into_iter().map(|(_, copied)| copied).collect()))
    }

    async fn numbered(&self, index: usize, artifacts: &[Artifact]) -> Result<(usize, Copied)> {
        let artifact = &artifacts[index];
        let Done { outcome, verified, crc64nvme } = self.one(artifact).await.with_context(|| self.act(artifact))?;
        Ok((index, Copied { artifact: artifact.clone(), outcome, verified, crc64nvme }))
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
        if let Some(listed) = self.there.get(&artifact.target.key) {
            let done = self.compare(artifact, listed.size, &listed.etag).await?;
            self.engine.meter.found(artifact.bytes());
            return Ok(done);
        }
        match self.purpose {
            Purpose::Copy => self.bring(artifact).await,
            Purpose::Preview => Ok(Done { outcome: Outcome::Planned, verified: None, crc64nvme: None }),
            Purpose::Confirm => bail!("{} is not there. Run `promote copy-artifacts` first", artifact.target),
        }
    }

    async fn bring(&self, artifact: &Artifact) -> Result<Done> {
        let done = match self.attempt(artifact).await {
            Err(error) => self.settle(artifact, error).await?,
            Ok(done) => done,
        };
        match done.outcome {
            Outcome::AlreadyThere => self.engine.meter.found(artifact.bytes()),
            Outcome::Copied | Outcome::Planned => self.engine.meter.completed(),
        }
        Ok(done)
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
        let denied = call_error(error).is_some_and(|error| error.kind == Kind::Denied);
        denied && self.engine.may_fall_back()
    }

    /// A condition that did not hold, or an upload that is gone, is settled by looking: another run may have brought
    /// the same object meanwhile.
    async fn settle(&self, artifact: &Artifact, error: anyhow::Error) -> Result<Done> {
        let kind = call_error(&error).map(|error| error.kind);
        if !matches!(kind, Some(Kind::PreconditionFailed | Kind::NoSuchUpload)) {
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
        let _permit = self.requests.acquire().await?;
        let head = self.engine.source.head(&artifact.source.location).await?;
        if head.etag != artifact.source.etag {
            bail!("{} was replaced while it was copied; nothing was registered, run again", artifact.source.location);
        }
        Ok(head)
    }
}

/// The failed call behind an error, if there is one.
fn call_error(error: &anyhow::Error) -> Option<&CallError> {
    error.chain().find_map(|cause| cause.downcast_ref::<CallError>())
}
