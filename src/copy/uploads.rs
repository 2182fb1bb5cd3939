//! Tracks the multipart uploads of one run. A stopped run aborts all uploads; a failed run keeps the uploads that the
//! next run can resume.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use tokio::sync::{Mutex, RwLock};

use super::unfinished::UploadState;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Algorithm, Attributes, Encryption, TargetObjects, UploadId};
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::plan::Warning;

/// The number of concurrent deletions.
const AT_ONCE: usize = 32;

/// The open uploads of one run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct OpenUploads {
    open: Arc<Mutex<HashMap<UploadId, Open>>>,
    /// Whether the SDK repeated a request to create an upload.
    asked_again: Arc<AtomicBool>,
    /// Read-locked while an upload is being created, so that `abort_all` waits for its id.
    beginning: Arc<RwLock<()>>,
    /// States of uploads that are no longer open.
    stale: Arc<std::sync::Mutex<Vec<(TargetObjects, Location)>>>,
    /// Failures that do not affect a copy.
    warnings: Arc<std::sync::Mutex<Vec<String>>>,
    /// What to do about uploads that may not be aborted.
    remedy: Arc<std::sync::Mutex<Option<String>>>,
}

#[derive(Debug)]
struct Open {
    target: TargetObjects,
    location: Location,
    /// The location of the state of the upload. An upload that no run resumes has none.
    state: Option<Location>,
    /// Whether it has a part that the next run need not copy.
    has_parts: bool,
}

impl OpenUploads {
    /// Creates an upload and tracks it until it is closed. A spawned task creates it, because a dropped caller would
    /// leave an upload with an unknown ID in S3. `layout`: where the state of the upload is; nothing for an upload that no
    /// run resumes.
    pub async fn begin(
        &self,
        target: &TargetObjects,
        layout: Option<&Layout>,
        (location, attributes): (&Location, &Attributes),
        (encryption, algorithm): (&Encryption, Algorithm),
    ) -> Result<UploadId, CallError> {
        let guard = Arc::clone(&self.beginning).read_owned().await;
        let (open, asked_again) = (Arc::clone(&self.open), Arc::clone(&self.asked_again));
        let (target, layout, location) = (target.clone(), layout.cloned(), location.clone());
        let (attributes, encryption) = (attributes.clone(), encryption.clone());
        let creation = tokio::spawn(async move {
            let (created, attempts) = target.create_upload(&location, &attributes, &encryption, algorithm).await;
            asked_again.fetch_or(attempts > 1, Relaxed);
            if let Ok(id) = &created {
                let state = layout.map(|layout| UploadState::location(&layout, id));
                open.lock().await.insert(id.clone(), Open { target, location, state, has_parts: false });
            }
            drop(guard);
            created
        });
        creation.await.expect("creating an upload neither panics nor is cancelled")
    }

    /// Whether S3 may hold an untracked upload, because the SDK repeated a request whose response was lost.
    pub(super) fn may_be_more(&self) -> bool {
        self.asked_again.load(Relaxed)
    }

    /// Tracks an upload of an earlier run, which has parts.
    pub(super) async fn take_up(&self, target: &TargetObjects, layout: &Layout, location: &Location, id: &UploadId) {
        let (target, location, state) = (target.clone(), location.clone(), Some(UploadState::location(layout, id)));
        self.open.lock().await.insert(id.clone(), Open { target, location, state, has_parts: true });
    }

    /// A part of the upload has arrived.
    pub(super) async fn has_part(&self, id: &UploadId) {
        if let Some(open) = self.open.lock().await.get_mut(id) {
            open.has_parts = true;
        }
    }

    /// The upload was completed or aborted.
    pub async fn close(&self, id: &UploadId) {
        let open = self.open.lock().await.remove(id);
        if let Some(Open { target, state: Some(state), .. }) = open {
            self.discard_state(target, state);
        }
    }

