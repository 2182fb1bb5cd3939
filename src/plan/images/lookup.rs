//! Looks up the images that are copied, and reads their manifests. An image that is gone stops the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::approved::{Approved, WantedImage, gone, is_named_by};
use super::classify::{Classified, ImageRegistry, ImageUse, classified, uses};
use super::content::{Content, Named, named};
use super::planned::{Disposition, PlannedImage};
use crate::aws::error::{Kind, with_hints};
use crate::aws::images::{ImageId, SourceImages, StoredImage, TargetImages};
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::{Document, Field};
use crate::model::image::{Digest, EcrImage, Repository};

/// Concurrent look-ups. Few versions have more images.
pub(super) const LOOKUPS_AT_ONCE: usize = 16;
/// The most manifests of one image. Indexes of the largest public images have about 30.
const MAX_MANIFESTS: usize = 256;
/// The most bytes of the manifests of one image. A manifest of 127 layers has 30 KiB.
const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// Access to the images of both accounts.
pub struct ImageAccess<'a> {
    /// Reads the source.
    pub source: &'a SourceImages,
    /// Reads the target.
    pub target: &'a TargetImages,
    /// The registry that images are copied to.
    pub registry: &'a ImageRegistry,
}

/// Looks up the images of a request, each distinct image once.
///
/// # Errors
/// An image does not exist any more, cannot be read, or cannot be copied. The message names the field.
pub async fn look_up(request: &Document, source: &PackageArn, access: &ImageAccess<'_>) -> Result<Vec<PlannedImage>> {
    let (images, findings) = classified(request, access.registry);
    findings.refuse(source)?;
    let uses = uses(request);
    let looked_up = images.into_iter().map(|(image, classified)| {
        let fields = uses.get(&image).cloned().unwrap_or_default();
        access.look_up(image, fields, classified)
    });
    stream::iter(looked_up.collect::<Vec<_>>()).buffered(LOOKUPS_AT_ONCE).try_collect().await
}

