//! Which content of an image was approved, and what its tag means now.

use anyhow::{Error, Result};

use crate::aws::images::{ImageId, StoredImage};
use crate::model::failure::Failure;
use crate::model::image::{Digest, EcrImage, Repository};

/// What a version says of an image: its tag, its digest and the ImageDigest beside it.
pub(super) struct WantedImage<'a> {
    image: &'a EcrImage,
    /// The ImageDigest, otherwise the digest of the URI.
    pub digest: Option<Digest>,
    /// The digest of the URI, if it is another one.
    other: Option<Digest>,
    tag: Option<String>,
}

/// The image that was approved.
pub(super) struct Approved {
    pub image: StoredImage,
    /// The digest that the tag has now, if it is another one.
    pub moved: Option<Digest>,
    /// Whether the tag names it now.
    pub is_tagged: bool,
}

impl<'a> WantedImage<'a> {
    /// # Errors
    /// The ImageDigest is malformed.
    pub fn of(image: &'a EcrImage, recorded: Option<&str>) -> Result<Self> {
        // SageMaker accepts capitals in it.
        let recorded = recorded.map(|text| text.to_ascii_lowercase().parse());
        let recorded: Option<Digest> =
            recorded.transpose().map_err(|error| Failure::new(format!("ImageDigest: {error}")))?;
        let digest = recorded.or_else(|| image.digest.clone());
        let other = image.digest.clone().filter(|named| Some(named) != digest.as_ref());
        Ok(Self { image, digest, other, tag: image.effective_tag().map(str::to_owned) })
    }

    /// What has to be looked up.
    pub fn ids(&self) -> Vec<ImageId> {
        let digests = self.digest.iter().chain(&self.other).cloned().map(ImageId::Digest);
        digests.chain(self.tag.iter().cloned().map(ImageId::Tag)).collect()
    }

    /// The approved image, from what was found.
    ///
    /// # Errors
    /// It does not exist any more, or the version names two images.
    pub fn approved(&self, found: Vec<StoredImage>) -> Result<Approved> {
        if let (Some(approved), Some(other)) = (&self.digest, &self.other)
            && !found.iter().any(|one| one.digest == *other && is_named_by(one, approved))
        {
            let image = self.image;
            let message = format!("the image is {image}, but ImageDigest is {approved}");
            return Err(Failure::new(message).hint("Register a version in which both agree").into());
        }
        let tagged = found.iter().find(|one| self.tag.is_some() && one.tag == self.tag).cloned();
        let image = match &self.digest {
            Some(digest) => found.into_iter().find(|one| one.digest == *digest),
            None => tagged.clone(),
        };
        let gone = || gone(&self.image.repository, self.digest.as_ref(), self.tag.as_deref());
        let image = image.ok_or_else(gone)?;
        let is_tagged = tagged.as_ref().is_some_and(|now| is_named_by(now, &image.digest));
        let moved = tagged.filter(|_| !is_tagged).map(|now| now.digest);
        Ok(Approved { image, moved, is_tagged })
    }
}

/// Whether an image has this digest, or is an index that names the image: SageMaker records that of the platform.
pub(super) fn is_named_by(image: &StoredImage, digest: &Digest) -> bool {
    image.digest == *digest || image.manifest.contains(digest.as_str())
}

pub(super) fn gone(repository: &Repository, digest: Option<&Digest>, tag: Option<&str>) -> Error {
    let name = match (digest, tag) {
        (Some(digest), _) => format!("{repository} does not have the image {digest} any more"),
        (None, tag) => format!("{repository} has no image with the tag '{}'", tag.unwrap_or_default()),
    };
    Failure::new(name).hint("Restore the image, or register a version with an image that exists").into()
}
