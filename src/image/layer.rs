//! Copies one layer: downloads a part while the part before it is sent.

use anyhow::{Result, bail};
use futures_util::FutureExt;

use super::download::{LayerDownload, LayerPart, copying};
use super::engine::ImageEngine;
use super::parts::{part_at, part_size};
use crate::aws::error::CallError;
use crate::aws::images::{LayerUpload, Sent};
use crate::model::failure::Failure;
use crate::model::image::Repository;
use crate::plan::images::Layer;

/// How often an upload that ECR has lost is begun again.
const UPLOADS: u32 = 3;

impl ImageEngine<'_> {
    /// Copies a layer that the target does not have.
    pub(super) async fn copy_layer(&self, from: &Repository, to: &Repository, layer: &Layer) -> Result<()> {
        let _layer = self.limits.layer(layer.bytes).await;
        for _ in 0..UPLOADS {
            if self.attempt(from, to, layer).await? {
                return Ok(());
            }
            // Another run may have completed the layer.
            if self.target.missing(to, std::slice::from_ref(&layer.digest)).await?.is_empty() {
                return Ok(());
            }
        }
        let message = format!("Amazon ECR lost {UPLOADS} uploads of the layer {} to {to}", layer.digest);
        bail!(Failure::new(message).hint("Run again; complete layers are not copied again"))
    }

    /// Sends a layer once. Returns false if ECR has lost the upload.
    async fn attempt(&self, from: &Repository, to: &Repository, layer: &Layer) -> Result<bool> {
        let mut download = LayerDownload::new(self, from, layer);
        // Two errors at once: which one is told does not depend on the network.
        let (upload, located) = tokio::join!(self.begin(to), download.locate());
        let upload = copying(upload, layer, from)?;
        located?;
        let size = part_size(layer.bytes, upload.part_size);
        let mut next = match part_at(0, layer.bytes, size) {
            Some(range) => Some(download.part(to, &upload, range).await?),
            None => None,
        };
        while let Some(part) = next {
            let following = part_at(part.body.last() + 1, layer.bytes, size);
            let read = async {
                match following {
                    Some(range) => download.part(to, &upload, range).await.map(Some),
                    None => Ok(None),
                }
            };
            let (sent, read) =
                tokio::try_join!(self.send(to, &upload, part).map(|sent| copying(sent, layer, from)), read)?;
            match sent {
                Sent::Received => next = read,
                Sent::Expects(_) | Sent::Gone => return Ok(false),
            }
        }
        download.verify()?;
        let _request = self.limits.request().await;
        Ok(self.target.complete(to, &upload, &layer.digest).await?)
    }

    async fn begin(&self, to: &Repository) -> Result<LayerUpload, CallError> {
        let _request = self.limits.request().await;
        self.target.begin(to).await
    }

    async fn send(&self, to: &Repository, upload: &LayerUpload, part: LayerPart<'_>) -> Result<Sent, CallError> {
        let _request = self.limits.request().await;
        let sent = self.target.send(to, upload, &part.body).await?;
        self.meter.streamed(part.body.last() + 1 - part.body.first());
        Ok(sent)
    }
}
