//! Copies large objects in concurrent parts, and reuses the parts of interrupted runs.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::marks::marked;
use super::parts::{part_size, parts};
use super::run::Run;
use super::unfinished::{UploadOf, UploadState};
use crate::aws::error::Kind;
use crate::aws::objects::{Checksum, Head, Part, StoredPart, UploadId, Written};
use crate::plan::artifact::Artifact;

/// Who moves the bytes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransferMode {
    ServerSide,
    Stream,
}

impl Run<'_> {
    /// Copies an object, whose headers and checksum are known, in parts of the preferred size.
    pub(super) async fn copy_in_parts(
        &self,
        artifact: &Artifact,
        source: &Head,
        mode: TransferMode,
        preferred: u64,
    ) -> Result<Written> {
        let bytes = artifact.source.bytes;
        let checksum = source.checksum.as_ref().filter(|checksum| checksum.algorithm.joins_parts());
        let copy = UploadOf {
            source: artifact.source.location.clone(),
            source_etag: artifact.source.etag.clone(),
            bytes,
            part_size: part_size(bytes, preferred),
            target: artifact.target.clone(),
            headers: marked(source),
            kms_key: self.engine.encryption.kms_key.clone(),
            writes: self.engine.target.writes().clone(),
            algorithm: checksum.map(|checksum| checksum.algorithm).unwrap_or_default(),
        };
        let (id, copied) = match self.unfinished(artifact, &copy).await? {
            Some((id, there)) => {
                let copied = self.missing_parts(artifact, mode, (&copy, &id), &there).await;
                (id, copied)
            }
            None => self.begin(artifact, mode, copy).await?,
        };
        self.finish(artifact, &id, copied, checksum).await
    }

    /// Begins an upload. Writes its state while the first parts are copied.
    async fn begin(
        &self,
        artifact: &Artifact,
        mode: TransferMode,
        copy: UploadOf,
    ) -> Result<(UploadId, Result<Vec<Part>>)> {
        let (uploads, encryption) = (self.engine.uploads, self.engine.encryption);
        let id = uploads
            .begin(self.engine.target, Some(self.layout), (&copy.target, &copy.headers), (encryption, copy.algorithm))
            .await?;
        let state = UploadState { upload_id: id.as_str().to_owned(), of: copy };
        let written = async {
            let _request = self.engine.limits.request().await;
            let at = UploadState::location(self.layout, &id);
            if let Err(error) = state.write(self.engine.target, &at, encryption).await {
                uploads.warn(format!("if interrupted, the copy of {} cannot be resumed: {error:#}", state.of.target));
            }
        };
        let (copied, ()) = tokio::join!(self.missing_parts(artifact, mode, (&state.of, &id), &[]), written);
        Ok((id, copied))
    }

    /// An unfinished upload of an earlier run for the same object, headers and encryption, with its parts.
    async fn unfinished(&self, artifact: &Artifact, copy: &UploadOf) -> Result<Option<(UploadId, Vec<StoredPart>)>> {
        let engine = self.engine;
        for id in self.there.uploads_of(copy) {
            let _request = self.engine.limits.request().await;
            let there = match engine.target.list_parts(&artifact.target, &id).await {
                Err(error) if matches!(error.kind, Kind::NoSuchUpload | Kind::Denied) => continue,
                listed => listed?,
            };
            engine.uploads.take_up(engine.target, self.layout, &artifact.target, &id).await;
            engine.meter.resumed(there.iter().map(|part| part.bytes).sum());
            return Ok(Some((id, there)));
        }
        Ok(None)
    }

    /// Copies the missing parts, and returns all parts.
    async fn missing_parts(
        &self,
        artifact: &Artifact,
        mode: TransferMode,
        (copy, id): (&UploadOf, &UploadId),
        there: &[StoredPart],
    ) -> Result<Vec<Part>> {
        let numbers: HashSet<i32> = there.iter().map(|stored| stored.part.number).collect();
        let ranges = (1..).zip(parts(copy.bytes, copy.part_size)).filter(|(number, _)| !numbers.contains(number));
        let copies = ranges.map(|(number, range): (i32, Range<u64>)| {
            async move {
                match mode {
                    TransferMode::ServerSide => self.copy_part(artifact, id, number, range).await,
                    TransferMode::Stream => self.send_part(artifact, (id, copy.algorithm), number, range).await,
                }
            }
            .boxed()
        });
        let copied = stream::iter(copies).buffer_unordered(self.engine.limits.concurrency());
        let mut parts: Vec<Part> = copied.try_collect().await?;
        parts.extend(there.iter().map(|stored| stored.part.clone()));
        Ok(parts)
    }

    /// Completes an upload. If parts are missing, leaves the upload to the next run, or aborts it if the next run
    /// cannot use it. S3 rejects parts that do not match the checksum of the source object.
    async fn finish(
        &self,
        artifact: &Artifact,
        id: &UploadId,
        parts: Result<Vec<Part>>,
        checksum: Option<&Checksum>,
    ) -> Result<Written> {
        let engine = self.engine;
        let completed = match parts {
            Ok(parts) => {
                let whole = (artifact.source.bytes, checksum);
                engine.target.complete(&artifact.target, id, &parts, whole).await.map_err(anyhow::Error::from)
            }
            Err(error) => Err(error),
        };
        match completed {
            Ok(written) => {
                engine.uploads.close(id).await;
                Ok(written)
            }
            Err(error) => Err(engine.uploads.give_up(id, error).await),
        }
    }
}
