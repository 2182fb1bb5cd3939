//! What the runs of a process share: the two accounts, limits, a clock and an observer.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::OnceCell;

use super::clock::Clock;
use super::event::{Event, Observer, Silent};
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::session::Access;
use crate::copy::uploads::OpenUploads;
use crate::record::Build;

/// The limits of all runs that share a context.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// S3 requests at a time; otherwise a default that suits Amazon S3.
    pub concurrency: Option<usize>,
}

/// What the runs of a process share. Runs with one context may run side by side.
pub struct Context {
    access: (Access, Access),
    source: OnceCell<SourceAccount>,
    target: OnceCell<TargetAccount>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) uploads: OpenUploads,
    pub(crate) build: Option<Build>,
}

impl Context {
    /// A context for runs from one account and region to another. Sessions are opened when they are needed.
    pub fn new(source: Access, target: Access) -> Self {
        Self {
            access: (source, target),
            source: OnceCell::new(),
            target: OnceCell::new(),
            limits: Limits::default(),
            clock: Clock::default(),
            observer: Arc::new(Silent),
            uploads: OpenUploads::default(),
            build: None,
        }
    }

    /// Sets the limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets the clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets who receives the events.
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Sets the CodeBuild build that the records name.
    pub fn with_build(self, build: Option<Build>) -> Self {
        Self { build, ..self }
    }

    /// Aborts what the runs have under way in S3, after they were dropped. The observer receives what stays open.
    pub async fn abort(&self) {
        for error in self.uploads.abort_all().await {
            self.notice(Event::UploadLeftOpen(&error));
        }
    }

    pub(crate) fn notice(&self, event: Event<'_>) {
        self.observer.notice(event);
    }

    /// How the source is accessed.
    pub(crate) fn source_access(&self) -> &Access {
        &self.access.0
    }

    pub(crate) async fn source(&self) -> Result<&SourceAccount> {
        self.source.get_or_try_init(|| SourceAccount::open(self.access.0.clone(), None)).await
    }

    pub(crate) async fn target(&self) -> Result<&TargetAccount> {
        self.target.get_or_try_init(|| TargetAccount::open(self.access.1.clone())).await
    }

    pub(crate) async fn accounts(&self) -> Result<(&SourceAccount, &TargetAccount)> {
        Ok((self.source().await?, self.target().await?))
    }
}
