//! Compares copies with their sources: those of an earlier run, and those of this one.

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::engine::Strictness;
use super::marks::is_marked;
use super::outcome::{Done, Outcome, Verified};
use super::parts::{STREAMED_PART, parts};
use super::run::Run;
use crate::aws::objects::{ETag, Head, Written};
use crate::plan::artifact::{Artifact, Body};
use crate::plan::manifest::MAX_MANIFEST_BYTES;

impl Run<'_> {
    /// Whether the object at the target, of this size and ETag, is the artifact.
    ///
    /// # Errors
    /// It is something else: nothing is overwritten.
    pub(super) async fn compare(&self, artifact: &Artifact, size: u64, etag: &ETag) -> Result<Done> {
        let verified = match &artifact.body {
            Body::Rewritten(text) => self.is_text(artifact, text, size).await?,
            Body::Copy if size != artifact.source.bytes => None,
            Body::Copy if self.engine.tuning.verify == Strictness::Deep => self.compare_bytes(artifact, etag).await?,
            Body::Copy if *etag == artifact.source.etag => Some((Verified::Etag, None)),
            Body::Copy => self.compare_heads(artifact).await?,
        };
        let Some((verified, crc64nvme)) = verified else {
            bail!(
                "refusing to overwrite {} ({size} bytes, ETag {}) with {} ({} bytes, ETag {}): they differ. Remove the \
                 object at the target if nothing uses it, or choose another --target-prefix",
                artifact.target,
                etag.as_str(),
                artifact.source.location,
                artifact.bytes(),
                artifact.source.etag.as_str()
            );
        };
        let (etag, verified) = (Some(etag.to_string()), Some(verified));
        Ok(Done { outcome: Outcome::AlreadyThere, verified, etag, crc64nvme })
    }

    /// Reads an object and its fresh copy again.
    ///
    /// # Errors
    /// They differ.
    pub(super) async fn read_both(&self, artifact: &Artifact, done: Done) -> Result<Done> {
        if let Body::Rewritten(_) = artifact.body {
            return Ok(done);
        }
        let etag = ETag::new(done.etag.as_deref().unwrap_or_default());
        let same = self.compare_bytes(artifact, &etag).await?;
        ensure!(
            same.is_some(),
            "{} differs from {} after the copy; nothing was registered. Remove it and run again",
            artifact.target,
            artifact.source.location
        );
        Ok(Done { verified: Some(Verified::Bytes), ..done })
    }

    async fn is_text(
        &self,
        artifact: &Artifact,
        text: &Bytes,
        size: u64,
    ) -> Result<Option<(Verified, Option<String>)>> {
        if size != text.len() as u64 {
            return Ok(None);
        }
        let there = self.engine.target.read(&artifact.target, MAX_MANIFEST_BYTES).await?;
        Ok(there.filter(|(there, _)| there == text).map(|_| (Verified::Checksum, None)))
    }

    /// ETags of equal bytes differ when the objects were encrypted or uploaded in other parts; then checksums decide,
    /// or the mark that the copy carries.
    async fn compare_heads(&self, artifact: &Artifact) -> Result<Option<(Verified, Option<String>)>> {
        let (source, target) = tokio::try_join!(self.source_head(artifact), self.target_head(artifact))?;
        match (&source.crc64nvme, &target.crc64nvme) {
            (Some(one), Some(other)) => Ok((one == other).then(|| (Verified::Checksum, Some(one.clone())))),
            _ if is_marked(&target, &source) => Ok(Some((Verified::Size, target.crc64nvme))),
            _ if target.size != artifact.source.bytes => Ok(None),
            _ => self.compare_bytes(artifact, &target.etag).await,
        }
    }

    /// Where neither ETag nor checksum nor mark can tell, the bytes do: a few objects at most, from before S3 kept a
    /// checksum of every object, under a key of their own, and copied by a run that was interrupted.
    async fn compare_bytes(&self, artifact: &Artifact, etag: &ETag) -> Result<Option<(Verified, Option<String>)>> {
        let (source, engine) = (&artifact.source, self.engine);
        let ranges = parts(source.bytes, STREAMED_PART).map(|range| {
            async move {
                let length = range.end - range.start;
                let _memory = self.engine.limits.memory(2 * length).await;
                let _request = self.engine.limits.request().await;
                let theirs = || async {
                    let body = engine.target.get(&artifact.target, range.clone(), etag).await?;
                    self.collect(body).await
                };
                let one = self.again(|| self.read(artifact, range.clone()));
                let (one, other) = tokio::try_join!(one, self.again(theirs))?;
                anyhow::Ok(one == other)
            }
            .boxed()
        });
        let same = stream::iter(ranges)
            .buffer_unordered(self.engine.limits.concurrency())
            .try_all(|same| async move { same })
            .await?;
        Ok(same.then_some((Verified::Bytes, None)))
    }

    pub(super) async fn target_head(&self, artifact: &Artifact) -> Result<Head> {
        let _request = self.engine.limits.request().await;
        Ok(self.engine.target.head(&artifact.target).await?)
    }

    /// Holds what S3 copied against its source, with no request more than that needs.
    ///
    /// # Errors
    /// It differs: S3 stored something else than it was given.
    pub(super) async fn verify(&self, artifact: &Artifact, written: Written, source: Option<Head>) -> Result<Done> {
        let copied = |verified: Verified, crc64nvme: Option<String>| {
            let etag = Some(written.etag.to_string());
            Done { outcome: Outcome::Copied, verified: Some(verified), etag, crc64nvme }
        };
        if written.etag == artifact.source.etag {
            return Ok(copied(Verified::Etag, written.crc64nvme));
        }
        let source = source.or_else(|| artifact.source.head.clone());
        if self.engine.tuning.verify == Strictness::Size && source.is_none() {
            return Ok(copied(Verified::Size, written.crc64nvme));
        }
        let source = match source {
            Some(head) => head,
            None => self.source_head(artifact).await?,
        };
        let stored = match &written.crc64nvme {
            Some(checksum) if source.crc64nvme.is_some() => Some(checksum.clone()),
            none if self.engine.tuning.verify == Strictness::Size => none.clone(),
            _ => {
                let target = self.target_head(artifact).await?;
                ensure!(
                    target.size == artifact.source.bytes,
                    "{} has {} bytes after the copy, and its source {}; nothing was registered. Remove it and run again",
                    artifact.target,
                    target.size,
                    artifact.source.bytes
                );
                target.crc64nvme
            }
        };
        match (source.crc64nvme, stored) {
            (Some(one), Some(other)) if one != other => bail!(
                "{} has the checksum {other} after the copy, and its source {one}; nothing was registered. Remove it and \
                 run again",
                artifact.target
            ),
            (Some(_), Some(checksum)) => Ok(copied(Verified::Checksum, Some(checksum))),
            (_, checksum) => Ok(copied(Verified::Size, checksum)),
        }
    }
}
