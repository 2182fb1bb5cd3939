//! One object that a promotion copies.

use bytes::Bytes;

use crate::aws::objects::{ETag, Head};
use crate::model::field::Field;
use crate::model::location::Location;

/// An object of the source.
#[derive(Debug, Clone)]
pub struct SourceObject {
    /// Where it lies.
    pub location: Location,
    /// Its size.
    pub bytes: u64,
    /// Its ETag: every later request for the object is conditional on it.
    pub etag: ETag,
    /// Headers, metadata and checksum, where HeadObject was called.
    pub head: Option<Head>,
}

/// One object of the target bucket.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The source object.
    pub source: SourceObject,
    /// Where its copy goes.
    pub target: Location,
    /// Every field that refers to it, in the order of the package.
    pub fields: Vec<Field>,
    /// What is written there.
    pub body: Body,
}

/// What is written to a target object.
#[derive(Debug, Clone)]
pub enum Body {
    /// The source's bytes.
    Copy,
    /// A manifest with its locations rewritten.
    Rewritten(Bytes),
}

impl Artifact {
    /// The size of the target object.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            Body::Copy => self.source.bytes,
            Body::Rewritten(text) => text.len() as u64,
        }
    }
}
