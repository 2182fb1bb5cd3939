//! Multipart uploads that are open: begun ones come in. None is left when the run is stopped, and only those that the
//! next run can continue when it fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::join_all;
use tokio::sync::{Mutex, RwLock};

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Attributes, Encryption, TargetObjects, UploadId};
use crate::model::location::Location;

/// The open uploads of this process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct OpenUploads {
    open: Arc<Mutex<HashMap<UploadId, Open>>>,
    /// Whether S3 was asked more than once to begin one.
    asked_again: Arc<AtomicBool>,
    /// Read-locked while an upload is being created, so that `abort_all` waits for its id.
    beginning: Arc<RwLock<()>>,
}

#[derive(Debug)]
struct Open {
    target: TargetObjects,
    location: Location,
    /// Whether it has a part that the next run need not copy.
    has_parts: bool,
}

impl OpenUploads {
    /// Creates an upload and keeps it until it is closed. It is created even if the caller is dropped meanwhile:
    /// otherwise S3 might hold an upload whose id nobody knows.
    pub async fn begin(
        &self,
        target: &TargetObjects,
        location: &Location,
        attributes: &Attributes,
        encryption: &Encryption,
    ) -> Result<UploadId, CallError> {
        let guard = Arc::clone(&self.beginning).read_owned().await;
        let asked_again = Arc::clone(&self.asked_again);
        let (open, target, location) = (Arc::clone(&self.open), target.clone(), location.clone());
        let (attributes, encryption) = (attributes.clone(), encryption.clone());
        let creation = tokio::spawn(async move {
            let (created, attempts) = target.create_upload(&location, &attributes, &encryption).await;
            asked_again.fetch_or(attempts > 1, Relaxed);
            if let Ok(id) = &created {
                open.lock().await.insert(id.clone(), Open { target, location, has_parts: false });
            }
            drop(guard);
            created
        });
        creation.await.expect("creating an upload neither panics nor is cancelled")
    }

    /// Whether S3 may hold an upload that is not kept here: the answer to its creation was lost, and the SDK asked
    /// again.
    pub fn may_be_more(&self) -> bool {
        self.asked_again.load(Relaxed)
    }

    /// Keeps an upload that an earlier run has begun, and some parts of it.
    pub async fn take_up(&self, target: &TargetObjects, location: &Location, id: &UploadId) {
        let open = Open { target: target.clone(), location: location.clone(), has_parts: true };
        self.open.lock().await.insert(id.clone(), open);
    }

    /// A part of the upload has arrived.
    pub async fn has_part(&self, id: &UploadId) {
        if let Some(open) = self.open.lock().await.get_mut(id) {
            open.has_parts = true;
        }
    }

    /// The upload was completed.
    pub async fn close(&self, id: &UploadId) {
        self.open.lock().await.remove(id);
    }

    /// The copy of one object has failed: its upload is aborted, unless it failed for a reason that may pass.
    pub async fn give_up(&self, id: &UploadId, error: anyhow::Error) -> anyhow::Error {
        if error.chain().any(|cause| cause.downcast_ref::<CallError>().is_some_and(may_pass)) {
            return error;
        }
        let open = self.open.lock().await.remove(id);
        match open {
            Some(open) => match open.abort(id).await {
                Err(left) => error.context(stays_open(&left)),
                Ok(()) => error,
            },
            None => error,
        }
    }

    /// The run has failed: uploads with parts stay for the next run, the others are aborted.
    pub async fn leave(&self, error: anyhow::Error) -> anyhow::Error {
        let _none_is_beginning = self.beginning.write().await;
        let open: Vec<_> = self.open.lock().await.drain().collect();
        let (kept, empty): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, open)| open.has_parts);
        let aborted = join_all(empty.iter().map(|(id, open)| open.abort(id))).await;
        let error =
            aborted.into_iter().filter_map(Result::err).fold(error, |error, left| error.context(stays_open(&left)));
        match kept.len() {
            0 => error,
            1 => error.context("one object is unfinished, the next run continues it"),
            more => error.context(format!("{more} objects are unfinished, the next run continues them")),
        }
    }

    /// Aborts every open upload, also those that are just being created.
    ///
    /// # Errors
    /// Those that could not be aborted; they stay until a later run or a lifecycle rule removes them.
    pub async fn abort_all(&self) -> Vec<CallError> {
        let _none_is_beginning = self.beginning.write().await;
        let open: Vec<_> = self.open.lock().await.drain().collect();
        let aborts = open.iter().map(|(id, open)| open.abort(id));
        join_all(aborts).await.into_iter().filter_map(Result::err).collect()
    }
}

impl Open {
    /// An upload that is gone is as good as aborted.
    async fn abort(&self, id: &UploadId) -> Result<(), CallError> {
        match self.target.abort(&self.location, id).await {
            Err(error) if matches!(error.kind, Kind::NoSuchUpload | Kind::NotFound) => Ok(()),
            other => other,
        }
    }
}

/// Whether the same call may do on another day.
fn may_pass(error: &CallError) -> bool {
    matches!(error.kind, Kind::Unavailable | Kind::Throttled | Kind::Credentials)
}

fn stays_open(error: &CallError) -> String {
    format!("an upload stays open until the next run: {error}")
}
