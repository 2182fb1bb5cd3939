//! Streamed copies: the bytes pass through this process, read by one principal and written by another. One limit bounds
//! the memory of all objects together.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::SemaphorePermit;
use tokio::time::sleep;

use super::limits::{MEMORY, passes};
use super::marks::{marked, needs_mark};
use super::multipart::TransferMode;
use super::outcome::{Done, Outcome, Verified};
use super::parts::STREAMED_PART;
use super::run::Run;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Algorithm, Body, Contents, Head, Part, UploadId, Written};
use crate::plan::artifact::Artifact;

/// The maximum number of attempts to download a range. The SDK does not retry a response that is interrupted.
const DOWNLOADS: u32 = 5;
/// The pause before the second attempt. It doubles before each further attempt, with jitter.
const PAUSE: Duration = Duration::from_millis(100);

/// The permits for memory and a request, held while an object or part is transferred.
type TransferPermits<'a> = (SemaphorePermit<'a>, SemaphorePermit<'a>);

impl Run<'_> {
    pub(super) async fn stream(&self, artifact: &Artifact) -> Result<Done> {
        let part = self.engine.settings.part_size.unwrap_or(STREAMED_PART);
        if artifact.source.bytes == 0 && artifact.source.location.key.ends_with('/') {
            let written = self.put_marker(artifact).await?;
            return self.verify(artifact, written, None).await;
        }
        if artifact.source.bytes <= part.min(MEMORY) {
            return self.stream_whole(artifact).await;
        }
        let head = self.source_head(artifact).await?;
        let written = self.copy_in_parts(artifact, &head, TransferMode::Stream, part).await?;
        self.verify(artifact, written, Some(head)).await
    }

    /// Writes a rewritten manifest as planned.
    pub(super) async fn put_rewritten(&self, artifact: &Artifact, text: Bytes) -> Result<Done> {
        let head = self.source_head(artifact).await?;
        let bytes = text.len() as u64;
        let _request = self.engine.limits.request().await;
        let engine = self.engine;
        let written = engine.target.put_new(&artifact.target, text, &head.attributes, engine.encryption, None).await?;
        engine.meter.streamed(bytes);
        let (etag, checksum) = (Some(written.etag.to_string()), written.checksum);
        Ok(Done { outcome: Outcome::Copied, verified: Some(Verified::Checksum), etag, checksum })
    }

    /// Reads the object, its headers and its checksum with one request, and writes it with another.
    async fn stream_whole(&self, artifact: &Artifact) -> Result<Done> {
        let bytes = artifact.source.bytes;
        let (written, head) = {
            let _transfer = self.transfer(bytes).await;
            self.retry(|| self.put_whole(artifact)).await?
        };
        self.engine.meter.streamed(bytes);
        self.verify(artifact, written, Some(head)).await
    }

    async fn put_whole(&self, artifact: &Artifact) -> Result<(Written, Head)> {
        let (engine, source) = (self.engine, &artifact.source);
        let (head, body) = engine.source.get_whole(&source.location, source.bytes, &source.etag).await?;
        let contents = self.contents(artifact, 0..source.bytes, body).await?;
        let mark = needs_mark(artifact, Some(&head), engine.encryption);
        let attributes = if mark { marked(&head) } else { head.attributes.clone() };
        let checksum = head.checksum.as_ref();
        let put = engine.target.put_new(&artifact.target, contents, &attributes, engine.encryption, checksum);
        Ok((put.await?, head))
    }

    pub(super) async fn send_part(
        &self,
        artifact: &Artifact,
        (id, algorithm): (&UploadId, Algorithm),
        number: i32,
        range: Range<u64>,
    ) -> Result<Part> {
        let bytes = range.end - range.start;
        let part = {
            let _transfer = self.transfer(bytes).await;
            let send = || async {
                let body = self.open(artifact, range.clone()).await?;
                let contents = self.contents(artifact, range.clone(), body).await?;
                Ok(self.engine.target.upload_part(&artifact.target, id, number, contents, algorithm).await?)
            };
            self.retry(send).await?
        };
        self.engine.uploads.has_part(id).await;
        self.engine.meter.streamed(bytes);
        Ok(part)
    }

    async fn transfer(&self, bytes: u64) -> TransferPermits<'_> {
        (self.engine.limits.transfer(bytes).await, self.engine.limits.request().await)
    }

    /// The request body for a range that is being downloaded: buffered if it is small, otherwise streamed.
    async fn contents(&self, artifact: &Artifact, range: Range<u64>, body: Body) -> Result<Contents> {
        let stall = self.engine.settings.stall();
        if !passes(body.length) {
            return Ok(self.collect(body).await?.into());
        }
        let (objects, source) = (self.engine.source.clone(), artifact.source.clone());
        let again = move || {
            let (objects, source, range) = (objects.clone(), source.clone(), range.clone());
            async move { Ok(objects.get(&source.location, range, &source.etag).await?.watched(stall)) }
        };
        Ok(Contents::passing(body.watched(stall), again))
    }

    /// Begins to read a range of the source object, conditionally on the planned ETag.
    async fn open(&self, artifact: &Artifact, range: Range<u64>) -> Result<Body, CallError> {
        self.engine.source.get(&artifact.source.location, range, &artifact.source.etag).await
    }

    /// Reads a range of the source object completely, conditionally on the planned ETag.
    pub(super) async fn read(&self, artifact: &Artifact, range: Range<u64>) -> Result<Bytes> {
        self.collect(self.open(artifact, range).await?).await
    }

    /// Repeats an act if it failed because a download was interrupted or stalled.
    pub(super) async fn retry<T, Attempt>(&self, act: impl Fn() -> Attempt) -> Result<T>
    where
        Attempt: Future<Output = Result<T>>,
    {
        let mut pause = PAUSE;
        for _ in 1..DOWNLOADS {
            match act().await {
                Err(error) if is_interrupted_download(&error) => {}
                other => return other,
            }
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause *= 2;
        }
        act().await
    }

    /// Reads a body to its end. Fails if the download stalls.
    pub(super) async fn collect(&self, body: Body) -> Result<Bytes> {
        let mut bytes = BytesMut::with_capacity(usize::try_from(body.length)?);
        let mut body = body.watched(self.engine.settings.stall());
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(bytes.freeze())
    }
}

/// Whether a download was interrupted and can be repeated.
fn is_interrupted_download(error: &anyhow::Error) -> bool {
    let call = error.chain().find_map(|cause| cause.downcast_ref::<CallError>());
    call.is_some_and(|error| error.kind == Kind::Unavailable && error.call == "s3:GetObject")
}
