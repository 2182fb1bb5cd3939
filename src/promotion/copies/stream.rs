//! Copies between two principals: ranges of the source come in, parts of the target go out. Memory is bounded by a
//! budget for all objects together, whatever their size.

use std::ops::Range;

use anyhow::{Result, ensure};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::existing::{marked, needs_mark};
use super::parts::{part_size, parts};
use super::{Done, Outcome, REQUESTS_AT_ONCE, Run, STREAM_MEMORY_MIB, Verified};
use crate::aws::objects::{Body, Part, UploadId, Written};
use crate::promotion::plan::Artifact;

/// The size of a part, and up to which an object is one PUT.
pub(super) const PART: u64 = 8 << 20;

impl Run<'_> {
    pub(super) async fn stream(&self, artifact: &Artifact) -> Result<Done> {
        let written = if artifact.source.bytes == 0 && artifact.source.location.key.ends_with('/') {
            self.put_marker(artifact).await?
        } else if artifact.source.bytes <= PART {
            return self.stream_whole(artifact).await;
        } else {
            self.stream_in_parts(artifact).await?
        };
        self.verify(artifact, written, None).await
    }

    /// A rewritten manifest is not copied but put, as it was planned.
    pub(super) async fn put_rewritten(&self, artifact: &Artifact, text: Bytes) -> Result<Done> {
        let head = self.source_head(artifact).await?;
        let _permit = self.requests.acquire().await?;
        let engine = self.engine;
        let bytes = text.len() as u64;
        let written = engine.target.put_new(&artifact.target, text, &head.attributes, engine.encryption, None).await?;
        engine.meter.arrived(bytes);
        Ok(Done { outcome: Outcome::Copied, verified: Some(Verified::Checksum), crc64nvme: written.crc64nvme })
    }

    /// One request reads the object with its headers and checksum, one writes it.
    async fn stream_whole(&self, artifact: &Artifact) -> Result<Done> {
        let engine = self.engine;
        let source = &artifact.source;
        let (written, head) = {
            let _memory = self.memory.acquire_many(mebibytes(source.bytes)).await?;
            let _permit = self.requests.acquire().await?;
            let (head, body) = engine.source.get_whole(&source.location, &source.etag).await?;
            let mark = needs_mark(artifact, Some(&head), engine.encryption);
            let attributes = if mark { marked(&head) } else { head.attributes.clone() };
            let (bytes, checksum) = (collect(artifact, body, source.bytes).await?, head.crc64nvme.as_deref());
            let put = engine.target.put_new(&artifact.target, bytes, &attributes, engine.encryption, checksum);
            (put.await?, head)
        };
        engine.meter.arrived(source.bytes);
        self.verify(artifact, written, Some(head)).await
    }

    async fn stream_in_parts(&self, artifact: &Artifact) -> Result<Written> {
        let engine = self.engine;
        let head = self.source_head(artifact).await?;
        let id = engine.uploads.begin(engine.target, &artifact.target, &marked(&head), engine.encryption).await?;
        let ranges = parts(artifact.source.bytes, part_size(artifact.source.bytes, PART));
        let sends = (1..).zip(ranges).map(|(number, range)| self.send_part(artifact, &id, number, range));
        let sent: Result<Vec<Part>> = stream::iter(sends).buffered(REQUESTS_AT_ONCE).try_collect().await;
        self.finish(artifact, &id, sent).await
    }

    async fn send_part(&self, artifact: &Artifact, id: &UploadId, number: i32, range: Range<u64>) -> Result<Part> {
        let bytes = range.end - range.start;
        let _memory = self.memory.acquire_many(mebibytes(bytes)).await?;
        let _permit = self.requests.acquire().await?;
        let body = self.read(artifact, range).await?;
        let part = self.engine.target.upload_part(&artifact.target, id, number, body).await?;
        self.engine.meter.arrived(bytes);
        Ok(part)
    }

    /// Reads a range of the source as it was planned: of the same ETag, and whole.
    async fn read(&self, artifact: &Artifact, range: Range<u64>) -> Result<Bytes> {
        let (source, expected) = (&artifact.source, range.end - range.start);
        let body = self.engine.source.get(&source.location, range, &source.etag).await?;
        collect(artifact, body, expected).await
    }
}

/// Reads a body to its end, which has to be where it was expected.
pub(super) async fn collect(artifact: &Artifact, mut body: Body, expected: u64) -> Result<Bytes> {
    let mut bytes = BytesMut::with_capacity(usize::try_from(expected)?);
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    let (source, had) = (&artifact.source.location, bytes.len());
    ensure!(had as u64 == expected, "{source} ended after {had} of {expected} bytes; run again");
    Ok(bytes.freeze())
}

/// What a part takes of the memory budget; a part that is larger than all of it takes all of it.
pub(super) fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 20).clamp(1, STREAM_MEMORY_MIB as u64)).expect("the budget is a small number")
}
