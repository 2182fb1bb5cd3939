//! One object that a promotion copies.

use bytes::Bytes;

use crate::aws::objects::{ETag, Head};
use crate::model::field::Field;
use crate::model::location::Location;

/// An object of the source.
#[derive(Debug, Clone)]
pub struct SourceObject {
    /// The location.
    pub location: Location,
    /// The size in bytes.
    pub bytes: u64,
    /// The ETag. Every later request for the object is conditional on it.
    pub etag: ETag,
    /// Headers, metadata and checksum, if HeadObject was called.
    pub head: Option<Head>,
}

/// One object of the target bucket.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The source object.
    pub source: SourceObject,
    /// The location of the copy.
    pub target: Location,
    /// What the first of the fields names: the object, a folder of it or its manifest.
    pub named: Location,
    /// Every field that refers to the object, in document order.
    pub fields: Vec<Field>,
    /// The content of the copy.
    pub body: CopyContent,
}

/// The content of a target object.
#[derive(Debug, Clone)]
pub enum CopyContent {
    /// The bytes of the source object.
    Copy,
    /// A manifest with its locations rewritten.
    Rewritten(Bytes),
}

impl Artifact {
    /// The size of the target object in bytes.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            CopyContent::Copy => self.source.bytes,
            CopyContent::Rewritten(text) => text.len() as u64,
        }
    }
}
