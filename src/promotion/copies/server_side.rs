//! Copies that S3 makes: no byte passes through this process. The target's principal reads the source.

use std::ops::Range;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::existing::{marked, needs_mark};
use super::parts::{MAX_SINGLE_COPY, part_size, parts};
use super::{Done, REQUESTS_AT_ONCE, Run};
use crate::aws::error::CallError;
use crate::aws::objects::{CopySource, Part, UploadId, Written};
use crate::promotion::plan::Artifact;

/// Up to this size one CopyObject copies the whole object.
pub(super) const SINGLE_COPY: u64 = MAX_SINGLE_COPY;

/// The size of the parts of larger objects, unless 10,000 of them are not enough.
const PART: u64 = 512 << 20;

impl Run<'_> {
    pub(super) async fn copy_server_side(&self, artifact: &Artifact) -> Result<Done> {
        let written = if artifact.source.bytes == 0 && artifact.source.location.key.ends_with('/') {
            self.put_marker(artifact).await?
        } else if artifact.source.bytes <= SINGLE_COPY {
            self.copy_whole(artifact).await?
        } else {
            self.copy_in_parts(artifact).await?
        };
        self.verify(artifact, written, None).await
    }

    /// A folder marker has no bytes to copy, and not every S3 has an object behind it that can be copied from.
    pub(super) async fn put_marker(&self, artifact: &Artifact) -> Result<Written> {
        let head = self.source_head(artifact).await?;
        let _permit = self.requests.acquire().await?;
        let engine = self.engine;
        let (target, empty) = (&artifact.target, bytes::Bytes::new());
        Ok(engine.target.put_new(target, empty, &head.attributes, engine.encryption, None).await?)
    }

    async fn copy_whole(&self, artifact: &Artifact) -> Result<Written> {
        let engine = self.engine;
        let attributes = match needs_mark(artifact, artifact.source.head.as_ref(), engine.encryption) {
            true => Some(marked(&self.source_head(artifact).await?)),
            false => None,
        };
        let _permit = self.requests.acquire().await?;
        let copy = engine.target.copy(copy_source(artifact), &artifact.target, attributes.as_ref(), engine.encryption);
        let written = copy.await?;
        engine.meter.arrived(artifact.source.bytes);
        Ok(written)
    }

    async fn copy_in_parts(&self, artifact: &Artifact) -> Result<Written> {
        let engine = self.engine;
        let head = self.source_head(artifact).await?;
        let id = engine.uploads.begin(engine.target, &artifact.target, &marked(&head), engine.encryption).await?;
        let ranges = parts(artifact.source.bytes, part_size(artifact.source.bytes, PART));
        let copies = (1..).zip(ranges).map(|(number, range)| self.copy_part(artifact, &id, number, range));
        let copied: Result<Vec<Part>> = stream::iter(copies).buffered(REQUESTS_AT_ONCE).try_collect().await;
        self.finish(artifact, &id, copied).await
    }

    async fn copy_part(&self, artifact: &Artifact, id: &UploadId, number: i32, range: Range<u64>) -> Result<Part> {
        let _permit = self.requests.acquire().await?;
        let bytes = range.end - range.start;
        let target = self.engine.target;
        let part = target.upload_part_copy(&artifact.target, id, number, copy_source(artifact), range).await?;
        self.engine.meter.arrived(bytes);
        Ok(part)
    }

    /// Completes an upload whose parts are there, or aborts it.
    pub(super) async fn finish(&self, artifact: &Artifact, id: &UploadId, parts: Result<Vec<Part>>) -> Result<Written> {
        let engine = self.engine;
        let completed = match parts {
            Ok(parts) => engine
                .target
                .complete(&artifact.target, id, &parts, artifact.source.bytes)
                .await
                .map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        match completed {
            Ok(written) => {
                engine.uploads.close(id).await;
                Ok(written)
            }
            Err(error) => Err(match engine.uploads.abort(id).await {
                Ok(()) => error,
                Err(left) => error.context(stays_open(&left)),
            }),
        }
    }
}

fn stays_open(error: &CallError) -> String {
    format!("an upload stays open until the next run: {error}")
}

fn copy_source(artifact: &Artifact) -> CopySource<'_> {
    CopySource { location: &artifact.source.location, if_match: &artifact.source.etag }
}
