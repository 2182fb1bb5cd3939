//! Server-side copies: S3 copies the bytes, and the target's principal reads the source.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::Result;

use super::engine::Engine;
use super::marks::{marked, needs_mark};
use super::multipart::TransferMode;
use super::outcome::Done;
use super::parts::MAX_SINGLE_COPY;
use super::run::{Run, kind};
use crate::aws::error::Kind;
use crate::aws::objects::{Algorithm, CopySource, Head, Part, UploadId, Written};
use crate::plan::artifact::Artifact;

/// The largest object that is copied in one request by default, in bytes. S3 copies 60 to 85 MB/s per request,
/// regardless of the number of requests: 4 GB took 72 s in one and 20 s in a few (s3fs-fuse, pull request 940), 250 MB
/// 3 s (aws-sdk-js-v3, issue 2917).
const ONE_REQUEST: u64 = 128 << 20;
/// The minimum and maximum of the default part size, in bytes. Within these limits, an object has `PARTS_AT_ONCE`
/// parts.
const PARTS: (u64, u64) = (64 << 20, 512 << 20);
const PARTS_AT_ONCE: u64 = 64;

/// What a run says where S3 does not take conditional copies.
const ONLY_PARTS: &str = "S3 takes no conditional copy in one request here (NotImplemented), so every object is copied as a multipart upload";

impl Run<'_> {
    pub(super) async fn copy_server_side(&self, artifact: &Artifact) -> Result<Done> {
        let bytes = artifact.source.bytes;
        if bytes == 0 && artifact.source.location.key.ends_with('/') {
            let written = self.put_marker(artifact).await?;
            return self.verify(artifact, written, None).await;
        }
        let whole = bytes <= self.engine.settings.part_size.unwrap_or(ONE_REQUEST);
        let known = artifact.source.head.as_ref();
        let head = match whole && !needs_mark(artifact, known, self.engine.encryption) {
            true => known.cloned(),
            false => Some(self.source_head(artifact).await?),
        };
        let parts = (bytes / PARTS_AT_ONCE).clamp(PARTS.0, PARTS.1);
        let (written, head) = match head {
            Some(head) if !whole && !self.only_one_request_proves(&head) => {
                let preferred = self.engine.settings.part_size.unwrap_or(parts);
                let copied = self.copy_in_parts(artifact, &head, TransferMode::ServerSide, preferred);
                (copied.await?, Some(head))
            }
            head if self.only_parts.load(Relaxed) => self.copy_as_upload(artifact, head).await?,
            head => match self.copy_whole(artifact, head.as_ref()).await {
                Err(error) if kind(&error) == Some(Kind::NotImplemented) => {
                    if !self.only_parts.swap(true, Relaxed) {
                        self.engine.uploads.warn(ONLY_PARTS.to_owned());
                    }
                    self.copy_as_upload(artifact, head).await?
                }
                copied => (copied?, head),
            },
        };
        self.verify(artifact, written, head).await
    }

    /// Copies an object as an upload of one part, whose completion is conditional everywhere. In some partitions,
    /// CopyObject answers NotImplemented to If-None-Match (S3 User Guide, "Conditional writes").
    async fn copy_as_upload(&self, artifact: &Artifact, head: Option<Head>) -> Result<(Written, Option<Head>)> {
        let head = match head {
            Some(head) => head,
            None => self.source_head(artifact).await?,
        };
        let written = match artifact.source.bytes {
            0 => self.put_marker(artifact).await?,
            bytes => self.copy_in_parts(artifact, &head, TransferMode::ServerSide, bytes).await?,
        };
        Ok((written, Some(head)))
    }

    /// Whether only a copy in one request can be compared with the source: by its ETag, or by a checksum that S3 does not
    /// compute for objects in parts. An explicit part size takes precedence.
    fn only_one_request_proves(&self, source: &Head) -> bool {
        let Engine { encryption, settings, .. } = self.engine;
        let proves = match &source.checksum {
            Some(checksum) => !checksum.algorithm.joins_parts(),
            None => source.etag.is_md5() && !encryption.changes_etags(),
        };
        proves && source.size <= MAX_SINGLE_COPY && settings.part_size.is_none()
    }

    /// Writes a folder marker. It is empty, and some S3-compatible servers cannot copy it.
    pub(super) async fn put_marker(&self, artifact: &Artifact) -> Result<Written> {
        let head = self.source_head(artifact).await?;
        let _request = self.engine.limits.request().await;
        let engine = self.engine;
        let (target, empty) = (&artifact.target, bytes::Bytes::new());
        Ok(engine.target.put_new(target, empty, &head.attributes, engine.encryption, None).await?)
    }

    async fn copy_whole(&self, artifact: &Artifact, head: Option<&Head>) -> Result<Written> {
        let engine = self.engine;
        let attributes = head.filter(|head| needs_mark(artifact, Some(head), engine.encryption)).map(marked);
        // S3 gives the copy a checksum of the source's algorithm, or none.
        let algorithm = head.filter(|head| head.checksum.is_none()).map(|_| Algorithm::default());
        let at = (&artifact.target, artifact.source.bytes);
        let _request = self.engine.limits.request().await;
        let copy = engine.target.copy(copy_source(artifact), at, attributes.as_ref(), engine.encryption, algorithm);
        let written = copy.await?;
        engine.meter.arrived(artifact.source.bytes);
        Ok(written)
    }

    pub(super) async fn copy_part(
        &self,
        artifact: &Artifact,
        id: &UploadId,
        number: i32,
        range: Range<u64>,
    ) -> Result<Part> {
        let bytes = range.end - range.start;
        let _request = self.engine.limits.request().await;
        let target = self.engine.target;
        let part = target
            .upload_part_copy(&artifact.target, id, number, copy_source(artifact), (range, artifact.source.bytes))
            .await?;
        self.engine.uploads.has_part(id).await;
        self.engine.meter.arrived(bytes);
        Ok(part)
    }
}

fn copy_source(artifact: &Artifact) -> CopySource<'_> {
    CopySource { location: &artifact.source.location, if_match: &artifact.source.etag }
}
