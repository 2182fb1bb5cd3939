//! Reads the objects of the source account.

use std::ops::Range;
use std::sync::Arc;

use aws_sdk_s3::config::Builder;
use bytes::Bytes;

use super::body::Body;
use super::pages::Pages;
use super::reader::ObjectReader;
use super::types::{ETag, Head};
use crate::aws::error::{CallError, Caller};
use crate::model::location::{BucketName, Location};

/// S3 with the source's credentials. Clones share one client.
#[derive(Debug, Clone)]
pub struct SourceObjects {
    pub(super) reader: ObjectReader,
}

impl SourceObjects {
    pub(in crate::aws) fn new(config: Builder, caller: Arc<Caller>) -> Self {
        Self { reader: ObjectReader::following(config, caller) }
    }

    /// The metadata of the object. A missing object is an error of the kind NotFound.
    pub async fn head(&self, at: &Location) -> Result<Head, CallError> {
        self.reader.head(at).await
    }

    /// The objects under a prefix, page by page, in no particular order.
    pub fn list(&self, bucket: &BucketName, prefix: &str) -> Pages {
        Pages::new(self.reader.clone(), bucket.clone(), prefix.to_owned())
    }

    /// The bytes of a range of a non-empty object. PreconditionFailed if the ETag differs.
    pub async fn get(&self, at: &Location, range: Range<u64>, if_match: &ETag) -> Result<Body, CallError> {
        self.reader.get(at, range, if_match).await
    }

    /// The whole object with its metadata. PreconditionFailed if the ETag or the length differs.
    pub async fn get_whole(&self, at: &Location, bytes: u64, if_match: &ETag) -> Result<(Head, Body), CallError> {
        self.reader.get_whole(at, bytes, if_match).await
    }

    /// The whole object and its ETag. An object that is longer than `limit` bytes is an error.
    pub async fn read(&self, at: &Location, limit: u64) -> Result<(Bytes, ETag), CallError> {
        self.reader.read(at, limit).await
    }
}
