//! Copies that S3 makes: no byte passes through this process. The target's principal reads the source.

use std::ops::Range;

use anyhow::Result;

use super::Done;
use super::existing::{marked, needs_mark};
use super::multipart::Way;
use super::parts::MAX_SINGLE_COPY;
use super::run::Run;
use crate::aws::objects::{CopySource, Part, UploadId, Written};
use crate::promotion::artifacts::Artifact;

/// The sizes of the parts of objects that one CopyObject cannot copy, unless 10,000 of them are not enough: as many
/// parts as are copied at once, but no smaller and no larger ones than these.
const PARTS: (u64, u64) = (64 << 20, 512 << 20);
const PARTS_AT_ONCE: u64 = 64;

impl Run<'_> {
    pub(super) async fn copy_server_side(&self, artifact: &Artifact) -> Result<Done> {
        let written = if artifact.source.bytes == 0 && artifact.source.location.key.ends_with('/') {
            self.put_marker(artifact).await?
        } else {
            let bytes = artifact.source.bytes;
            let given = self.engine.tuning.part_size;
            match given.unwrap_or(MAX_SINGLE_COPY).min(MAX_SINGLE_COPY) {
                single if bytes <= single => self.copy_whole(artifact).await?,
                _ => {
                    let preferred = given.unwrap_or((bytes / PARTS_AT_ONCE).clamp(PARTS.0, PARTS.1));
                    self.copy_in_parts(artifact, Way::ServerSide, preferred).await?
                }
            }
        };
        self.verify(artifact, written, None).await
    }

    /// A folder marker has no bytes to copy, and not every S3 has an object behind it that can be copied from.
    pub(super) async fn put_marker(&self, artifact: &Artifact) -> Result<Written> {
        let head = self.source_head(artifact).await?;
        let _request = self.budget.request(0).await;
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
        let at = (&artifact.target, artifact.source.bytes);
        let _request = self.budget.request(artifact.source.bytes).await;
        let copy = engine.target.copy(copy_source(artifact), at, attributes.as_ref(), engine.encryption);
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
        let _request = self.budget.request(bytes).await;
        let target = self.engine.target;
        let part = target.upload_part_copy(&artifact.target, id, number, copy_source(artifact), range).await?;
        self.engine.uploads.has_part(id).await;
        self.engine.meter.arrived(bytes);
        Ok(part)
    }
}

fn copy_source(artifact: &Artifact) -> CopySource<'_> {
    CopySource { location: &artifact.source.location, if_match: &artifact.source.etag }
}
