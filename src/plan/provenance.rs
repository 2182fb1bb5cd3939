//! Marks the request with the source version, the origin of a chain of promotions, and the digest of the request.

use serde_json::Value;

use crate::model::arn::PackageArn;
use crate::model::field::Document;
use crate::model::package::request_digest;
use crate::model::promoted::{ORIGIN_KEY, REQUEST_KEY, SOURCE_KEY};

/// Adds the provenance of a version that is promoted from `source`.
pub fn add_provenance(request: &mut Document, source: &PackageArn) {
    let mut metadata = match request.shift_remove("CustomerMetadataProperties") {
        Some(Value::Object(metadata)) => metadata,
        _ => Document::new(),
    };
    let promoted_before = metadata.shift_remove(SOURCE_KEY);
    let origin = metadata.shift_remove(ORIGIN_KEY).or(promoted_before);
    metadata.shift_remove(REQUEST_KEY);
    metadata.insert(SOURCE_KEY.into(), source.canonical().into());
    if let Some(origin) = origin {
        metadata.insert(ORIGIN_KEY.into(), origin);
    }
    request.insert("CustomerMetadataProperties".into(), metadata.into());
    let digest = request_digest(request);
    request["CustomerMetadataProperties"][REQUEST_KEY] = digest.into();
}