impl ImageAccess<'_> {
    /// Looks up one image of a request.
    ///
    /// # Errors
    /// As [`look_up`].
    pub async fn look_up_one(
        &self,
        request: &Document,
        image: ImageUse,
        classified: Classified,
    ) -> Result<PlannedImage> {
        let fields = uses(request).remove(&image).unwrap_or_default();
        self.look_up(image, fields, classified).await
    }

    async fn look_up(&self, image: ImageUse, fields: Vec<Field>, classified: Classified) -> Result<PlannedImage> {
        let ImageUse { image: source, digest: recorded } = image;
        let at = || format!("{}: {source}", names(&fields));
        let disposition = match classified {
            Classified::Kept(kept) => Ok((Disposition::Kept(kept), None)),
            Classified::Own(image) => self.own(image, recorded.as_deref()).await,
            Classified::Provided(from, target) => self.provided(&from, target, recorded.as_deref()).await,
            Classified::Copy(from, to) => self.copied(&from, recorded.as_deref(), to).await,
        };
        let (disposition, moved) = disposition.map_err(|error| error.context(at()))?;
        Ok(PlannedImage { source, recorded, fields, disposition, moved })
    }

    /// An image of the target's own registry and region. It stays as it is, unless its tag means another image now.
    async fn own(&self, image: EcrImage, recorded: Option<&str>) -> Result<(Disposition, Option<Digest>)> {
        let wanted = WantedImage::of(&image, recorded)?;
        let found = match self.target.look_up(&image.repository, &wanted.ids()).await {
            Err(error) if error.kind == Kind::Denied => {
                let unread = Some(with_hints(&error.into()).into());
                return Ok((Disposition::Own { target: image, digest: None, unread }, None));
            }
            found => found?.unwrap_or_default(),
        };
        let Approved { image: approved, moved, is_tagged } = wanted.approved(found)?;
        let digest = approved.digest;
        let target = match image.digest.is_some() || is_tagged {
            true => image,
            false => EcrImage::of(image.repository, digest.clone()),
        };
        Ok((Disposition::Own { target, digest: Some(digest), unread: None }, moved))
    }

    /// An image that AWS provides. In another region than the source's, it has to exist there.
    async fn provided(
        &self,
        from: &EcrImage,
        target: EcrImage,
        recorded: Option<&str>,
    ) -> Result<(Disposition, Option<Digest>)> {
        if *from == target {
            return Ok((Disposition::Provided { target, now: None, other: None }, None));
        }
        let id = match (&target.digest, target.effective_tag()) {
            (Some(digest), _) => ImageId::Digest(digest.clone()),
            (None, tag) => ImageId::Tag(tag.unwrap_or_default().to_owned()),
        };
        let found = self.target.look_up(&target.repository, &[id]).await?.unwrap_or_default();
        let Some(now) = found.first() else {
            bail!(
                Failure::new(format!("AWS does not provide {target}"))
                    .hint("Register a version with an image that AWS provides in the target's region")
            );
        };
        let approved = WantedImage::of(from, recorded)?.digest;
        let other = approved.filter(|approved| !is_named_by(now, approved));
        Ok((Disposition::Provided { target, now: Some(now.digest.clone()), other }, None))
    }

    /// An image that is copied, with everything that it consists of.
    async fn copied(
        &self,
        image: &EcrImage,
        recorded: Option<&str>,
        to: Repository,
    ) -> Result<(Disposition, Option<Digest>)> {
        let wanted = WantedImage::of(image, recorded)?;
        let found = self.source.get(&image.repository, &wanted.ids()).await?;
        let Approved { image: approved, moved, .. } = wanted.approved(found)?;
        let target = EcrImage::of(to, approved.digest.clone());
        let mut room = Room::default();
        let bytes = approved.manifest.len() as u64;
        room.take(1, bytes).map_err(|why| too_large(&image.repository, &approved.digest, &why))?;
        let content = Arc::new(self.content(&image.repository, approved, &mut room).await?);
        let referrers = self.referrers(&image.repository, &content).await?;
        let source = image.repository.clone();
        Ok((Disposition::Copy { source, target, content, referrers }, moved))
    }

    /// The manifests and layers of an image. Reads the children of an index level by level, within the limits.
    pub(super) async fn content(
        &self,
        repository: &Repository,
        image: StoredImage,
        room: &mut Room,
    ) -> Result<Content> {
        let mut manifests: BTreeMap<Digest, (StoredImage, Vec<Digest>)> = BTreeMap::new();
        let (root, mut layers, mut next) = (image.digest.clone(), Vec::new(), vec![image]);
        while !next.is_empty() {
            let mut wanted: BTreeMap<Digest, u64> = BTreeMap::new();
            for image in next {
                let children = match named(&image).map_err(|why| refused(repository, &image.digest, &why))? {
                    Named::Layers(more) => {
                        layers.extend(more);
                        Vec::new()
                    }
                    Named::Children(children) => children,
                };
                wanted.extend(children.iter().cloned());
                let children = children.into_iter().map(|(digest, _)| digest).collect();
                manifests.insert(image.digest.clone(), (image, children));
            }
            wanted.retain(|digest, _| !manifests.contains_key(digest));
            let bytes = wanted.values().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
            room.take(wanted.len(), bytes).map_err(|why| too_large(repository, &root, &why))?;
            let ids: Vec<ImageId> = wanted.keys().cloned().map(ImageId::Digest).collect();
            next = self.source.get(repository, &ids).await?;
            for (digest, bytes) in wanted {
                let Some(image) = next.iter().find(|image| image.digest == digest) else {
                    return Err(gone(repository, Some(&digest), None));
                };
                let is = image.manifest.len() as u64;
                let other = || format!("has {is} bytes, and its index says {bytes}");
                ensure!(is == bytes, refused(repository, &digest, &other()));
            }
        }
        let mut ordered = Vec::new();
        in_order(&root, &mut manifests, &mut ordered);
        Ok(Content::new(ordered, layers))
    }
}

/// The manifests that may still be read.
pub(super) struct Room {
    manifests: usize,
    bytes: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { manifests: MAX_MANIFESTS, bytes: MAX_MANIFEST_BYTES }
    }
}

impl Room {
    /// Takes room for manifests of this size together, before they are read.
    ///
    /// # Errors
    /// There is not enough room. The message continues "the image ".
    pub fn take(&mut self, manifests: usize, bytes: u64) -> Result<(), String> {
        match (self.manifests.checked_sub(manifests), self.bytes.checked_sub(bytes)) {
            (Some(manifests), Some(bytes)) => {
                *self = Self { manifests, bytes };
                Ok(())
            }
            _ => Err(format!("has more than {MAX_MANIFESTS} manifests, or more than 16 MiB of them")),
        }
    }
}

fn too_large(repository: &Repository, root: &Digest, why: &str) -> Failure {
    Failure::new(format!("the image {repository}@{root} {why}")).hint(KEEP)
}

fn refused(repository: &Repository, digest: &Digest, why: &str) -> Failure {
    Failure::new(format!("the manifest {digest} of {repository} {why}")).hint(KEEP)
}

const KEEP: &str = "Pass `--images keep` to promote the version with the images of the source";

/// Moves a manifest to the list, after its children. Digests cannot form a circle.
fn in_order(
    digest: &Digest,
    manifests: &mut BTreeMap<Digest, (StoredImage, Vec<Digest>)>,
    ordered: &mut Vec<StoredImage>,
) {
    let Some((image, children)) = manifests.remove(digest) else { return };
    children.iter().for_each(|child| in_order(child, manifests, ordered));
    ordered.push(image);
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
