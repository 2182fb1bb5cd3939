//! The result of copying one image.

use serde::{Deserialize, Serialize};

use crate::model::image::{Digest, EcrImage, Repository};

/// What became of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageOutcome {
    /// This run copied it.
    Copied,
    /// It was there with the same digest.
    AlreadyThere,
    /// An earlier run copied it, as its record says. This run has not looked at it.
    Recorded,
    /// A dry run would copy it.
    Planned,
    /// AWS provides it in the target's region too.
    ReRegioned,
    /// The target uses the image of the source.
    Kept,
}

/// A write to the target's registry that a run without `--dry-run` would make.
#[derive(Debug, Clone)]
pub enum ImageWrite {
    /// Create a repository.
    CreateRepository(Repository),
    /// Copy an image.
    Copy(EcrImage),
    /// Copy a signature or another artifact that refers to an image.
    CopyReferrer(EcrImage),
    /// Give an image the tag that keeps it.
    Tag(EcrImage),
}

/// The result of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageDone {
    /// What became of it.
    pub outcome: ImageOutcome,
    /// The layers that the target did not have.
    pub missing_layers: usize,
    /// Their size in bytes.
    pub missing_bytes: u64,
}

impl ImageDone {
    pub(super) fn nothing_missing(outcome: ImageOutcome) -> Self {
        Self { outcome, missing_layers: 0, missing_bytes: 0 }
    }
}

/// The tag that keeps an image from lifecycle rules for untagged images. It is never moved: it belongs to one digest.
pub fn tag_of(digest: &Digest) -> String {
    format!("promote-sha256-{}", &digest.hex()[..32])
}

/// The image by the tag that keeps it.
pub fn tagged(repository: &Repository, digest: &Digest) -> EcrImage {
    EcrImage { repository: repository.clone(), tag: Some(tag_of(digest)), digest: None }
}
