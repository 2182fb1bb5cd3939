//! Looks up the images of a record at the target.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use crate::aws::error::CallError;
use crate::aws::images::{ImageId, StoredImage, TargetImages};
use crate::image::{tag_of, tagged};
use crate::model::image::{Digest, EcrImage, ImageUri, Repository};
use crate::plan::aws_registries::provided;
use crate::record::ImageFacts;

/// What the target has of the images of a record.
#[derive(Debug, Default)]
pub(in crate::run) struct ImagesThere {
    /// The images that do not exist any more.
    pub missing: Vec<EcrImage>,
    /// The copied images that have lost the tag that keeps them.
    pub untagged: Vec<Untagged>,
}

impl ImagesThere {
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.untagged.is_empty()
    }
}

/// An image without the tag that keeps it.
#[derive(Debug)]
pub(in crate::run) struct Untagged {
    pub repository: Repository,
    pub image: StoredImage,
}

impl Untagged {
    /// The image by the tag that it lacks.
    pub fn tagged(&self) -> EcrImage {
        tagged(&self.repository, &self.image.digest)
    }
}

/// Looks up the images of a record at the target. Makes one call for each repository.
///
/// # Errors
/// The target cannot be read.
pub(in crate::run) async fn look(target: &TargetImages, recorded: &[ImageFacts]) -> Result<ImagesThere, CallError> {
    let mut repositories: BTreeMap<Repository, BTreeMap<Digest, bool>> = BTreeMap::new();
    for image in recorded {
        let Some(EcrImage { repository, digest: Some(digest), .. }) = of_target(image) else { continue };
        let needs_tag = repositories.entry(repository).or_default().entry(digest).or_default();
        *needs_tag |= image.kept.is_none();
    }
    let lookups = repositories.into_iter().map(|(repository, images)| async move {
        let ids = images.keys().flat_map(|digest| [ImageId::Digest(digest.clone()), ImageId::Tag(tag_of(digest))]);
        let found = target.find(&repository, &ids.collect::<Vec<_>>()).await?.unwrap_or_default();
        let mut there = ImagesThere::default();
        for (digest, needs_tag) in images {
            let tag = tag_of(&digest);
            // A tag that somebody has moved to another image stays there.
            let has_tag = found.iter().any(|one| one.tag.as_ref() == Some(&tag));
            match found.iter().find(|one| one.digest == digest) {
                None => there.missing.push(EcrImage::of(repository.clone(), digest)),
                Some(image) if needs_tag && !has_tag => {
                    there.untagged.push(Untagged { repository: repository.clone(), image: image.clone() });
                }
                Some(_) => {}
            }
        }
        Ok(there)
    });
    let all = try_join_all(lookups).await?;
    Ok(all.into_iter().fold(ImagesThere::default(), |mut all, there| {
        all.missing.extend(there.missing);
        all.untagged.extend(there.untagged);
        all
    }))
}

/// The image in the target account's registry, by its digest. Those of AWS are AWS's to keep.
pub(in crate::run) fn of_target(image: &ImageFacts) -> Option<EcrImage> {
    let digest = image.digest.clone()?;
    let there = image.target.parse::<ImageUri>().ok()?.ecr()?;
    provided(&there).is_none().then(|| EcrImage::of(there.repository, digest))
}
