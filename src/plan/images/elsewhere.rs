//! Finds container images that SageMaker cannot use in the target's region, if images are not copied.

use super::planned::Images;
use crate::model::arn::{PackageArn, Region};
use crate::model::field::{Document, Field, each_leaf};
use crate::plan::findings::Findings;

/// Finds images in another region than the target's, in a promotion from another region. SageMaker pulls images from ECR
/// in its own region only (SageMaker Developer Guide, "Use your own inference code").
pub fn elsewhere(request: &Document, source: &PackageArn, target: &Region, images: Option<Images>) -> Findings {
    let mut found = Findings::default();
    if source.region() == target || images.is_some() {
        return found;
    }
    let hint = format!(
        "Pass `--images copy` to copy the image to {target}, or `--images keep` to promote the version as it is"
    );
    for (field, image) in images_elsewhere(request, target) {
        let text = format!("{field} is {image}; SageMaker in {target} cannot use an image in ECR in another region");
        found.add(text, hint.as_str());
    }
    found
}

/// The images in ECR of another region, with their fields.
fn images_elsewhere(request: &Document, target: &Region) -> Vec<(Field, String)> {
    let mut found = Vec::new();
    each_leaf(request, &mut |field, value| {
        if !field.pattern().ends_with(".Containers[].Image") {
            return;
        }
        let Some(image) = value.as_str() else { return };
        if region_of(image).is_some_and(|region| region != target.as_str()) {
            found.push((field.clone(), image.to_owned()));
        }
    });
    found
}

/// The region of an image in ECR: `<account>.dkr.ecr[-fips].<region>.amazonaws.com/<repository>`.
fn region_of(image: &str) -> Option<&str> {
    let (_, rest) = image.split('/').next()?.split_once(".dkr.ecr")?;
    rest.strip_prefix("-fips").unwrap_or(rest).strip_prefix('.')?.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_an_image_is_read_from_its_registry() {
        for (image, region) in [
            ("444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1", Some("eu-central-1")),
            ("444333666777.dkr.ecr-fips.us-gov-west-1.amazonaws.com/serve@sha256:00", Some("us-gov-west-1")),
            ("444333666777.dkr.ecr.cn-north-1.amazonaws.com.cn/serve", Some("cn-north-1")),
            ("registry.example.com/a.dkr.ecr.eu-west-1/serve", None),
            ("serve:1", None),
        ] {
            assert_eq!(region_of(image), region, "{image}");
        }
    }
}
