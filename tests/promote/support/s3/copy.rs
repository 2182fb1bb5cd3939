//! CopyObject, and the copy source that it shares with UploadPartCopy.

use std::collections::BTreeMap;

use super::checksums::{Algorithm, Checksum};
use super::store::{Attributes, Object, etag};
use super::{Ask, dates, encrypted, matches, objects, precondition};
use crate::support::wire::{Answer, Refusal, decode, form};

/// The largest object that one CopyObject takes, and the largest part.
pub const LARGEST: u64 = 5 << 30;

/// CopyObject.
pub fn copy(ask: Ask) -> Result<Answer, Refusal> {
    let source = source(&ask)?;
    ask.allow("s3:PutObject", &ask.bucket, &ask.key)?;
    if !ask.world.options.conditional_copies && ask.request.header("if-none-match").is_some() {
        let message = "A header you provided implies functionality that is not implemented";
        return Err(Refusal::new(501, "NotImplemented", message));
    }
    if source.body.len() > LARGEST {
        return Err(Refusal::new(
            400,
            "InvalidRequest",
            format!("The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST}"),
        ));
    }
    ask.check_absent()?;
    let attributes = carried(&ask, &source)?;
    let asked = ask.request.header("x-amz-checksum-algorithm").map(Algorithm::parse).transpose()?;
    let default = ask.world.options.checksums.then_some(Algorithm::Crc64Nvme);
    let kept = source.checksum.as_ref().map(|checksum| checksum.algorithm);
    let algorithm = asked.or(kept).or(default);
    let checksum = algorithm.map(|algorithm| Checksum::full(algorithm, &source.body));
    let object = Object {
        etag: etag(ask.world, &source.body, &attributes.encryption),
        body: source.body,
        modified: ask.world.now(),
        attributes,
        checksum,
        parts: Vec::new(),
    };
    let answer = result("CopyObjectResult", &object.etag, object.modified, object.checksum.as_ref());
    let answer = encrypted(answer, &object.attributes.encryption);
    ask.store(object)?;
    Ok(answer)
}

/// The object that `x-amz-copy-source` names, as far as the caller may read it and it is the expected one.
pub fn source(ask: &Ask) -> Result<Object, Refusal> {
    let raw = ask.request.header("x-amz-copy-source").unwrap_or("");
    let raw = raw.split_once("?versionId=").map_or(raw, |(path, _)| path);
    let path = decode(raw);
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path.split_once('/').filter(|(_, key)| !key.is_empty()).ok_or_else(|| {
        Refusal::new(
            400,
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    })?;
    ask.check_source(bucket)?;
    let object = ask.readable(bucket, key)?;
    if !matches(ask.request.header("x-amz-copy-source-if-match"), &object.etag) {
        return Err(precondition("x-amz-copy-source-If-Match"));
    }
    if object.attributes.is_archived() {
        // CopyObject has a code of its own (Amazon S3 API Reference, "CopyObject", Errors).
        return Err(match super::operation(ask.request) {
            "CopyObject" => Refusal::new(
                403,
                "ObjectNotInActiveTierError",
                "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.",
            ),
            _ => objects::archived(),
        });
    }
    let copies_tags = ask.request.header("x-amz-tagging-directive") != Some("REPLACE");
    if super::operation(ask.request) == "CopyObject" && copies_tags && !object.attributes.tags.is_empty() {
        ask.allow("s3:GetObjectTagging", bucket, key)?;
        ask.allow("s3:PutObjectTagging", &ask.bucket, &ask.key)?;
    }
    if super::operation(ask.request) == "CopyObject" && copies_annotations(ask) {
        ask.allow("s3:GetObjectAnnotation", bucket, key)?;
        ask.allow("s3:PutObjectAnnotation", &ask.bucket, &ask.key)?;
    }
    Ok(object.clone())
}

/// CopyObject copies annotations unless the request excludes them, and a part of an upload has none.
fn copies_annotations(ask: &Ask) -> bool {
    ask.request.header("x-amz-object-annotation-directive") != Some("EXCLUDE")
}

/// What the copy keeps of the source and what the request replaces.
fn carried(ask: &Ask, source: &Object) -> Result<Attributes, Refusal> {
    let asked = ask.attributes()?;
    let directive = |name: &str| match ask.request.header(name) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(Refusal::new(400, "InvalidArgument", format!("Unknown {name}."))),
    };
    let replace = directive("x-amz-metadata-directive")?;
    let replace_tags = directive("x-amz-tagging-directive")?;
    let tags = match replace_tags {
        true => form(ask.request.header("x-amz-tagging").unwrap_or("")),
        false => source.attributes.tags.clone(),
    };
    let kept = if replace { &asked } else { &source.attributes };
    let annotations = if copies_annotations(ask) { source.attributes.annotations.clone() } else { BTreeMap::new() };
    Ok(Attributes { headers: kept.headers.clone(), metadata: kept.metadata.clone(), tags, annotations, ..asked })
}

/// `CopyObjectResult` or `CopyPartResult`.
pub fn result(element: &str, etag: &str, modified: f64, checksum: Option<&Checksum>) -> Answer {
    let checksum = checksum.map(Checksum::xml).unwrap_or_default();
    let modified = dates::iso(modified);
    Answer::xml(format!(
        "<{element}><LastModified>{modified}</LastModified><ETag>&quot;{etag}&quot;</ETag>{checksum}</{element}>"
    ))
}
