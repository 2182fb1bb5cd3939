//! One run of the engine: the artifacts of a plan go side by side, each to its end.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::budget::Budget;
use super::there::There;
use super::work::Work;
use super::{Copies, Done, Engine, Outcome, Purpose, Strictness, Verified};
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::Head;
use crate::plan::Plan;
use crate::plan::artifacts::{Artifact, Body, Stretch};
use crate::store::spool::Numbered;

/// One run over all artifacts.
pub(super) struct Run<'a> {
    pub engine: &'a Engine<'a>,
    pub purpose: Purpose,
    pub there: There,
    pub budget: Budget,
    pub memory: Semaphore,
    /// Streams that pass through.
    pub passing: Budget,
    /// Set when a server-side copy was denied: the rest need not try.
    pub only_streams: AtomicBool,
}

impl Run<'_> {
    /// Large objects first, so that small ones fill the gaps at the end. Where a server-side copy may be denied, the
    /// smallest object tells, so that the rest need not try. What is listed meanwhile comes afterwards in the same way.
    pub async fn all(&self, plan: &Plan) -> Result<Copies> {
        let mut copies = Numbered::default();
        let first = self.expected(plan, plan.artifacts.known())?;
        let probe = if self.engine.may_fall_back() { first.smallest.clone() } else { None };
        let probed = probe.as_ref().map(|(number, _)| *number);
        if let Some((number, artifact)) = probe {
            let (number, done) = self.numbered(number, artifact).await?;
            copies.insert(number, &done)?;
        }
        let later = stream::try_unfold((first.stretch, first.objects), async |(stretch, count)| {
            let Some(stretch) = plan.artifacts.after(stretch, count).await? else { return Ok(None) };
            let work = self.expected(plan, stretch)?;
            let count = work.objects;
            anyhow::Ok(Some((work, (stretch, count))))
        });
        let work = stream::iter([Ok(first)]).chain(later);
        let items = work.map_ok(|work| stream::iter(work.in_order(plan))).try_flatten();
        let rest = items.try_filter(|(number, _)| ready(Some(*number) != probed));
        let under_way = rest.map(|item| async {
            let (number, artifact) = item?;
            self.numbered(number, artifact).await
        });
        let mut under_way = std::pin::pin!(under_way.buffer_unordered(self.budget.most()));
        while let Some((number, done)) = under_way.try_next().await? {
            copies.insert(number, &done)?;
        }
        Ok(Copies(copies))
    }

    fn expected(&self, plan: &Plan, stretch: Stretch) -> Result<Work> {
        let work = Work::of(plan, stretch)?;
        self.engine.meter.expect(work.objects as u64, work.bytes);
        Ok(work)
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
        match self.there.object(&artifact.target)? {
            Some(listed) => self.compare(artifact, listed.size, &listed.etag).await.map(Some),
            None => Ok(None),
        }
    }

    async fn bring(&self, artifact: &Artifact) -> Result<Done> {
        let done = match self.attempt_or_settle(artifact).await? {
            Some(done) => done,
            None => self.attempt_or_settle(artifact).await?.with_context(|| self.replaced(artifact))?,
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
        let _request = self.budget.request(0).await;
        let head = self.engine.source.head(&artifact.source.location).await?;
        if head.etag != artifact.source.etag {
            bail!(self.replaced(artifact));
        }
        Ok(head)
    }
}

/// What the failed call behind an error means, if there is one.
pub(super) fn kind(error: &anyhow::Error) -> Option<Kind> {
    error.chain().find_map(|cause| cause.downcast_ref::<CallError>()).map(|error| error.kind)
}
