//! Copies the images of one target repository.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::engine::{Copying, ImageEngine};
use super::outcome::{ImageDone, ImageOutcome, ImageWrite, tag_of, tagged};
use crate::aws::error::{CallError, Kind};
use crate::aws::images::{ImageId, RepositorySettings, StoredImage};
use crate::model::failure::Failure;
use crate::model::image::{Digest, EcrImage, Repository};
use crate::plan::images::{Content, Layer};

/// The layers of one repository that are begun at a time. All layers of a run, memory and requests have limits of their
/// own.
const LAYERS_AT_ONCE: usize = 32;

/// What a repository has of the images that are copied to it.
pub(super) struct RepositoryState<'a> {
    repository: &'a Repository,
    images: Vec<Copying>,
    exists: bool,
    there: Vec<StoredImage>,
    /// The layers of images that are not there, and that the repository does not have.
    missing: BTreeSet<Digest>,
}

impl<'a> RepositoryState<'a> {
    /// Looks up the images, their tags and, if an image is not there, its layers.
    ///
    /// # Errors
    /// A tag of promote's belongs to another image.
    pub async fn look(engine: &ImageEngine<'_>, repository: &'a Repository, images: Vec<Copying>) -> Result<Self> {
        let ids = images.iter().flat_map(|image| {
            [ImageId::Digest(image.content.digest().clone()), ImageId::Tag(tag_of(image.content.digest()))]
        });
        let found = {
            let _request = engine.limits.request().await;
            engine.target.find(repository, &ids.collect::<Vec<_>>()).await?
        };
        let (exists, there) = (found.is_some(), found.unwrap_or_default());
        let mut state = Self { repository, images, exists, there, missing: BTreeSet::new() };
        for image in &state.images {
            state.refuse_other(image.content.digest())?;
        }
        let layers: BTreeSet<Digest> =
            state.absent().flat_map(|image| image.content.layers.iter()).map(|layer| layer.digest.clone()).collect();
        state.missing = match exists && !layers.is_empty() {
            true => {
                let _request = engine.limits.request().await;
                engine.target.missing(repository, &layers.into_iter().collect::<Vec<_>>()).await?
            }
            false => layers,
        };
        Ok(state)
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        self.repository
    }

    /// Whether the repository exists.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// The images that are not there.
    pub fn absent(&self) -> impl Iterator<Item = &Copying> {
        self.images.iter().filter(|image| !self.has(image.content.digest()))
    }

    fn has(&self, digest: &Digest) -> bool {
        self.there.iter().any(|there| there.digest == *digest)
    }

    fn is_tagged(&self, digest: &Digest) -> bool {
        let tag = tag_of(digest);
        self.there.iter().any(|there| there.tag.as_ref() == Some(&tag))
    }

    /// Refuses a tag of promote's that belongs to another image.
    fn refuse_other(&self, digest: &Digest) -> Result<()> {
        let tag = tag_of(digest);
        match self.there.iter().find(|there| there.tag.as_ref() == Some(&tag) && there.digest != *digest) {
            None => Ok(()),
            Some(other) => Err(belongs_to_another(self.repository, digest, Some(&other.digest))),
        }
    }

    /// The result that a run without `--dry-run` would begin with.
    pub fn planned(&self, content: &Content) -> ImageDone {
        if self.has(content.digest()) {
            return ImageDone::nothing_missing(ImageOutcome::AlreadyThere);
        }
        let missing = content.layers.iter().filter(|layer| self.missing.contains(&layer.digest));
        let (missing_layers, missing_bytes) = missing.fold((0, 0), |(n, bytes), layer| (n + 1, bytes + layer.bytes));
        ImageDone { outcome: ImageOutcome::Planned, missing_layers, missing_bytes }
    }

    /// What [`RepositoryState::copy`] would write.
    pub fn writes(&self) -> Vec<ImageWrite> {
        let mut writes = Vec::new();
        if !self.exists {
            writes.push(ImageWrite::CreateRepository(self.repository.clone()));
        }
        for image in &self.images {
            let digest = image.content.digest();
            let copy = if image.tagged { ImageWrite::Copy } else { ImageWrite::CopyReferrer };
            if !self.has(digest) {
                writes.push(copy(EcrImage::of(self.repository.clone(), digest.clone())));
            }
            if image.tagged && !self.is_tagged(digest) {
                writes.push(ImageWrite::Tag(tagged(self.repository, digest)));
            }
        }
        writes
    }

