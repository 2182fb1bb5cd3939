//! Compares copies with their source objects, for copies of this run and of earlier runs.

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::engine::Strictness;
use super::outcome::{Done, Outcome, Verified};
use super::parts::{STREAMED_PART, parts};
use super::run::Run;
use crate::aws::objects::{Checksum, ETag, Head, Listed, Written};
use crate::model::failure::Failure;
use crate::plan::artifact::{Artifact, CopyContent};
use crate::plan::manifest::MAX_MANIFEST_BYTES;

impl Run<'_> {
    /// Compares an existing target object of this size (in bytes) and ETag with the artifact.
    ///
    /// # Errors
    /// The contents differ. Different content is never overwritten.
    pub(super) async fn compare(&self, artifact: &Artifact, size: u64, etag: &ETag) -> Result<Done> {
        let verified = match &artifact.body {
            CopyContent::Rewritten(text) => self.is_text(artifact, text, size).await?,
            CopyContent::Copy if size != artifact.source.bytes => None,
            CopyContent::Copy if self.engine.settings.verify == Strictness::Deep => {
                self.compare_bytes(artifact, etag).await?
            }
            CopyContent::Copy if *etag == artifact.source.etag => Some((Verified::Etag, None)),
            CopyContent::Copy => self.compare_heads(artifact).await?,
        };
        let Some((verified, checksum)) = verified else {
            let message = format!(
                "refusing to overwrite {} ({size} bytes, ETag {}) with {} ({} bytes, ETag {}): they differ",
                artifact.target,
                etag.as_str(),
                artifact.source.location,
                artifact.bytes(),
                artifact.source.etag.as_str()
            );
            let hint = "Delete the object at the target, and a pending version that refers to it, if nobody uses them; or \
                        choose another `--target-prefix`";
            bail!(Failure::new(message).hint(hint));
        };
        let (etag, verified) = (Some(etag.to_string()), Some(verified));
        Ok(Done { outcome: Outcome::AlreadyThere, verified, etag, checksum })
    }

    /// Refuses a copy that is archived: SageMaker cannot read it.
    ///
    /// # Errors
    /// The copy is archived.
    pub(super) async fn refuse_archived(&self, artifact: &Artifact, listed: &Listed) -> Result<()> {
        let archived = listed.archived || listed.tiered && self.target_head(artifact).await?.archived;
        ensure!(
            !archived,
            Failure::new(format!("{} is archived, and SageMaker cannot read archived objects", artifact.target))
                .hint("Restore the object, or delete it, then run again")
        );
        Ok(())
    }

    /// Reads a source object and its new copy again, and compares every byte.
    ///
    /// # Errors
    /// The contents differ.
    pub(super) async fn read_both(&self, artifact: &Artifact, done: Done) -> Result<Done> {
        if let CopyContent::Rewritten(_) = artifact.body {
            return Ok(done);
        }
        let etag = ETag::new(done.etag.as_deref().unwrap_or_default());
        let same = self.compare_bytes(artifact, &etag).await?;
        ensure!(
            same.is_some(),
            bad_copy(format!(
                "{} differs from {} after the copy; nothing was registered",
                artifact.target, artifact.source.location
            ))
        );
        Ok(Done { verified: Some(Verified::Bytes), ..done })
    }

    async fn is_text(
        &self,
        artifact: &Artifact,
        text: &Bytes,
        size: u64,
    ) -> Result<Option<(Verified, Option<Checksum>)>> {
        if size != text.len() as u64 {
            return Ok(None);
        }
        let there = self.engine.target.read(&artifact.target, MAX_MANIFEST_BYTES).await?;
        Ok(there.filter(|(there, _)| there == text).map(|_| (Verified::Checksum, None)))
    }

    /// Compares checksums, or else bytes. ETags of equal objects differ if their encryption or their parts differ. The
    /// metadata of the object proves nothing: anyone with access to the bucket can write it.
    async fn compare_heads(&self, artifact: &Artifact) -> Result<Option<(Verified, Option<Checksum>)>> {
        let (source, target) = tokio::try_join!(self.source_head(artifact), self.target_head(artifact))?;
        match (&source.checksum, &target.checksum) {
            (Some(one), Some(other)) if one.algorithm == other.algorithm => {
                Ok((one == other).then(|| (Verified::Checksum, Some(one.clone()))))
            }
            _ if target.size != artifact.source.bytes => Ok(None),
            _ => self.compare_bytes(artifact, &target.etag).await,
        }
    }

    /// Compares every byte. Without `--verify deep`, only copies without a comparable ETag or checksum need this:
    /// encrypted objects from before S3 stored a checksum of every object, copied by an interrupted run.
    async fn compare_bytes(&self, artifact: &Artifact, etag: &ETag) -> Result<Option<(Verified, Option<Checksum>)>> {
        let (source, engine) = (&artifact.source, self.engine);
        let ranges = parts(source.bytes, STREAMED_PART).map(|range| {
            async move {
                let length = range.end - range.start;
                let _memory = self.engine.limits.memory(2 * length).await;
                let _request = self.engine.limits.request().await;
                let copy = || async {
                    let body = engine.target.get(&artifact.target, range.clone(), etag).await?;
                    self.collect(body).await
                };
                let one = self.retry(|| self.read(artifact, range.clone()));
                let (one, other) = tokio::try_join!(one, self.retry(copy))?;
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

    /// Verifies a new copy with the minimum number of requests. `source` is the metadata of the source object, if
    /// known.
    ///
    /// # Errors
    /// The copy differs from its source.
    pub(super) async fn verify(&self, artifact: &Artifact, written: Written, source: Option<Head>) -> Result<Done> {
        let copied = |verified: Verified, checksum: Option<Checksum>| {
            let etag = Some(written.etag.to_string());
            Done { outcome: Outcome::Copied, verified: Some(verified), etag, checksum }
        };
        if written.etag == artifact.source.etag {
            return Ok(copied(Verified::Etag, written.checksum));
        }
        let source = source.or_else(|| artifact.source.head.clone());
        if self.engine.settings.verify == Strictness::Size && source.is_none() {
            return Ok(copied(Verified::Size, written.checksum));
        }
        let source = match source {
            Some(head) => head,
            None => self.source_head(artifact).await?,
        };
        let has_algorithm =
            |one: &Checksum| source.checksum.as_ref().is_some_and(|source| source.algorithm == one.algorithm);
        let stored = match &written.checksum {
            Some(checksum) if has_algorithm(checksum) => Some(checksum.clone()),
            none if self.engine.settings.verify == Strictness::Size => none.clone(),
            _ => {
                let target = self.target_head(artifact).await?;
                ensure!(
                    target.size == artifact.source.bytes,
                    bad_copy(format!(
                        "{} has {} bytes after the copy, but its source has {} bytes; nothing was registered",
                        artifact.target, target.size, artifact.source.bytes
                    ))
                );
                target.checksum
            }
        };
        match (source.checksum, stored) {
            (Some(one), Some(other)) if one.algorithm == other.algorithm && one != other => bail!(bad_copy(format!(
                "{} has the checksum {} after the copy, but its source has {}; nothing was registered",
                artifact.target, other.value, one.value
            ))),
            (Some(one), Some(checksum)) if one == checksum => Ok(copied(Verified::Checksum, Some(checksum))),
            (_, checksum) => Ok(copied(Verified::Size, checksum)),
        }
    }
}

/// The failure of a copy that differs from its source.
fn bad_copy(message: String) -> Failure {
    Failure::new(message).hint("Remove the copy and run again")
}
