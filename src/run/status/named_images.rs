//! The images of a promoted version, for its lineage.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::field::{Document, each_leaf};
use crate::record::{ImageFacts, ImageOutcome};

/// An image of the promoted version.
#[derive(Debug, Serialize)]
pub struct NamedImage {
    /// The image.
    pub image: String,
    /// Its digest, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The image as the source version names it, from the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What became of the image, from the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ImageOutcome>,
}

impl NamedImage {
    /// The image of a record.
    pub(super) fn of(image: &ImageFacts) -> Self {
        let digest = image.digest.as_ref().map(ToString::to_string).or_else(|| image.source_digest.clone());
        Self { image: image.target.clone(), digest, source: Some(image.source.clone()), result: Some(image.result) }
    }
}

/// The images that a version names, each once.
pub(super) fn named_images(description: &Document) -> Vec<NamedImage> {
    let mut digests = BTreeMap::new();
    each_leaf(description, &mut |field, value| {
        if let (Some("ImageDigest"), Value::String(digest)) = (field.name(), value) {
            digests.insert(field.parent().to_string(), digest.clone());
        }
    });
    let mut images: Vec<NamedImage> = Vec::new();
    each_leaf(description, &mut |field, value| {
        if let (Some("Image"), Value::String(image)) = (field.name(), value)
            && !images.iter().any(|named| named.image == *image)
        {
            let digest = digests.get(&field.parent().to_string()).cloned();
            images.push(NamedImage { image: image.clone(), digest, source: None, result: None });
        }
    });
    images
}