    /// Marks the state of a closed upload for deletion by [`OpenUploads::delete_states`].
    pub(super) fn discard_state(&self, target: TargetObjects, state: Location) {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner).push((target, state));
    }

    /// Deletes the states of closed uploads. Nothing depends on it, so it can run concurrently with the next step.
    /// Returns at most one warning.
    pub async fn delete_states(&self) -> Vec<Warning> {
        let stale = std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner));
        let deletions = stale.into_iter().map(|(target, state)| async move {
            let error = target.delete(&state).await.err()?;
            let remark =
                format!("the state of a finished upload could not be deleted; a later run deletes it: {error}");
            Some(Warning { field: state.to_string(), remark })
        });
        let failed: Vec<Option<Warning>> = stream::iter(deletions).buffer_unordered(AT_ONCE).collect().await;
        // With a missing permission, every state has the same warning.
        failed.into_iter().flatten().take(1).collect()
    }

    /// Adds a warning for the record.
    pub(super) fn warn(&self, warning: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// The warnings since the last call.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Aborts the upload of a failed copy, unless the error is transient.
    pub(super) async fn give_up(&self, id: &UploadId, error: anyhow::Error) -> anyhow::Error {
        if error.chain().any(|cause| cause.downcast_ref::<CallError>().is_some_and(is_transient)) {
            return error;
        }
        let open = self.open.lock().await.remove(id);
        match open {
            Some(open) => match open.abort(id).await {
                Err(left) => self.left_open(error, &left),
                Ok(()) => error,
            },
            None => error,
        }
    }

    /// Names an upload that could not be aborted in the error of the copy.
    fn left_open(&self, error: anyhow::Error, left: &CallError) -> anyhow::Error {
        if left.kind == Kind::Denied {
            *self.remedy.lock().unwrap_or_else(PoisonError::into_inner) = Some(left.hint.to_string());
        }
        error.context(stays_open(left))
    }

    /// Ends a failed run: keeps uploads with parts for the next run, and aborts all others.
    pub async fn leave(&self, error: anyhow::Error) -> anyhow::Error {
        let _none_is_beginning = self.beginning.write().await;
        let open: Vec<_> = self.open.lock().await.drain().collect();
        let (kept, empty): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, open)| open.has_parts);
        let aborted = join_all(empty.iter().map(|(id, open)| open.abort(id))).await;
        self.delete_states().await;
        let error = aborted.into_iter().filter_map(Result::err).fold(error, |error, left| self.left_open(error, &left));
        let error = match kept.len() {
            0 => error,
            1 => error.context("1 object is unfinished; the next run resumes it"),
            more => error.context(format!("{more} objects are unfinished; the next run resumes them")),
        };
        match self.remedy.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(remedy) => Failure::from(Arc::new(error)).hint(remedy).into(),
            None => error,
        }
    }

    /// Aborts every open upload, also those that are just being created.
    ///
    /// # Errors
    /// The failed aborts. A later run or a lifecycle rule removes the remaining uploads.
    pub async fn abort_all(&self) -> Vec<CallError> {
        let _none_is_beginning = self.beginning.write().await;
        let open: Vec<_> = self.open.lock().await.drain().collect();
        let aborts = open.iter().map(|(id, open)| open.abort(id));
        let (aborted, _) = tokio::join!(join_all(aborts), self.delete_states());
        aborted.into_iter().filter_map(Result::err).collect()
    }
}

impl Open {
    /// Aborts the upload and deletes its state. An upload that no longer exists counts as aborted. If the state cannot
    /// be deleted, the next run deletes it.
    async fn abort(&self, id: &UploadId) -> Result<(), CallError> {
        match self.target.abort(&self.location, id).await {
            Err(error) if !matches!(error.kind, Kind::NoSuchUpload | Kind::NotFound) => return Err(error),
            _ => {}
        }
        if let Some(state) = &self.state {
            let _left = self.target.delete(state).await;
        }
        Ok(())
    }
}

/// Whether the error is transient.
fn is_transient(error: &CallError) -> bool {
    matches!(error.kind, Kind::Unavailable | Kind::Throttled | Kind::Credentials)
}

/// The warning for an upload that could not be aborted. Runs of a principal that may not abort it leave it open.
pub fn stays_open(error: &CallError) -> String {
    let until = match error.kind {
        Kind::Denied => "it stays open, and is charged",
        _ => "a later run aborts it",
    };
    format!("an unfinished upload could not be aborted; {until}: {error}")
}
