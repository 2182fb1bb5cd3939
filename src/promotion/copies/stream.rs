//! Copies between two principals: ranges of the source come in, parts of the target go out. Memory is bounded by a
//! budget for all objects together, whatever their size.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::existing::{marked, needs_mark};
use super::multipart::Way;
use super::run::{Run, kind};
use super::{Done, Outcome, STREAM_MEMORY, Verified};
use crate::aws::error::Kind;
use crate::aws::objects::{Body, Head, Part, UploadId};
use crate::promotion::artifacts::Artifact;

/// The size of a part, and up to which an object is one PUT, unless another one is given.
pub(super) const PART: u64 = 8 << 20;
/// Larger objects are in parts, whatever size was given: they would take all of the memory budget.
const LARGEST_PUT: u64 = STREAM_MEMORY;
/// What the memory budget is counted in.
const UNIT: u64 = 64 << 10;
/// What the connections of a small object take besides, as measured with objects of 16 KiB to 1 MiB.
const BUFFERS: u64 = 384 << 10;
/// Up to here, an object counts with its buffers; of larger ones there are never many at once.
const SMALL: u64 = 1 << 20;

/// Downloads of the same bytes; what breaks off in the middle is no matter of the SDK's retries.
const DOWNLOADS: u32 = 5;
/// The pause before the second one; twice as long before each further one, by a random part of it.
const PAUSE: Duration = Duration::from_millis(100);
/// What a connection has to bring.
const LEAST_BYTES_PER_SECOND: u64 = 1 << 10;

impl Run<'_> {
    pub(super) async fn stream(&self, artifact: &Artifact) -> Result<Done> {
        let part = self.engine.tuning.part_size.unwrap_or(PART);
        if artifact.source.bytes == 0 && artifact.source.location.key.ends_with('/') {
            let written = self.put_marker(artifact).await?;
            return self.verify(artifact, written, None).await;
        }
        if artifact.source.bytes <= part.min(LARGEST_PUT) {
            return self.stream_whole(artifact).await;
        }
        let head = self.source_head(artifact).await?;
        let written = self.copy_in_parts(artifact, &head, Way::Stream, part).await?;
        self.verify(artifact, written, Some(head)).await
    }

    /// A rewritten manifest is not copied but put, as it was planned.
    pub(super) async fn put_rewritten(&self, artifact: &Artifact, text: Bytes) -> Result<Done> {
        let head = self.source_head(artifact).await?;
        let bytes = text.len() as u64;
        let _request = self.budget.request(bytes).await;
        let engine = self.engine;
        let written = engine.target.put_new(&artifact.target, text, &head.attributes, engine.encryption, None).await?;
        engine.meter.arrived(bytes);
        let (etag, crc64nvme) = (Some(written.etag.to_string()), written.crc64nvme);
        Ok(Done { outcome: Outcome::Copied, verified: Some(Verified::Checksum), etag, crc64nvme })
    }

    /// One request reads the object with its headers and checksum, one writes it.
    async fn stream_whole(&self, artifact: &Artifact) -> Result<Done> {
        let engine = self.engine;
        let source = &artifact.source;
        let (written, head) = {
            let _memory = self.memory.acquire_many(units(source.bytes)).await?;
            let _request = self.budget.request(source.bytes).await;
            let (head, bytes) = self.download(|| self.whole(artifact)).await?;
            let mark = needs_mark(artifact, Some(&head), engine.encryption);
            let attributes = if mark { marked(&head) } else { head.attributes.clone() };
            let checksum = head.crc64nvme.as_deref();
            let put = engine.target.put_new(&artifact.target, bytes, &attributes, engine.encryption, checksum);
            (put.await?, head)
        };
        engine.meter.arrived(source.bytes);
        self.verify(artifact, written, Some(head)).await
    }

    async fn whole(&self, artifact: &Artifact) -> Result<(Head, Bytes)> {
        let source = &artifact.source;
        let (head, body) = self.engine.source.get_whole(&source.location, source.bytes, &source.etag).await?;
        Ok((head, self.collect(body, source.bytes).await?))
    }

    pub(super) async fn send_part(
        &self,
        artifact: &Artifact,
        id: &UploadId,
        number: i32,
        range: Range<u64>,
    ) -> Result<Part> {
        let bytes = range.end - range.start;
        let _memory = self.memory.acquire_many(units(bytes)).await?;
        let _request = self.budget.request(bytes).await;
        let body = self.download(|| self.read(artifact, range.clone())).await?;
        let part = self.engine.target.upload_part(&artifact.target, id, number, body).await?;
        self.engine.uploads.has_part(id).await;
        self.engine.meter.arrived(bytes);
        Ok(part)
    }

    /// Reads a range of the source as it was planned: of the same ETag, and whole.
    pub(super) async fn read(&self, artifact: &Artifact, range: Range<u64>) -> Result<Bytes> {
        let (source, expected) = (&artifact.source, range.end - range.start);
        let body = self.engine.source.get(&source.location, range, &source.etag).await?;
        self.collect(body, expected).await
    }

    /// Reads again what broke off or stalled.
    pub(super) async fn download<T>(&self, read: impl AsyncFn() -> Result<T>) -> Result<T> {
        let mut pause = PAUSE;
        for _ in 1..DOWNLOADS {
            match read().await {
                Err(error) if kind(&error) == Some(Kind::Unavailable) => {}
                other => return other,
            }
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause *= 2;
        }
        read().await
    }

    /// Reads a body to its end, which has to be where it was expected, and comes in time.
    pub(super) async fn collect(&self, mut body: Body, expected: u64) -> Result<Bytes> {
        let mut bytes = BytesMut::with_capacity(usize::try_from(expected)?);
        let stall = self.engine.tuning.stall;
        let least = LEAST_BYTES_PER_SECOND * stall.as_secs().max(1);
        let (mut since, mut before) = (Instant::now(), 0);
        loop {
            let Ok(chunk) = timeout(stall, body.next()).await else { break };
            let Some(chunk) = chunk else { break };
            bytes.extend_from_slice(&chunk?);
            if since.elapsed() >= stall {
                if bytes.len() as u64 - before < least {
                    break;
                }
                (since, before) = (Instant::now(), bytes.len() as u64);
            }
        }
        let had = bytes.len() as u64;
        if had == expected {
            return Ok(bytes.freeze());
        }
        Err(body.cut_off(had).into())
    }
}

/// What a part takes of the memory budget; a part that is larger than all of it takes all of it.
pub(super) fn units(bytes: u64) -> u32 {
    let taken = bytes.max(SMALL.min(bytes + BUFFERS)).min(STREAM_MEMORY);
    u32::try_from(taken.div_ceil(UNIT)).expect("the budget is a small number")
}
