//! Multipart uploads that are open: begun ones come in, none is left when the run is stopped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::join_all;
use tokio::sync::{Mutex, RwLock};

use super::location::Location;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Attributes, Encryption, TargetObjects, UploadId};

/// The open uploads of this process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct OpenUploads {
    open: Arc<Mutex<HashMap<UploadId, (TargetObjects, Location)>>>,
    /// Whether one was ever begun.
    begun: Arc<AtomicBool>,
    /// Read-locked while an upload is being created, so that `abort_all` waits for its id.
    beginning: Arc<RwLock<()>>,
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
        self.begun.store(true, Relaxed);
        let (open, target, location) = (Arc::clone(&self.open), target.clone(), location.clone());
        let (attributes, encryption) = (attributes.clone(), encryption.clone());
        let creation = tokio::spawn(async move {
            let created = target.create_upload(&location, &attributes, &encryption).await;
            if let Ok(id) = &created {
                open.lock().await.insert(id.clone(), (target, location));
            }
            drop(guard);
            created
        });
        creation.await.expect("creating an upload neither panics nor is cancelled")
    }

    /// Whether this process has begun an upload. When the answer to that was lost and it was asked again, S3 holds
    /// one more than is kept here.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Relaxed)
    }

    /// The upload was completed.
    pub async fn close(&self, id: &UploadId) {
        self.open.lock().await.remove(id);
    }

    /// Aborts one upload.
    pub async fn abort(&self, id: &UploadId) -> Result<(), CallError> {
        let Some((target, location)) = self.open.lock().await.remove(id) else { return Ok(()) };
        abort(&target, &location, id).await
    }

    /// Aborts every open upload, also those that are just being created.
    ///
    /// # Errors
    /// Those that could not be aborted; they stay until a later run or a lifecycle rule removes them.
    pub async fn abort_all(&self) -> Vec<CallError> {
        let _none_is_beginning = self.beginning.write().await;
        let open: Vec<_> = self.open.lock().await.drain().collect();
        let aborts = open.iter().map(|(id, (target, location))| abort(target, location, id));
        join_all(aborts).await.into_iter().filter_map(Result::err).collect()
    }
}

/// An upload that is gone is as good as aborted.
async fn abort(target: &TargetObjects, location: &Location, id: &UploadId) -> Result<(), CallError> {
    match target.abort(location, id).await {
        Err(error) if matches!(error.kind, Kind::NoSuchUpload | Kind::NotFound) => Ok(()),
        other => other,
    }
}
