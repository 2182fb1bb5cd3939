//! Checks that the images of a promoted version are at the target.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;

use super::intact::Purpose;
use super::promotion::Promotion;
use crate::aws::error::{CallError, Kind};
use crate::aws::images::{ImageId, TargetImages};
use crate::model::failure::Failure;
use crate::model::image::{EcrImage, ImageUri, Repository};
use crate::plan::Plan;
use crate::record::ImageFacts;

impl Promotion<'_> {
    /// The recorded images that the target does not have any more; nothing if that may not be read, and nobody has to know.
    ///
    /// # Errors
    /// The target cannot be read.
    pub(super) async fn missing_images(
        &self,
        recorded: &[ImageFacts],
        purpose: Purpose,
    ) -> Result<Option<Vec<EcrImage>>> {
        match missing(self.target.images(), recorded).await {
            Ok(missing) => Ok(Some(missing)),
            Err(error) if error.kind == Kind::Denied && purpose == Purpose::Report => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The recorded images that were copied and that the target does not have any more. Makes one call for each repository.
///
/// # Errors
/// The target cannot be read.
pub(super) async fn missing(target: &TargetImages, recorded: &[ImageFacts]) -> Result<Vec<EcrImage>, CallError> {
    let mut repositories: BTreeMap<Repository, Vec<EcrImage>> = BTreeMap::new();
    for image in recorded.iter().filter_map(copied) {
        repositories.entry(image.repository.clone()).or_default().push(image);
    }
    let lookups = repositories.into_iter().map(|(repository, mut images)| async move {
        let ids = images.iter().filter_map(|image| image.digest.clone()).map(ImageId::Digest).collect::<Vec<_>>();
        let there = target.find(&repository, &ids).await?.unwrap_or_default();
        images.retain(|image| there.iter().all(|there| Some(&there.digest) != image.digest.as_ref()));
        Ok(images)
    });
    Ok(try_join_all(lookups).await?.concat())
}

/// The image of the target, if it was copied.
pub(super) fn copied(image: &ImageFacts) -> Option<EcrImage> {
    image.digest.as_ref()?;
    image.target.parse::<ImageUri>().ok()?.ecr()
}

/// Leaves the images of a plan that were promoted before, so that nothing else is copied.
///
/// # Errors
/// The source does not have a missing image any more, or images are not copied.
pub(super) fn only_recorded(plan: &mut Plan, recorded: &[ImageFacts], missing: &[EcrImage]) -> Result<()> {
    plan.images.retain(|image| recorded.iter().any(|recorded| recorded.target == image.target()));
    for image in missing {
        let target = image.to_string();
        ensure!(
            plan.images.iter().any(|planned| planned.target() == target),
            Failure::new(format!(
                "{target} is missing at the target, and this run does not copy it again; the version was not changed"
            ))
            .hint("Run with the `--images` and `--image-repository-prefix` that the version was promoted with")
        );
    }
    Ok(())
}
