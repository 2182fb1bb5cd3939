//! One run over the artifacts of a plan: they are copied or compared side by side.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result, bail};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::engine::{CopyMode, Engine, Strictness};
use super::outcome::{Done, Outcome, Verified};
use super::there::There;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::Head;
use crate::model::layout::Layout;
use crate::plan::artifact::{Artifact, Body};
use crate::plan::artifacts::Artifacts;

/// One run over all artifacts.
pub(super) struct Run<'a> {
    pub engine: &'a Engine<'a>,
    pub layout: &'a Layout,
    pub there: There,
    /// Set when a server-side copy was denied: the rest need not try.
    only_streams: AtomicBool,
}

impl<'a> Run<'a> {
    pub fn new(engine: &'a Engine<'a>, layout: &'a Layout, there: There) -> Self {
        let only_streams = AtomicBool::new(engine.tuning.mode == CopyMode::Stream);
        Self { engine, layout, there, only_streams }
    }

    /// Compares what is at the target, and keeps what each artifact there came to.
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

    /// Copies what is not at the target. Large objects come first, so that small ones fill the gaps at the end. Where a
    /// server-side copy may be denied, the smallest object tells, so that the rest need not try.
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
        let done = match self.compare_existing(artifact).await.with_context(|| copying(artifact))? {
            Some(done) => done,
            None => self.copy_and_verify(artifact).await.with_context(|| copying(artifact))?,
        };
        match done.outcome {
            Outcome::AlreadyThere => self.engine.meter.found(artifact.bytes()),
            Outcome::Copied | Outcome::Planned => self.engine.meter.completed(),
        }
        artifacts.set_result(artifact, &done)
    }

    /// Compares the copy that was there before this run.
    async fn compare_existing(&self, artifact: &Artifact) -> Result<Option<Done>> {
        match self.there.object(&artifact.target)? {
            Some(listed) => self.compare(artifact, listed.size, &listed.etag).await.map(Some),
            None => Ok(None),
        }
    }

    async fn copy_and_verify(&self, artifact: &Artifact) -> Result<Done> {
        let done = match self.attempt_or_settle(artifact).await? {
            Some(done) => done,
            None => self.attempt_or_settle(artifact).await?.with_context(|| self.replaced(artifact))?,
        };
        match self.engine.tuning.verify {
            Strictness::Deep if done.verified != Some(Verified::Bytes) => self.read_both(artifact, done).await,
            _ => Ok(done),
        }
    }

    /// A condition that did not hold, or an upload that is gone, is settled by looking: another run may have brought
    /// the same object meanwhile, or aborted the upload. Then nothing comes back, and it is worth another attempt.
    async fn attempt_or_settle(&self, artifact: &Artifact) -> Result<Option<Done>> {
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

    fn replaced(&self, artifact: &Artifact) -> String {
        format!("{} was replaced while it was copied; nothing was registered, run again", artifact.source.location)
    }

    /// Headers and metadata of the source, from the inventory or looked up now.
    pub async fn source_head(&self, artifact: &Artifact) -> Result<Head> {
        if let Some(head) = &artifact.source.head {
            return Ok(head.clone());
        }
        let _request = self.engine.limits.request().await;
        let head = self.engine.source.head(&artifact.source.location).await?;
        if head.etag != artifact.source.etag {
            bail!(self.replaced(artifact));
        }
        Ok(head)
    }
}

fn copying(artifact: &Artifact) -> String {
    let field = artifact.fields.first().map(ToString::to_string).unwrap_or_default();
    format!("copying {} ({field}) to {}", artifact.source.location, artifact.target)
}

fn comparing(artifact: &Artifact) -> String {
    let field = artifact.fields.first().map(ToString::to_string).unwrap_or_default();
    format!("comparing {} with {} ({field})", artifact.target, artifact.source.location)
}

/// What the failed call behind an error means, if there is one.
fn kind(error: &anyhow::Error) -> Option<Kind> {
    error.chain().find_map(|cause| cause.downcast_ref::<CallError>()).map(|error| error.kind)
}
