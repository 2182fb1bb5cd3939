//! Single objects: HeadObject, GetObject, PutObject, DeleteObject, GetObjectTagging.

use super::checksums::{Algorithm, Checksum, verify};
use super::store::{Encryption, Object, etag, hex};
use super::{Ask, Body, chunked, dates, encrypted, matches, precondition};
use crate::support::wire::{Answer, Refusal, escape};
use crate::support::world::World;
use bytes::Bytes;
use md5::{Digest, Md5};

/// GetObject and HeadObject: they differ in the body only, which the server leaves out.
pub fn get(ask: &Ask) -> Result<Answer, Refusal> {
    let object = ask.readable(&ask.bucket, &ask.key)?;
    if !matches(ask.request.header("if-match"), &object.etag) {
        return Err(precondition("If-Match"));
    }
    if ask.request.method == "GET" && object.attributes.is_archived() {
        return Err(archived());
    }
    let answer = describe(object);
    let len = object.body.len();
    let part = match ask.query("partNumber") {
        Some(number) => Some(part_range(object, number)?),
        None => ask.request.header("range").and_then(|text| range(text, len)).transpose()?,
    };
    let mut answer = match part {
        Some((start, take)) => {
            let last = (start + take).saturating_sub(1);
            let mut answer = answer.with("content-range", format!("bytes {start}-{last}/{len}"));
            answer.status = 206;
            answer.body = object.body.range(start, take);
            answer
        }
        None => Answer { body: object.body.clone(), ..answer },
    };
    if let Some(checksum) = &object.checksum
        && ask.request.header("x-amz-checksum-mode") == Some("ENABLED")
        && part.is_none()
    {
        answer = with_checksum(answer, checksum);
    }
    if ask.query("partNumber").is_some() && !object.parts.is_empty() {
        answer = answer.with("x-amz-mp-parts-count", object.parts.len().to_string());
    }
    Ok(answer)
}

pub fn archived() -> Refusal {
    Refusal::new(403, "InvalidObjectState", "The operation is not valid for the object's storage class")
}

fn describe(object: &Object) -> Answer {
    let mut answer = Answer::new(200)
        .with("etag", format!("\"{}\"", object.etag))
        .with("last-modified", dates::http(object.modified))
        .with("accept-ranges", "bytes");
    for (name, value) in &object.attributes.headers {
        answer = answer.with(name, value);
    }
    for (name, value) in &object.attributes.metadata {
        answer = answer.with(&format!("x-amz-meta-{name}"), value);
    }
    if object.attributes.storage_class != "STANDARD" {
        answer = answer.with("x-amz-storage-class", &object.attributes.storage_class);
    }
    // Restoring moves an object out of an archive tier for good. It has no expiry date then, and no archive status.
    answer = match (&object.attributes.archive_tier, object.attributes.restored) {
        (Some(_), true) => answer.with("x-amz-restore", "ongoing-request=\"false\""),
        (Some(tier), false) => answer.with("x-amz-archive-status", tier),
        (None, true) => {
            answer.with("x-amz-restore", "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2126 00:00:00 GMT\"")
        }
        (None, false) if object.attributes.restoring => answer.with("x-amz-restore", "ongoing-request=\"true\""),
        (None, false) => answer,
    };
    if !object.attributes.tags.is_empty() {
        answer = answer.with("x-amz-tagging-count", object.attributes.tags.len().to_string());
    }
    encrypted(answer, &object.attributes.encryption)
}

pub fn with_checksum(answer: Answer, checksum: &Checksum) -> Answer {
    answer.with(&checksum.algorithm.header(), &checksum.value).with("x-amz-checksum-type", checksum.kind())
}

/// Start and length of `bytes=a-b`; nothing for a header that S3 ignores.
fn range(text: &str, len: u64) -> Option<Result<(u64, u64), Refusal>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(start), Ok(last)) if last < start => return None,
        (Ok(start), Ok(last)) => (start, len.min(last.saturating_add(1))),
        (Ok(start), Err(_)) if last.is_empty() => (start, len),
        (Err(_), Ok(suffix)) if first.is_empty() => (len.saturating_sub(suffix), len),
        _ => return None,
    };
    if start >= end {
        return Some(Err(Refusal::new(416, "InvalidRange", "The requested range is not satisfiable")));
    }
    Some(Ok((start, end - start)))
}

fn part_range(object: &Object, number: &str) -> Result<(u64, u64), Refusal> {
    let sizes = if object.parts.is_empty() { vec![object.body.len()] } else { object.parts.clone() };
    let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match index.filter(|index| *index < sizes.len()) {
        Some(index) => Ok((sizes[..index].iter().sum(), sizes[index])),
        None => Err(Refusal::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")),
    }
}

/// PutObject.
pub fn put(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:PutObject", &ask.bucket, &ask.key)?;
    let attributes = ask.attributes()?;
    if !attributes.tags.is_empty() {
        ask.allow("s3:PutObjectTagging", &ask.bucket, &ask.key)?;
    }
    let (body, etag, checksum) = receive(&mut *ask.world, ask.request, &attributes.encryption)?;
    ask.check_absent()?;
    ask.check_present()?;
    let default = ask.world.options.checksums.then_some(Algorithm::Crc64Nvme);
    let checksum = checksum.or_else(|| default.map(|kind| Checksum::full(kind, &body)));
    let modified = ask.world.now();
    let object = Object { body, etag, modified, attributes, checksum, parts: Vec::new() };
    let mut answer = Answer::new(200).with("etag", format!("\"{}\"", object.etag));
    answer = encrypted(answer, &object.attributes.encryption);
    if let Some(checksum) = &object.checksum {
        answer = with_checksum(answer, checksum);
    }
    ask.store(object)?;
    Ok(answer)
}

/// The content of an upload, with its ETag and the checksum that came along and was right.
pub fn receive(
    world: &mut World,
    request: &crate::support::wire::Request,
    encryption: &Encryption,
) -> Result<(Body, String, Option<Checksum>), Refusal> {
    let (bytes, trailers) = chunked::content(request)?;
    let body = Body::received(bytes.clone());
    let checksum = verify(request, &trailers, &body)?;
    let etag = match encryption {
        Encryption::Aes256 => md5_of(&bytes),
        Encryption::Kms { .. } => etag(world, &body, encryption),
    };
    Ok((body, etag, checksum))
}

fn md5_of(bytes: &Bytes) -> String {
    hex(&Md5::digest(bytes))
}

/// DeleteObject; a missing key is no error.
pub fn delete(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:DeleteObject", &ask.bucket, &ask.key)?;
    ask.check_present()?;
    ask.world.bucket_mut(&ask.bucket)?.objects.remove(&ask.key);
    Ok(Answer::new(204))
}

/// GetObjectTagging.
pub fn tagging(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:GetObjectTagging", &ask.bucket, &ask.key)?;
    let object = ask.world.bucket(&ask.bucket)?.objects.get(&ask.key);
    let object = object.ok_or_else(|| Refusal::new(404, "NoSuchKey", "The specified key does not exist."))?;
    let tags: String = object
        .attributes
        .tags
        .iter()
        .map(|(key, value)| format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key), escape(value)))
        .collect();
    Ok(Answer::xml(format!(
        "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{tags}</TagSet></Tagging>"
    )))
}
