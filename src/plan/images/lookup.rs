//! Looks up the images that are copied, and reads their manifests. An image that is gone stops the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::classify::{Classified, ImageUse, TargetRegistry, classified, uses};
use super::content::{Content, Named, named};
use super::planned::{Disposition, PlannedImage};
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
const MAX_MANIFEST_BYTES: usize = 16 << 20;

/// Access to the images of both accounts.
pub struct ImageAccess<'a> {
    /// Reads the source.
    pub source: &'a SourceImages,
    /// Reads the target.
    pub target: &'a TargetImages,
    /// The registry that images are copied to.
    pub registry: &'a TargetRegistry,
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
        let (disposition, moved) = match classified {
            Classified::Kept(kept) => (Disposition::Kept(kept), None),
            Classified::Provided(from, target) => {
                if from != target && !self.is_provided(&target).await.map_err(|e| e.context(at()))? {
                    bail!(
                        Failure::new(format!("{}: AWS does not provide {target}", at()))
                            .hint("Register a version with an image that AWS provides in the target's region")
                    );
                }
                (Disposition::Provided { target }, None)
            }
            Classified::Copy(from, to) => {
                self.approved(&from, recorded.as_deref(), to).await.map_err(|e| e.context(at()))?
            }
        };
        Ok(PlannedImage { source, recorded, fields, disposition, moved })
    }

    /// Whether AWS has an image in the target's region.
    async fn is_provided(&self, image: &EcrImage) -> Result<bool> {
        let id = match (&image.digest, image.effective_tag()) {
            (Some(digest), _) => ImageId::Digest(digest.clone()),
            (None, tag) => ImageId::Tag(tag.unwrap_or_default().to_owned()),
        };
        let found = self.target.look_up(&image.repository, &[id]).await?;
        Ok(found.is_some_and(|found| !found.is_empty()))
    }

    /// The image that was approved, and the digest that its tag has now if that is another one.
    async fn approved(
        &self,
        image: &EcrImage,
        recorded: Option<&str>,
        to: Repository,
    ) -> Result<(Disposition, Option<Digest>)> {
        let recorded: Option<Digest> = match recorded {
            None => None,
            // SageMaker accepts capitals in it.
            Some(text) => {
                Some(text.to_ascii_lowercase().parse().map_err(|error| Failure::new(format!("ImageDigest: {error}")))?)
            }
        };
        let digest = recorded.or_else(|| image.digest.clone());
        let other = image.digest.clone().filter(|named| Some(named) != digest.as_ref());
        let tag = image.effective_tag().map(str::to_owned);
        let digests = digest.iter().chain(&other).cloned().map(ImageId::Digest);
        let ids: Vec<ImageId> = digests.chain(tag.iter().cloned().map(ImageId::Tag)).collect();
        let found = self.source.get(&image.repository, &ids).await?;
        if let (Some(approved), Some(other)) = (&digest, &other) {
            // The digest of an index names the image of the version's platform too.
            let names = |one: &StoredImage| one.digest == *other && one.manifest.contains(approved.as_str());
            if !found.iter().any(names) {
                let message =
                    format!("the image is {image}, but ImageDigest {approved} is the digest of another image");
                return Err(Failure::new(message).hint("Register a version in which both agree").into());
            }
        }
        let tagged = found.iter().find(|one| tag.is_some() && one.tag == tag).cloned();
        let approved = match &digest {
            Some(digest) => found.into_iter().find(|one| one.digest == *digest),
            None => tagged.clone(),
        };
        let Some(approved) = approved else { return Err(gone(&image.repository, digest.as_ref(), tag.as_deref())) };
        // The tag of an index names the image of the version's platform too.
        let moved =
            tagged.filter(|now| now.digest != approved.digest && !now.manifest.contains(approved.digest.as_str()));
        let target = EcrImage::of(to, approved.digest.clone());
        let content = Arc::new(self.content(&image.repository, approved).await?);
        let referrers = self.referrers(&image.repository, &content).await?;
        let source = image.repository.clone();
        Ok((Disposition::Copy { source, target, content, referrers }, moved.map(|now| now.digest)))
    }

    /// The manifests and layers of an image. Reads the children of an index level by level.
    pub(super) async fn content(&self, repository: &Repository, image: StoredImage) -> Result<Content> {
        let mut manifests: BTreeMap<Digest, (StoredImage, Vec<Digest>)> = BTreeMap::new();
        let (root, mut layers, mut next, mut bytes) = (image.digest.clone(), Vec::new(), vec![image], 0);
        while !next.is_empty() {
            let mut wanted = BTreeSet::new();
            for image in next {
                let message =
                    |message| Failure::new(format!("the manifest {} of {repository} {message}", image.digest));
                let children = match named(&image).map_err(|reason| message(reason).hint(KEEP))? {
                    Named::Layers(more) => {
                        layers.extend(more);
                        Vec::new()
                    }
                    Named::Children(children) => children,
                };
                bytes += image.manifest.len();
                wanted.extend(children.iter().cloned());
                manifests.insert(image.digest.clone(), (image, children));
            }
            wanted.retain(|digest| !manifests.contains_key(digest));
            if manifests.len() + wanted.len() > MAX_MANIFESTS || bytes > MAX_MANIFEST_BYTES {
                let message = format!("{repository}@{root} has more than {MAX_MANIFESTS} manifests or 16 MiB of them");
                bail!(Failure::new(message).hint(KEEP));
            }
            let ids: Vec<ImageId> = wanted.iter().cloned().map(ImageId::Digest).collect();
            next = self.source.get(repository, &ids).await?;
            if let Some(missing) = wanted.iter().find(|digest| next.iter().all(|image| image.digest != **digest)) {
                return Err(gone(repository, Some(missing), None));
            }
        }
        let mut ordered = Vec::new();
        in_order(&root, &mut manifests, &mut ordered);
        Ok(Content::new(ordered, layers))
    }
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

fn gone(repository: &Repository, digest: Option<&Digest>, tag: Option<&str>) -> anyhow::Error {
    let name = match (digest, tag) {
        (Some(digest), _) => format!("{repository} does not have the image {digest} any more"),
        (None, tag) => format!("{repository} has no image with the tag '{}'", tag.unwrap_or_default()),
    };
    Failure::new(name).hint("Restore the image, or register a version with an image that exists").into()
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
