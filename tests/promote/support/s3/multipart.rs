//! Multipart uploads until they are completed: create, upload a part, copy a part, abort.

use super::checksums::{Algorithm, Checksum};
use super::copy::{LARGEST, result, source};
use super::store::{Part, Upload, etag};
use super::{Ask, encrypted, objects};
use crate::support::wire::{Answer, Refusal, escape};

/// A range can be copied only from a source that is larger.
const SMALLEST_RANGED_SOURCE: u64 = 5 << 20;

/// CreateMultipartUpload.
pub fn create(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:PutObject", &ask.bucket, &ask.key)?;
    let mut attributes = ask.attributes()?;
    attributes.checksum = ask.request.header("x-amz-checksum-algorithm").map(Algorithm::parse).transpose()?;
    let full_checksum = match (attributes.checksum, ask.request.header("x-amz-checksum-type")) {
        (Some(Algorithm::Crc64Nvme), Some("COMPOSITE")) | (None, Some(_)) => {
            return Err(invalid("The checksum type cannot be used with this checksum algorithm."));
        }
        (Some(algorithm), Some("FULL_OBJECT")) if !algorithm.joins_parts() => {
            return Err(invalid("The checksum type cannot be used with this checksum algorithm."));
        }
        (Some(Algorithm::Crc64Nvme) | None, _) => true,
        (Some(_), kind) => kind == Some("FULL_OBJECT"),
    };
    let id = format!("upload-{:06}", ask.world.serial());
    let (key, initiated) = (ask.key.clone(), ask.world.now());
    let parts = std::collections::BTreeMap::new();
    let answer = Answer::xml(format!(
        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
        </InitiateMultipartUploadResult>",
        ask.bucket,
        escape(&key)
    ));
    let answer = encrypted(answer, &attributes.encryption);
    let upload = Upload { id: id.clone(), key, initiated, attributes, full_checksum, parts };
    ask.world.bucket_mut(&ask.bucket)?.uploads.insert(id, upload);
    Ok(answer)
}

/// The upload that a request names, if it is open.
pub fn open<'a>(ask: &'a Ask) -> Result<&'a Upload, Refusal> {
    let id = ask.query("uploadId").unwrap_or("");
    let upload = ask.world.bucket(&ask.bucket)?.uploads.get(id);
    upload.filter(|upload| upload.key == ask.key).ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or \
            the upload may have been aborted or completed.",
        )
    })
}

/// UploadPart.
pub fn upload(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:PutObject", &ask.bucket, &ask.key)?;
    let upload = open(&ask)?;
    let (encryption, expected) = (upload.attributes.encryption.clone(), upload.attributes.checksum);
    ask.allow_key("kms:Decrypt", &encryption)?;
    let number = part_number(&ask)?;
    let (body, etag, checksum) = objects::receive(&mut *ask.world, ask.request, &encryption)?;
    let kind = |algorithm: Option<Algorithm>| algorithm.map_or("null".to_owned(), |one| one.name().to_lowercase());
    if let Some(actual) = &checksum
        && expected != Some(actual.algorithm)
    {
        return Err(invalid(&format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            kind(expected),
            kind(Some(actual.algorithm))
        )));
    }
    let checksum = checksum.or_else(|| expected.map(|algorithm| Checksum::full(algorithm, &body)));
    let mut answer = encrypted(Answer::new(200).with("etag", format!("\"{etag}\"")), &encryption);
    if let Some(checksum) = &checksum {
        answer = answer.with(&checksum.algorithm.header(), &checksum.value);
    }
    let modified = ask.world.now();
    add(ask, number, Part { body, etag, modified, checksum })?;
    Ok(answer)
}

/// UploadPartCopy.
pub fn copy(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:PutObject", &ask.bucket, &ask.key)?;
    let upload = open(&ask)?;
    let (encryption, algorithm) = (upload.attributes.encryption.clone(), upload.attributes.checksum);
    ask.allow_key("kms:Decrypt", &encryption)?;
    let number = part_number(&ask)?;
    let object = source(&ask)?;
    let size = object.body.len();
    let body = match ask.request.header("x-amz-copy-source-range") {
        Some(text) => {
            let (start, last) = exact_range(text, size)?;
            object.body.range(start, last - start + 1)
        }
        None => object.body,
    };
    if body.len() > LARGEST {
        return Err(invalid(&format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST}"
        )));
    }
    let checksum = algorithm.map(|algorithm| Checksum::full(algorithm, &body));
    let etag = etag(ask.world, &body, &encryption);
    let modified = ask.world.now();
    let answer = result("CopyPartResult", &etag, modified, checksum.as_ref());
    add(ask, number, Part { body, etag, modified, checksum })?;
    Ok(encrypted(answer, &encryption))
}

fn exact_range(text: &str, size: u64) -> Result<(u64, u64), Refusal> {
    let bounds = text.strip_prefix("bytes=").and_then(|text| text.split_once('-'));
    let parsed = bounds.and_then(|(start, last)| Some((start.parse().ok()?, last.parse().ok()?)));
    let Some((start, last)) = parsed.filter(|(start, last): &(u64, u64)| start <= last) else {
        return Err(Refusal::new(
            400,
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
            zero-based offsets of the first and last bytes to copy",
        ));
    };
    if size <= SMALLEST_RANGED_SOURCE {
        return Err(invalid("The specified copy source is not supported as a byte-range copy source"));
    }
    if last >= size {
        return Err(Refusal::new(
            400,
            "InvalidArgument",
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    Ok((start, last))
}

/// AbortMultipartUpload.
pub fn abort(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:AbortMultipartUpload", &ask.bucket, &ask.key)?;
    let id = open(&ask)?.id.clone();
    ask.world.bucket_mut(&ask.bucket)?.uploads.remove(&id);
    Ok(Answer::new(204))
}

fn part_number(ask: &Ask) -> Result<u32, Refusal> {
    let number = ask.query("partNumber").and_then(|text| text.parse().ok());
    number.filter(|number| (1..=10_000).contains(number)).ok_or_else(|| {
        Refusal::new(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    })
}

fn add(ask: Ask, number: u32, part: Part) -> Result<(), Refusal> {
    let id = open(&ask)?.id.clone();
    if let Some(upload) = ask.world.bucket_mut(&ask.bucket)?.uploads.get_mut(&id) {
        upload.parts.insert(number, part);
    }
    Ok(())
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "InvalidRequest", message)
}
