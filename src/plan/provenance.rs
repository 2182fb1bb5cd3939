//! Marks the request with the source version, the origin of a chain of promotions, and the digest of the request.
//! Refuses to promote a version back to where it came from.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::package::{Package, request_digest};
use crate::model::promoted::{ORIGIN_KEY, REQUEST_KEY, SOURCE_KEY};
use crate::model::secrets::sealed_document;

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
    mark(request);
}

/// Writes the digest of the request into its metadata.
pub fn mark(request: &mut Document) {
    let digest = own_digest(request);
    if let Some(Value::Object(metadata)) = request.get_mut("CustomerMetadataProperties") {
        metadata.insert(REQUEST_KEY.into(), digest.into());
    }
}

/// The digest of a request, which is the same whether its secrets are sealed or not. It does not cover the metadata key
/// that has the digest.
pub fn own_digest(request: &Document) -> String {
    let mut request = sealed_document(request);
    if let Some(Value::Object(metadata)) = request.get_mut("CustomerMetadataProperties") {
        metadata.shift_remove(REQUEST_KEY);
    }
    request_digest(&request)
}

/// Whether a digest is that of a request.
pub fn is_digest_of(digest: Option<&str>, request: &Document) -> bool {
    digest == Some(&*own_digest(request))
}

/// The digest in the metadata of a request or a described version.
pub fn marked(document: &Document) -> Option<&str> {
    document.get("CustomerMetadataProperties")?.get(REQUEST_KEY)?.as_str()
}

/// Refuses a version that was promoted from the target group: two accounts that promote into each other would go on for
/// ever, and swapped accounts would plan production into training.
///
/// # Errors
/// The message names the metadata.
pub fn refuse_return(package: &Package, target: &GroupArn) -> Result<()> {
    for key in [SOURCE_KEY, ORIGIN_KEY] {
        let named =
            package.description().get("CustomerMetadataProperties").and_then(|metadata| metadata.get(key)?.as_str());
        let back = named.and_then(|named| named.parse().ok()).filter(|named: &PackageArn| named.is_of(target));
        ensure!(
            back.is_none(),
            Failure::new(format!(
                "{} comes from the target group {target}, and is not promoted back: its metadata has {key} = {}",
                package.arn(),
                named.unwrap_or_default()
            ))
            .hint(
                "If the credentials of source and target are swapped, exchange them; otherwise pass another \
                 `--target-group`"
            )
        );
    }
    Ok(())
}
