//! What the calls take and return.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::{
    ImageIdentifier, ImageScanningConfiguration, ImageTagMutability, Repository as SdkRepository,
};

use crate::model::image::Digest;

/// The manifests that Amazon ECR stores. BatchGetImage converts manifests of other types, or resolves an index, unless it
/// is told that they are accepted. Those of the first schema are accepted to be refused by name.
pub const MANIFEST_TYPES: [&str; 6] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// How an image is named in its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageId {
    /// By its digest.
    Digest(Digest),
    /// By a tag, which may move.
    Tag(String),
}

impl ImageId {
    pub(super) fn to_sdk(&self) -> ImageIdentifier {
        match self {
            Self::Digest(digest) => ImageIdentifier::builder().image_digest(digest.as_str()).build(),
            Self::Tag(tag) => ImageIdentifier::builder().image_tag(tag).build(),
        }
    }
}

/// An image or an index of a repository, without its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// The digest.
    pub digest: Digest,
    /// The tag that it was asked for by.
    pub tag: Option<String>,
    /// The manifest as ECR has it.
    pub manifest: String,
    /// The media type of the manifest.
    pub media_type: String,
}

/// The settings that a repository of the target takes over from the source's.
#[derive(Debug, Clone, Default)]
pub struct RepositorySettings {
    pub(super) mutability: Option<ImageTagMutability>,
    pub(super) scanning: Option<ImageScanningConfiguration>,
}

impl RepositorySettings {
    pub(super) fn of(repository: &SdkRepository) -> Self {
        // Tags that are excluded from the mutability need filters of their own: such repositories get ECR's default.
        let known = [ImageTagMutability::Immutable, ImageTagMutability::Mutable];
        let mutability = repository.image_tag_mutability().filter(|one| known.contains(one)).cloned();
        Self { mutability, scanning: repository.image_scanning_configuration().cloned() }
    }
}

/// The manifests that refer to a manifest.
#[derive(Debug, Clone, Default)]
pub struct ListedReferrers {
    /// Their digests, and their sizes in bytes.
    pub found: BTreeMap<Digest, u64>,
    /// Whether these are all.
    pub is_complete: bool,
}

/// The upload of a layer.
#[derive(Debug, Clone)]
pub struct LayerUpload {
    /// The ID of the upload.
    pub id: String,
    /// The size of its parts in bytes.
    pub part_size: u64,
}

/// What became of a part that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// ECR has it.
    Received,
    /// ECR expects the part that begins with this byte.
    Expects(u64),
    /// ECR does not have the upload any more.
    Gone,
}
