//! Copies between two principals: ranges of the source come in, parts of the target go out. Memory is bounded by a
//! budget for all objects together, whatever their size.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::SemaphorePermit;
use tokio::time::sleep;

use super::budget::{Permit, Reach};
use super::existing::{marked, needs_mark};
use super::multipart::Way;
use super::run::Run;
use super::{Done, Outcome, STREAM_MEMORY, Verified};
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Body, Contents, Head, Part, UploadId, Written};
use crate::plan::artifacts::Artifact;

/// The size of a part, and up to which an object is one PUT, unless another one is given.
pub(super) const PART: u64 = 8 << 20;
/// Larger objects are in parts, whatever size was given.
const LARGEST_PUT: u64 = STREAM_MEMORY;
/// What the memory budget is counted in.
const UNIT: u64 = 64 << 10;
/// What the connections of a small object take besides, as measured with objects of 16 KiB to 1 MiB.
const BUFFERS: u64 = 384 << 10;
/// Up to here, an object is held in memory before it is sent, and counts with its buffers.
const SMALL: u64 = 1 << 20;
/// Larger ones are never held: too few of them would have room at once.
const LARGEST_HELD: u64 = 2 * PART;
/// What passes through takes so much memory, in the buffers of two connections: 64 at once took 92 MiB (27 November
/// 2026).
const BUFFERED: u64 = 3 << 19;
/// How many pass through at once: first as many as would have room to be held; as long as more bring more, as many as
/// have room for their buffers.
pub(super) const PASSING: Reach = Reach { first: 8, most: 40 };

/// Downloads of the same bytes; what breaks off in the middle is no matter of the SDK's retries.
const DOWNLOADS: u32 = 5;
/// The pause before the second one; twice as long before each further one, by a random part of it.
const PAUSE: Duration = Duration::from_millis(100);

/// Memory, and the right to a request: held for as long as an object or a part is under way.
type Place<'a> = (SemaphorePermit<'a>, Option<Permit<'a>>, Permit<'a>);

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
        let bytes = artifact.source.bytes;
        let (written, head) = {
            let _place = self.place(bytes).await?;
            self.again(|| self.put_whole(artifact)).await?
        };
        self.engine.meter.arrived(bytes);
        self.verify(artifact, written, Some(head)).await
    }

    async fn put_whole(&self, artifact: &Artifact) -> Result<(Written, Head)> {
        let (engine, source) = (self.engine, &artifact.source);
        let (head, body) = engine.source.get_whole(&source.location, source.bytes, &source.etag).await?;
        let contents = self.contents(artifact, 0..source.bytes, body).await?;
        let mark = needs_mark(artifact, Some(&head), engine.encryption);
        let attributes = if mark { marked(&head) } else { head.attributes.clone() };
        let checksum = head.crc64nvme.as_deref();
        let put = engine.target.put_new(&artifact.target, contents, &attributes, engine.encryption, checksum);
        Ok((put.await?, head))
    }

    pub(super) async fn send_part(
        &self,
        artifact: &Artifact,
        id: &UploadId,
        number: i32,
        range: Range<u64>,
    ) -> Result<Part> {
        let bytes = range.end - range.start;
        let part = {
            let _place = self.place(bytes).await?;
            let send = async || {
                let body = self.open(artifact, range.clone()).await?;
                let contents = self.contents(artifact, range.clone(), body).await?;
                Ok(self.engine.target.upload_part(&artifact.target, id, number, contents).await?)
            };
            self.again(send).await?
        };
        self.engine.uploads.has_part(id).await;
        self.engine.meter.arrived(bytes);
        Ok(part)
    }

    /// Whether so many bytes are sent while they come, and not held until they are all there. Amazon S3 answers after
    /// 100 to 200 ms and moves some 90 MB/s on each connection (its performance guidelines): that takes many connections.
    /// One nearby is as fast with the few parts that memory has room for, and in less processor time: the SDK signs what
    /// it cannot see beforehand piece by piece where there is no TLS (500 MiB: 0.54 and 0.81 s, 27 November 2026).
    fn passes(&self, bytes: u64) -> bool {
        bytes > LARGEST_HELD || (bytes > SMALL && self.engine.target.is_amazon())
    }

    async fn place(&self, bytes: u64) -> Result<Place<'_>> {
        let passes = self.passes(bytes);
        let passing = if passes { Some(self.passing.request(bytes).await) } else { None };
        let memory = self.memory.acquire_many(units(if passes { BUFFERED } else { bytes })).await?;
        Ok((memory, passing, self.budget.request(bytes).await))
    }

    /// What to send, of a range that is being downloaded.
    async fn contents(&self, artifact: &Artifact, range: Range<u64>, body: Body) -> Result<Contents> {
        let stall = self.engine.tuning.stall;
        if !self.passes(body.length) {
            return Ok(self.collect(body).await?.into());
        }
        let (objects, source) = (self.engine.source.clone(), artifact.source.clone());
        let again = move || {
            let (objects, source, range) = (objects.clone(), source.clone(), range.clone());
            async move { Ok(objects.get(&source.location, range, &source.etag).await?.watched(stall)) }
        };
        Ok(Contents::passing(body.watched(stall), again))
    }

    /// Begins to read a range of the source as it was planned.
    async fn open(&self, artifact: &Artifact, range: Range<u64>) -> Result<Body, CallError> {
        self.engine.source.get(&artifact.source.location, range, &artifact.source.etag).await
    }

    /// Reads a range of the source as it was planned: of the same ETag, and whole.
    pub(super) async fn read(&self, artifact: &Artifact, range: Range<u64>) -> Result<Bytes> {
        self.collect(self.open(artifact, range).await?).await
    }

    /// Does once more what failed because a download broke off or stalled.
    pub(super) async fn again<T>(&self, act: impl AsyncFn() -> Result<T>) -> Result<T> {
        let mut pause = PAUSE;
        for _ in 1..DOWNLOADS {
            match act().await {
                Err(error) if broke_off(&error) => {}
                other => return other,
            }
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause *= 2;
        }
        act().await
    }

    /// Reads a body to its end, which comes in time.
    pub(super) async fn collect(&self, body: Body) -> Result<Bytes> {
        let mut bytes = BytesMut::with_capacity(usize::try_from(body.length)?);
        let mut body = body.watched(self.engine.tuning.stall);
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(bytes.freeze())
    }
}

/// Whether a download failed that may be begun again.
fn broke_off(error: &anyhow::Error) -> bool {
    let call = error.chain().find_map(|cause| cause.downcast_ref::<CallError>());
    call.is_some_and(|error| error.kind == Kind::Unavailable && error.call == "s3:GetObject")
}

/// What so many bytes take of the memory budget, at most all of it.
pub(super) fn units(bytes: u64) -> u32 {
    let taken = bytes.max(SMALL.min(bytes + BUFFERS)).min(STREAM_MEMORY);
    u32::try_from(taken.div_ceil(UNIT)).expect("the budget is a small number")
}
