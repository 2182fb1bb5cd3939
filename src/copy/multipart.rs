//! Copies in parts: an object comes in, its parts go side by side, the whole comes out. Parts that an interrupted run
//! has brought of the same object are taken up.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::existing::marked;
use super::parts::{part_size, parts};
use super::run::Run;
use crate::aws::error::Kind;
use crate::aws::objects::{Attributes, Encryption, Head, Part, StoredPart, UploadId, Written};
use crate::plan::artifacts::Artifact;

/// Who moves the bytes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ServerSide,
    Stream,
}

/// An upload, and the parts that it has.
struct Upload {
    id: UploadId,
    there: Vec<StoredPart>,
}

impl Run<'_> {
    /// Copies an object, whose headers and checksum are known, in parts of about the preferred size.
    pub(super) async fn copy_in_parts(
        &self,
        artifact: &Artifact,
        source: &Head,
        way: Way,
        preferred: u64,
    ) -> Result<Written> {
        let engine = self.engine;
        let attributes = marked(source);
        let bytes = artifact.source.bytes;
        let size = part_size(bytes, preferred, mark(artifact, &attributes, engine.encryption));
        let ranges: Vec<Range<u64>> = parts(bytes, size).collect();
        let upload = match self.unfinished(artifact, &ranges).await? {
            Some(upload) => upload,
            None => {
                let begun = engine.uploads.begin(engine.target, &artifact.target, &attributes, engine.encryption);
                Upload { id: begun.await?, there: Vec::new() }
            }
        };
        let copied = self.rest(artifact, way, &ranges, &upload).await;
        self.finish(artifact, &upload.id, copied, source.crc64nvme.as_deref()).await
    }

    /// An upload of the same object, with the same headers and encryption, that an earlier run did not finish.
    async fn unfinished(&self, artifact: &Artifact, ranges: &[Range<u64>]) -> Result<Option<Upload>> {
        let engine = self.engine;
        for id in self.there.uploads(&artifact.target) {
            let _request = self.budget.request(0).await;
            let there = match engine.target.list_parts(&artifact.target, id).await {
                Err(error) if matches!(error.kind, Kind::NoSuchUpload | Kind::Denied) => continue,
                listed => listed?,
            };
            let fits = |part: &StoredPart| {
                let range = usize::try_from(part.part.number - 1).ok().and_then(|index| ranges.get(index));
                range.is_some_and(|range| range.end - range.start == part.bytes)
            };
            // The last part of another object may have any size; the first ones tell.
            let tells = there.iter().any(|part| (part.part.number as usize) < ranges.len());
            if tells && there.iter().all(fits) {
                engine.uploads.take_up(engine.target, &artifact.target, id).await;
                engine.meter.resumed(there.iter().map(|part| part.bytes).sum());
                return Ok(Some(Upload { id: id.clone(), there }));
            }
        }
        Ok(None)
    }

    /// Copies the parts that are not there, and names them all.
    async fn rest(&self, artifact: &Artifact, way: Way, ranges: &[Range<u64>], upload: &Upload) -> Result<Vec<Part>> {
        let there: HashSet<i32> = upload.there.iter().map(|part| part.part.number).collect();
        let missing = (1..).zip(ranges).filter(|(number, _)| !there.contains(number));
        let copies = missing.map(|(number, range)| async move {
            match way {
                Way::ServerSide => self.copy_part(artifact, &upload.id, number, range.clone()).await,
                Way::Stream => self.send_part(artifact, &upload.id, number, range.clone()).await,
            }
        });
        let mut parts: Vec<Part> = stream::iter(copies).buffer_unordered(self.budget.most()).try_collect().await?;
        parts.extend(upload.there.iter().map(|stored| stored.part.clone()));
        Ok(parts)
    }

    /// Completes an upload whose parts are there; otherwise leaves it to the next run, or aborts it where the next run
    /// could not use it. S3 refuses parts that are not what the source's checksum says.
    async fn finish(
        &self,
        artifact: &Artifact,
        id: &UploadId,
        parts: Result<Vec<Part>>,
        crc64nvme: Option<&str>,
    ) -> Result<Written> {
        let engine = self.engine;
        let completed = match parts {
            Ok(parts) => {
                let whole = (artifact.source.bytes, crc64nvme);
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

/// A number that is the same for the same object, headers and encryption: the size of the parts carries it, since S3
/// tells nothing else about an unfinished upload.
fn mark(artifact: &Artifact, attributes: &Attributes, encryption: &Encryption) -> u64 {
    let source = &artifact.source;
    let text = format!("{} {} {attributes:?} {encryption:?}", source.etag, source.bytes);
    let digest = Sha256::digest(text);
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
