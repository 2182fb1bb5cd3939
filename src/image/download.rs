//! Downloads a layer from its first byte to its last, across broken connections and expired URLs, and hashes it.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::digest::{Context as Sha256, SHA256};
use bytes::{Buf, Bytes};
use tokio::sync::SemaphorePermit;
use tokio::time::sleep;

use super::engine::ImageEngine;
use crate::aws::error::{CallError, Kind};
use crate::aws::images::{Download, LayerUpload, LayerUrl, PartBody, PartEncoder};
use crate::model::failure::Failure;
use crate::model::image::{Digest, Repository};
use crate::plan::images::Layer;

/// The maximum number of attempts to go on with a download.
const ATTEMPTS: u32 = 5;
/// The pause before the second attempt. It doubles before each further attempt, with jitter.
const PAUSE: Duration = Duration::from_millis(100);
/// The memory of the connections of a part besides its body, in bytes, as for buffered objects.
const BUFFERS: u64 = 384 << 10;

/// A layer that is being downloaded.
pub(super) struct LayerDownload<'a> {
    engine: &'a ImageEngine<'a>,
    repository: &'a Repository,
    layer: &'a Layer,
    url: Option<LayerUrl>,
    download: Option<Download>,
    /// What was downloaded with the last bytes of a part, and belongs to the next one.
    rest: Bytes,
    at: u64,
    hash: Sha256,
}

/// A part in memory, with the permit for the memory.
pub(super) struct LayerPart<'a> {
    pub body: PartBody,
    _memory: SemaphorePermit<'a>,
}

impl<'a> LayerDownload<'a> {
    pub fn new(engine: &'a ImageEngine<'a>, repository: &'a Repository, layer: &'a Layer) -> Self {
        let (url, download, rest) = (None, None, Bytes::new());
        Self { engine, repository, layer, url, download, rest, at: 0, hash: Sha256::new(&SHA256) }
    }

    /// Gets the URL of the layer before it is needed.
    ///
    /// # Errors
    /// The layer cannot be downloaded. A call that may succeed later is left to [`LayerDownload::part`].
    pub async fn locate(&mut self) -> Result<(), CallError> {
        let _request = self.engine.limits.request().await;
        match self.engine.source.url((self.repository, &self.layer.digest)).await {
            Ok(url) => self.url = Some(url),
            Err(error) if error.kind == Kind::Unavailable => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The next part.
    ///
    /// # Errors
    /// The layer cannot be downloaded.
    pub async fn part(
        &mut self,
        target: &Repository,
        upload: &LayerUpload,
        range: Range<u64>,
    ) -> Result<LayerPart<'a>> {
        let limits = self.engine.limits;
        let bytes = range.end - range.start;
        let memory = limits.memory(bytes.div_ceil(3) * 4 + BUFFERS).await;
        let _request = limits.request().await;
        let mut part = PartBody::encode(target, upload, (range.start, bytes));
        let (mut pause, mut attempt) = (PAUSE, 1);
        while part.missing() > 0 {
            match self.next().await {
                Ok(()) => {
                    self.take(&mut part);
                    (pause, attempt) = (PAUSE, 1);
                }
                Err(error) if error.kind == Kind::Unavailable && attempt < ATTEMPTS => {
                    self.download = None;
                    sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    (pause, attempt) = (pause * 2, attempt + 1);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(LayerPart { body: part.end(), _memory: memory })
    }

    /// Refuses a layer that does not have its digest.
    ///
    /// # Errors
    /// The bytes are others. Nothing of the layer is stored then.
    pub fn verify(self) -> Result<()> {
        let is = Digest::from_sha256(self.hash.finish().as_ref());
        let (expected, repository) = (&self.layer.digest, self.repository);
        ensure!(
            is == *expected,
            Failure::new(format!("the layer {expected} of {repository} has the digest {is}: its bytes are damaged"))
                .hint("Run again; if the error persists, push the image again at the source")
        );
        Ok(())
    }

    /// Downloads more bytes, unless there are some.
    async fn next(&mut self) -> Result<(), CallError> {
        if !self.rest.is_empty() {
            return Ok(());
        }
        let layer = (self.repository, &self.layer.digest);
        let mut download = match self.download.take() {
            Some(download) => download,
            None => self.engine.source.resume(layer, &mut self.url, (self.at, self.layer.bytes)).await?,
        };
        if let Some(chunk) = download.next(layer).await? {
            self.at += chunk.len() as u64;
            self.rest = chunk;
            self.download = Some(download);
        }
        Ok(())
    }

    /// Moves downloaded bytes to a part.
    fn take(&mut self, part: &mut PartEncoder) {
        let count = self.rest.len().min(usize::try_from(part.missing()).unwrap_or(usize::MAX));
        let chunk = &self.rest[..count];
        self.hash.update(chunk);
        part.push(chunk);
        self.rest.advance(count);
    }
}

/// Adds what was being copied to an error that names the target's repository only.
pub(super) fn copying<T>(result: Result<T, CallError>, layer: &Layer, from: &Repository) -> Result<T> {
    result.with_context(|| format!("copying the layer {} of {from}", layer.digest))
}
