//! The clients, settings and shared resources of copies of images.

use std::sync::Arc;

use crate::aws::images::{SourceImages, TargetImages};
use crate::copy::{Limits, Meter};
use crate::model::image::Repository;
use crate::plan::images::Content;

/// The clients, settings and shared resources of copies.
pub struct ImageEngine<'a> {
    /// Reads the source.
    pub source: &'a SourceImages,
    /// Writes the target.
    pub target: &'a TargetImages,
    /// Whether missing repositories are created.
    pub create_repository: bool,
    /// The limits of requests and memory, shared with the copies of artifacts.
    pub limits: &'a Limits,
    /// The progress counters.
    pub meter: &'a Meter,
}

/// An image that is copied to a repository.
pub(super) struct Copying {
    pub source: Repository,
    pub content: Arc<Content>,
    /// Whether it needs a tag. Life-cycle rules treat what refers to an image like the image.
    pub tagged: bool,
}