    /// Copies what is missing.
    pub async fn copy(&self, engine: &ImageEngine<'_>) -> Result<()> {
        self.count(engine);
        if !self.exists {
            self.create(engine).await?;
        }
        let mut layers: Vec<_> = self.to_copy().into_values().collect();
        layers.sort_by_key(|(layer, _)| std::cmp::Reverse(layer.bytes));
        let copies = layers.into_iter().map(|(layer, from)| engine.copy_layer(from, self.repository, layer).boxed());
        stream::iter(copies.collect::<Vec<_>>()).buffer_unordered(LAYERS_AT_ONCE).try_collect::<()>().await?;
        for image in &self.images {
            self.put(engine, image).await?;
        }
        Ok(())
    }

    /// The layers that are copied, each with a repository that has it.
    fn to_copy(&self) -> BTreeMap<&Digest, (&Layer, &Repository)> {
        let mut layers: BTreeMap<&Digest, (&Layer, &Repository)> = BTreeMap::new();
        for image in self.absent() {
            for layer in image.content.layers.iter().filter(|layer| self.missing.contains(&layer.digest)) {
                layers.entry(&layer.digest).or_insert((layer, &image.source));
            }
        }
        layers
    }

    /// The number of images that are copied, and the size of their layers in bytes.
    pub fn missing(&self) -> (u64, u64) {
        let images = self.absent().filter(|image| image.tagged).count() as u64;
        (images, self.to_copy().values().map(|(layer, _)| layer.bytes).sum())
    }

    /// Stores the manifests of an image, children first. Only the image itself is tagged: lifecycle rules for untagged
    /// images leave the images of an index alone.
    async fn put(&self, engine: &ImageEngine<'_>, Copying { content, tagged, .. }: &Copying) -> Result<()> {
        let digest = content.digest();
        let there = self.has(digest);
        if there && (!tagged || self.is_tagged(digest)) {
            return Ok(());
        }
        for manifest in content.manifests.iter().filter(|manifest| !there || manifest.digest == *digest) {
            let tag = (*tagged && manifest.digest == *digest).then(|| tag_of(digest));
            let _request = engine.limits.request().await;
            let put = engine.target.put(self.repository, manifest, tag.as_deref()).await;
            put.map_err(|error| self.explained(error, digest))
                .with_context(|| format!("copying the image {digest}"))?;
        }
        if *tagged && !there {
            engine.meter.image_completed();
        }
        Ok(())
    }

    fn explained(&self, error: CallError, digest: &Digest) -> anyhow::Error {
        match error.kind {
            Kind::AlreadyExists => belongs_to_another(self.repository, digest, None),
            _ => error.into(),
        }
    }

    /// Refuses a repository that does not exist.
    pub fn refuse_absent(&self) -> Result<()> {
        bail!(
            Failure::new(format!("the repository {} does not exist", self.repository))
                .hint("Create the repository, or run without `--no-create-repository`")
        )
    }

    async fn create(&self, engine: &ImageEngine<'_>) -> Result<()> {
        let repository = self.repository;
        if !engine.create_repository {
            self.refuse_absent()?;
        }
        let Some(source) = self.images.first().map(|image| &image.source) else { return Ok(()) };
        let settings = match engine.source.settings(source).await {
            Ok(settings) => settings,
            Err(error) if error.kind == Kind::Denied => RepositorySettings::default(),
            Err(error) => bail!(error),
        };
        Ok(engine.target.create(repository, settings).await?)
    }

    /// Adds the images to the progress. What refers to an image counts with its bytes only.
    fn count(&self, engine: &ImageEngine<'_>) {
        let mut layers: BTreeMap<&Digest, u64> = BTreeMap::new();
        let all = self.images.iter().flat_map(|image| image.content.layers.iter());
        layers.extend(all.map(|layer| (&layer.digest, layer.bytes)));
        let bytes = |there: bool| {
            let wanted = layers.iter().filter(|(digest, _)| self.missing.contains(**digest) != there);
            wanted.map(|(_, bytes)| bytes).sum::<u64>()
        };
        let images = |there: bool| {
            let all = self.images.iter().filter(|image| image.tagged);
            all.filter(|image| self.has(image.content.digest()) == there).count() as u64
        };
        engine.meter.expect_images(images(true) + images(false), bytes(true) + bytes(false));
        engine.meter.found_images(images(true), bytes(true));
    }
}

fn belongs_to_another(repository: &Repository, digest: &Digest, other: Option<&Digest>) -> anyhow::Error {
    let tag = tag_of(digest);
    let other = other.map_or_else(|| "another image".to_owned(), ToString::to_string);
    Failure::new(format!("the tag {tag} of {repository} is on {other}, but `promote` reserves it for {digest}"))
        .hint("Find out who set the tag, then delete it: `promote` never moves a tag")
        .into()
}
