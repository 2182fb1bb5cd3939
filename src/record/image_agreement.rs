//! Compares the images of a record with the request of its version, and with the source version.

use anyhow::{Result, ensure};

use super::images::ImageFacts;
use crate::model::field::Document;
use crate::model::image::{EcrImage, ImageUri};
use crate::plan::aws_registries::provided;
use crate::plan::images::{ImageUse, uses};

/// Refuses a record whose images are not those of its request and of the source version. The record of a version that was
/// promoted with `--images keep` lists none, and the version has the images of the source.
///
/// # Errors
/// The message names the image.
pub fn refuse_other_images(images: &[ImageFacts], request: &Document, source: &Document) -> Result<()> {
    let (promoted, named) = (names(request), names(source));
    for image in promoted.iter().filter(|image| !named.contains(image)) {
        let is_recorded = images.iter().any(|recorded| recorded.target == *image);
        ensure!(is_recorded, "the record does not name the image {image}");
    }
    for ImageFacts { source, target, digest, .. } in images {
        ensure!(named.contains(source), "the source version does not have the image {source}");
        ensure!(promoted.contains(target), "the promoted version does not have the image {target}");
        let image = target.parse().ok().and_then(ImageUri::ecr).filter(|image| provided(image).is_none());
        let of_target = image.and_then(|EcrImage { digest, .. }| digest);
        ensure!(of_target.is_none() || of_target == *digest, "the record does not have the digest of {target}");
    }
    Ok(())
}

/// The images of a version.
fn names(document: &Document) -> Vec<String> {
    uses(document).into_keys().map(|ImageUse { image, .. }| image).collect()
}
