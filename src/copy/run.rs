//! Copies or compares the artifacts of a plan concurrently.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result, bail};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::engine::{CopyMode, Engine, Strictness};
use super::outcome::{Done, Outcome, Verified};
use super::there::There;
use crate::aws::error::{CallError, Kind, on_folder};
use crate::aws::objects::Head;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::plan::artifact::{Artifact, CopyContent};
use crate::plan::artifacts::Artifacts;

/// The state of one run over all artifacts.
pub(super) struct Run<'a> {
    pub engine: &'a Engine<'a>,
    pub layout: &'a Layout,
    pub there: There,
    /// Whether to stream all objects: requested, or a server-side copy was denied.
    only_streams: AtomicBool,
    /// Whether S3 rejects conditional copies in one request.
    pub only_parts: AtomicBool,
}

impl<'a> Run<'a> {
    pub fn new(engine: &'a Engine<'a>, layout: &'a Layout, there: There) -> Self {
        let only_streams = AtomicBool::new(engine.settings.mode == CopyMode::Stream);
        Self { engine, layout, there, only_streams, only_parts: AtomicBool::default() }
    }

    /// Compares existing target objects with their artifacts, and stores the results.
    pub async fn compare_all(&self, artifacts: &Artifacts) -> Result<()> {
        let compared = stream::iter(artifacts.by_size()?).map(|artifact| {
            async {
                let artifact = artifact?;
                match self.compare_existing(&artifact).await.with_context(|| comparing(&artifact))? {
                    Some(done) => artifacts.set_result(&artifact, &done),
                    None => Ok(()),
                }
            }
            .boxed()
        });
        compared.buffer_unordered(self.engine.limits.concurrency()).try_collect().await
    }

    /// Copies the artifacts that are not at the target, the largest first, so that small objects fill the gaps at the
    /// end. If a server-side copy may be denied, the smallest object is copied before all others to find out.
    pub async fn copy_all(&self, artifacts: &Artifacts) -> Result<()> {
        let (objects, bytes) = artifacts.totals()?;
        self.engine.meter.expect(objects, bytes);
        let probe = if self.engine.may_fall_back() { artifacts.smallest()? } else { None };
        if let Some(artifact) = &probe {
            self.copy_one(artifacts, artifact).await?;
        }
        let is_probe = |artifact: &Artifact| probe.as_ref().is_some_and(|probe| probe.target == artifact.target);
        let copied = stream::iter(artifacts.by_size()?).map(|artifact| {
            async {
                let artifact = artifact?;
                if is_probe(&artifact) { Ok(()) } else { self.copy_one(artifacts, &artifact).await }
            }
            .boxed()
        });
        copied.buffer_unordered(self.engine.limits.concurrency()).try_collect().await
    }

    async fn copy_one(&self, artifacts: &Artifacts, artifact: &Artifact) -> Result<()> {
        let failed = |error| of_folder(error, artifact).context(copying(artifact));
        let done = match self.compare_existing(artifact).await.map_err(failed)? {
            Some(done) => done,
            None => self.copy_and_verify(artifact).await.map_err(failed)?,
        };
        match done.outcome {
            Outcome::AlreadyThere => self.engine.meter.found(artifact.bytes()),
            Outcome::Copied | Outcome::Recorded | Outcome::Planned => self.engine.meter.completed(),
        }
        artifacts.set_result(artifact, &done)
    }

    /// Compares the copy of an earlier run, if there is one.
    async fn compare_existing(&self, artifact: &Artifact) -> Result<Option<Done>> {
        match self.there.object(&artifact.target)? {
            Some(listed) => {
                self.refuse_archived(artifact, &listed).await?;
                self.compare(artifact, listed.size, &listed.etag).await.map(Some)
            }
            None => Ok(None),
        }
    }

    async fn copy_and_verify(&self, artifact: &Artifact) -> Result<Done> {
        let done = match self.attempt_or_compare(artifact).await? {
            Some(done) => done,
            None => self.attempt_or_compare(artifact).await?.ok_or_else(|| replaced(artifact))?,
        };
        match self.engine.settings.verify {
            Strictness::Deep if done.verified != Some(Verified::Bytes) => self.read_both(artifact, done).await,
            _ => Ok(done),
        }
    }

    /// Attempts a copy. If a precondition fails or the upload is gone, another run may have copied the object or
    /// aborted the upload. In this case, compares the object that exists now. Returns `None` if no object exists, so
    /// that the caller can attempt the copy again.
    async fn attempt_or_compare(&self, artifact: &Artifact) -> Result<Option<Done>> {
        let error = match self.attempt(artifact).await {
            Err(error) => error,
            done => return done.map(Some),
        };
        if !matches!(kind(&error), Some(Kind::PreconditionFailed | Kind::NoSuchUpload)) {
            return Err(error);
        }
        match self.engine.target.head(&artifact.target).await {
            Ok(head) => self.compare(artifact, head.size, &head.etag).await.map(Some),
            Err(missing) if missing.kind == Kind::NotFound => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    async fn attempt(&self, artifact: &Artifact) -> Result<Done> {
        if let CopyContent::Rewritten(text) = &artifact.body {
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

    /// Headers and metadata of the source object, from the inventory or from a new HeadObject request.
    pub async fn source_head(&self, artifact: &Artifact) -> Result<Head> {
        if let Some(head) = &artifact.source.head {
            return Ok(head.clone());
        }
        let _request = self.engine.limits.request().await;
        let head = self.engine.source.head(&artifact.source.location).await?;
        if head.etag != artifact.source.etag {
            bail!(replaced(artifact));
        }
        Ok(head)
    }
}

fn replaced(artifact: &Artifact) -> Failure {
    let object = &artifact.source.location;
    Failure::new(format!("{object} was replaced while it was copied; nothing was registered")).hint("Run again")
}

/// The error of a denied call, whose hint is about the whole folder that the package names.
fn of_folder(mut error: anyhow::Error, artifact: &Artifact) -> anyhow::Error {
    if let Some(call) = error.downcast_mut() {
        on_folder(call, &artifact.source.location, &artifact.named);
    }
    error
}

/// Errors name the objects themselves.
fn copying(artifact: &Artifact) -> String {
    format!("copying an artifact of {}", field(artifact))
}

fn comparing(artifact: &Artifact) -> String {
    format!("comparing an artifact of {}", field(artifact))
}

fn field(artifact: &Artifact) -> String {
    artifact.fields.first().map(ToString::to_string).unwrap_or_default()
}

/// The kind of the failed call that caused an error, if there is one.
pub(super) fn kind(error: &anyhow::Error) -> Option<Kind> {
    error.chain().find_map(|cause| cause.downcast_ref::<CallError>()).map(|error| error.kind)
}
