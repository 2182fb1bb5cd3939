//! Replaces the images of a request by those of the target.

use std::collections::BTreeMap;

use super::classify::{ImageUse, digest_field, uses};
use super::planned::{Disposition, PlannedImage};
use crate::model::field::{Document, Field};

/// The image of the target that replaces one of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTarget {
    /// The image.
    pub image: String,
    /// The ImageDigest; without a value, the request has none.
    pub digest: Option<String>,
}

/// The key of an image: its text, and the ImageDigest beside it.
pub fn image_key(image: &str, digest: Option<&str>) -> ImageUse {
    ImageUse { image: image.to_owned(), digest: digest.map(str::to_owned) }
}

impl PlannedImage {
    /// The image of the source, and what replaces it; nothing if it stays.
    pub fn replacement(&self) -> Option<(ImageUse, ImageTarget)> {
        let target = match &self.disposition {
            Disposition::Copy { target, .. } => target,
            Disposition::Provided { target, .. } | Disposition::Own { target, .. }
                if target.to_string() != self.source =>
            {
                target
            }
            Disposition::Provided { .. } | Disposition::Own { .. } | Disposition::Kept(_) => return None,
        };
        let digest = target.digest.as_ref().map(ToString::to_string);
        Some((image_key(&self.source, self.recorded.as_deref()), ImageTarget { image: target.to_string(), digest }))
    }
}

/// Replaces the images of a request. Returns the fields of the images that stay.
pub fn rewrite(request: &mut Document, targets: &BTreeMap<ImageUse, ImageTarget>) -> Vec<(Field, ImageUse)> {
    let mut kept = Vec::new();
    for (image, fields) in uses(request) {
        let Some(target) = targets.get(&image) else {
            kept.extend(fields.into_iter().map(|field| (field, image.clone())));
            continue;
        };
        for field in fields {
            if let Some(value) = field.get_mut(request) {
                *value = target.image.as_str().into();
            }
            match &target.digest {
                None => drop(digest_field(&field).remove(request)),
                Some(digest) => {
                    let container = field.parent();
                    let container = container.get_mut(request).and_then(|value| value.as_object_mut());
                    container.into_iter().for_each(|members| {
                        members.insert("ImageDigest".into(), digest.as_str().into());
                    });
                }
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_copied_image_with_its_digest_is_replaced() {
        let mut request: Document = serde_json::from_str(
            r#"{"InferenceSpecification":{"Containers":[{"Image":"a","ImageDigest":"d"},{"Image":"a"},{"Image":"b"}]}}"#,
        )
        .unwrap();
        let target = ImageTarget { image: "t@d".into(), digest: Some("d".into()) };
        let dropped = ImageTarget { image: "u:1".into(), digest: None };
        let targets = [(image_key("a", Some("d")), target), (image_key("b", None), dropped)];
        let kept = rewrite(&mut request, &targets.into_iter().collect());
        assert_eq!(kept.len(), 1);
        let expected = r#"{"InferenceSpecification":{"Containers":[{"Image":"t@d","ImageDigest":"d"},{"Image":"a"},{"Image":"u:1"}]}}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), expected);
    }
}
