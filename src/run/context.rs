//! The context that the runs of a process share: two accounts, limits, a clock and an observer.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::sync::OnceCell;

use super::clock::Clock;
use super::event::{Event, Observer, Silent};
use super::images::seen::ImagesSeen;
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::session::Access;
use crate::copy::{Limits, OpenUploads};
use crate::model::arn::{GroupArn, GroupRef, Region};
use crate::model::secrets::RecordSecrets;
use crate::record::Build;

/// The two accounts, limits, clock and observer of the runs of a process. Runs may share a context and run
/// concurrently. Clones share everything.
#[derive(Clone)]
pub struct Context {
    access: (Access, Access),
    source: Arc<OnceCell<SourceAccount>>,
    target: Arc<OnceCell<TargetAccount>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: Clock,
    pub(crate) observer: Arc<dyn Observer>,
    uploads: Arc<Mutex<Vec<OpenUploads>>>,
    pub(crate) build: Option<Build>,
    pub(crate) record_secrets: RecordSecrets,
    /// Whether the runs make fewer calls instead of fewer round trips: runs for many groups at a time are as fast as AWS
    /// answers calls.
    pub(crate) saves_calls: bool,
    /// The images that the groups of a run have in common.
    pub(crate) images_seen: Arc<ImagesSeen>,
}

impl Default for Context {
    /// A context whose accounts are accessed with the default credentials.
    fn default() -> Self {
        Self::new(Access::default(), Access::default())
    }
}

impl Context {
    /// A context for runs from one account and region to another. Sessions are opened when they are needed.
    pub fn new(source: Access, target: Access) -> Self {
        Self {
            access: (source, target),
            source: Arc::default(),
            target: Arc::default(),
            limits: Arc::default(),
            clock: Clock::default(),
            observer: Arc::new(Silent),
            uploads: Arc::default(),
            build: None,
            record_secrets: RecordSecrets::default(),
            saves_calls: false,
            images_seen: Arc::default(),
        }
    }

    /// For runs that write nothing to the target. Hints then name no permission to write.
    pub fn reading_only(mut self) -> Self {
        self.access.1.reads_only = true;
        self
    }

    /// Sets the limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits: Arc::new(limits), ..self }
    }

    /// Sets the clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the observer, which receives the events.
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Sets the CodeBuild build that the records name, if there is one.
    pub fn with_build(self, build: Option<Build>) -> Self {
        Self { build, ..self }
    }

    /// Sets what the records have in place of secrets.
    pub fn with_record_secrets(self, record_secrets: RecordSecrets) -> Self {
        Self { record_secrets, ..self }
    }

    /// The context of one group of several: it shares accounts, limits and open uploads with this context, and has the
    /// observer of the group.
    pub(crate) fn of_group(&self, group: &GroupArn) -> Self {
        let observer = self.observer.of_group(group).unwrap_or_else(|| Arc::clone(&self.observer));
        Self { observer, saves_calls: true, ..self.clone() }
    }

    /// The same context for a run that nobody observes.
    pub(crate) fn unobserved(&self) -> Self {
        Self { observer: Arc::new(Silent), ..self.clone() }
    }

    /// The context of one target of several: it shares limits and open uploads with this context, and has accounts and
    /// an observer of its own.
    pub fn of_target(&self, name: &str, (source, target): (Access, Access)) -> Self {
        let observer = self.observer.of_target(name).unwrap_or_else(|| Arc::clone(&self.observer));
        Self {
            access: (source, target),
            source: Arc::default(),
            target: Arc::default(),
            images_seen: Arc::default(),
            observer,
            saves_calls: true,
            ..self.clone()
        }
    }

    /// Aborts the multipart uploads of dropped runs. The observer receives each upload that could not be aborted.
    pub async fn abort(&self) {
        let all = self.uploads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for uploads in all {
            self.abort_run(&uploads).await;
        }
    }

    /// Aborts the multipart uploads of one run.
    pub(crate) async fn abort_run(&self, uploads: &OpenUploads) {
        for error in uploads.abort_all().await {
            self.notice(Event::UploadLeftOpen(&error));
        }
    }

    /// The uploads of a new run.
    pub(crate) fn new_uploads(&self) -> OpenUploads {
        let uploads = OpenUploads::default();
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner).push(uploads.clone());
        uploads
    }

    pub(crate) fn notice(&self, event: Event<'_>) {
        self.observer.notice(event);
    }

    /// How the source is accessed.
    pub(crate) fn source_access(&self) -> &Access {
        &self.access.0
    }

    /// How the target is accessed.
    pub(crate) fn target_access(&self) -> &Access {
        &self.access.1
    }

    /// The ARN of a source group. A name needs one call, to learn the account.
    ///
    /// # Errors
    /// The principal of the source is not known.
    pub async fn source_group(&self, group: &GroupRef) -> Result<GroupArn> {
        self.source().await?.group(group).await
    }

    /// The source, with a session in another region.
    pub(crate) async fn source_in(&self, region: &Region) -> Result<SourceAccount> {
        SourceAccount::open(Access { region: Some(region.clone()), ..self.access.0.clone() }).await
    }

    /// The buckets of the source, as the target's principal reads them in copies within S3.
    pub(crate) async fn source_as_target(&self) -> Result<SourceAccount> {
        SourceAccount::open(self.target_access_to_both()).await
    }

    pub(crate) async fn source(&self) -> Result<&SourceAccount> {
        self.source.get_or_try_init(|| SourceAccount::open(self.access.0.clone())).await
    }

    pub(crate) async fn target(&self) -> Result<&TargetAccount> {
        self.target.get_or_try_init(|| TargetAccount::open(self.target_access_to_both())).await
    }

    /// How the target is accessed. The target's principal reads the source in copies within S3.
    fn target_access_to_both(&self) -> Access {
        let mut access = self.access.1.clone();
        access.buckets.requester_pays |= self.access.0.buckets.requester_pays;
        access
    }

    pub(crate) async fn accounts(&self) -> Result<(&SourceAccount, &TargetAccount)> {
        Ok((self.source().await?, self.target().await?))
    }
}
