//! The images of the document.

use serde::{Deserialize, Serialize};

use crate::image::{ImageDone, ImageOutcome};
use crate::model::image::{Digest, ImageUri};
use crate::plan::images::{Disposition, ImageTarget, ImageUse, Kept, PlannedImage, image_key};

/// A container image of the version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The image as the source version names it.
    pub source: String,
    /// The ImageDigest that the source version has beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_digest: Option<String>,
    /// The image as the promoted version names it.
    pub target: String,
    /// The digest of the image at the target, if this is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The digest that the tag of the source had when the version was promoted, if it was another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_digest: Option<Digest>,
    /// What became of the image.
    pub result: ImageOutcome,
    /// Why the image was not copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The size of its manifests and layers in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The number of its layers and configurations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
    /// The number of layers that the target did not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_layers: Option<usize>,
    /// Their size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_bytes: Option<u64>,
    /// The number of signatures and other artifacts that refer to the image, and were copied with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrers: Option<usize>,
    /// The members that name the image.
    pub fields: Vec<String>,
}

impl ImageFacts {
    /// The facts of an image and its copy.
    pub fn of(image: &PlannedImage, done: ImageDone) -> Self {
        let (content, referrers) = match &image.disposition {
            Disposition::Copy { content, referrers, .. } => (Some(content), Some(referrers.contents.len())),
            Disposition::Provided { .. } | Disposition::Own { .. } | Disposition::Kept(_) => (None, None),
        };
        let kept = match image.disposition {
            Disposition::Kept(kept) => Some(kept),
            Disposition::Own { .. } => Some(Kept::OwnRegistry),
            Disposition::Copy { .. } | Disposition::Provided { .. } => None,
        };
        Self {
            source: image.source.clone(),
            source_digest: image.recorded.clone(),
            target: image.target(),
            digest: image.digest().cloned(),
            tag_digest: image.moved.clone(),
            result: done.outcome,
            kept,
            bytes: content.map(|content| content.bytes()),
            layers: content.map(|content| content.layers.len()),
            missing_layers: content.map(|_| done.missing_layers),
            missing_bytes: content.map(|_| done.missing_bytes),
            referrers: referrers.filter(|count| *count > 0),
            fields: image.fields.iter().map(ToString::to_string).collect(),
        }
    }

    /// The same image in the document of a later run that has not looked at it.
    pub fn recorded(self) -> Self {
        let result = match self.result {
            ImageOutcome::Copied | ImageOutcome::AlreadyThere | ImageOutcome::Planned => ImageOutcome::Recorded,
            other => other,
        };
        Self { result, missing_layers: None, missing_bytes: None, ..self }
    }

    /// The same image in the document of a later run that has copied it again, unless it was there.
    pub fn restored(self, done: ImageDone) -> Self {
        let missing = self.bytes.is_some();
        Self {
            result: done.outcome,
            missing_layers: missing.then_some(done.missing_layers),
            missing_bytes: missing.then_some(done.missing_bytes),
            ..self
        }
    }

    /// The same image in the document of a later run that has found it.
    pub fn compared(self) -> Self {
        let recorded = self.recorded();
        match recorded.result {
            ImageOutcome::Recorded => Self { result: ImageOutcome::AlreadyThere, ..recorded },
            _ => recorded,
        }
    }

    /// The image at both sides, by digest if this is known, in a line.
    pub fn identity(&self) -> String {
        let digest = |digest: Option<String>| digest.map_or(String::new(), |digest| format!(" ({digest})"));
        let (source, target) =
            (digest(self.source_digest.clone()), digest(self.digest.as_ref().map(Digest::to_string)));
        format!("{}{source} → {}{target}", self.source, self.target)
    }

    /// The image of the source, and what has replaced it; nothing if it has stayed.
    pub fn replacement(&self) -> Option<(ImageUse, ImageTarget)> {
        let digest = self.target.parse().ok().and_then(ImageUri::ecr).and_then(|image| image.digest);
        let target = ImageTarget { image: self.target.clone(), digest: digest.as_ref().map(ToString::to_string) };
        (self.source != self.target).then(|| (image_key(&self.source, self.source_digest.as_deref()), target))
    }
}
