//! CompleteMultipartUpload: the list of parts against what was uploaded, then the object.

use super::body::Body;
use super::checksums::{Algorithm, Checksum};
use super::multipart::open;
use super::store::{Object, Part, Upload, etag_of_parts};
use super::{Ask, encrypted};
use crate::support::wire::{Answer, Refusal, escape};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeMap;

/// Every part but the last has at least this size.
const SMALLEST_PART: u64 = 5 << 20;

/// CompleteMultipartUpload.
pub fn complete(ask: Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:PutObject", &ask.bucket, &ask.key)?;
    let upload = open(&ask)?.clone();
    ask.allow_key("kms:Decrypt", &upload.attributes.encryption)?;
    let listed = listed(&ask.request.body)?;
    let parts = chosen(&upload, &listed)?;
    let mut body = Body::default();
    parts.iter().for_each(|part| body.append(part.body.clone()));
    check_size(&ask, &body)?;
    let checksum = checksum(&ask, &upload, &parts, &body)?;
    ask.check_absent()?;
    let etags: Vec<String> = parts.iter().map(|part| part.etag.clone()).collect();
    let object = Object {
        etag: etag_of_parts(&etags),
        parts: parts.iter().map(|part| part.body.len()).collect(),
        body,
        modified: ask.world.now(),
        attributes: upload.attributes.clone(),
        checksum,
    };
    let shown = object.checksum.as_ref().map_or(String::new(), |checksum| {
        format!("{}<ChecksumType>{}</ChecksumType>", checksum.xml(), checksum.kind())
    });
    let answer = Answer::xml(format!(
        "<CompleteMultipartUploadResult><Location>http://s3/</Location><Bucket>{}</Bucket><Key>{}</Key><ETag>\
        &quot;{}&quot;</ETag>{shown}</CompleteMultipartUploadResult>",
        ask.bucket,
        escape(&ask.key),
        object.etag
    ));
    let answer = encrypted(answer, &object.attributes.encryption);
    ask.world.bucket_mut(&ask.bucket)?.uploads.remove(&upload.id);
    ask.store(object)?;
    Ok(answer)
}

/// The parts of the request, each as its XML elements by name.
fn listed(body: &[u8]) -> Result<Vec<BTreeMap<String, String>>, Refusal> {
    let malformed = || {
        Refusal::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let mut reader = Reader::from_reader(body);
    let (mut parts, mut element) = (Vec::<BTreeMap<String, String>>::new(), String::new());
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).map_err(|_| malformed())? {
            Event::Start(start) => {
                element = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                if element == "Part" {
                    parts.push(BTreeMap::new());
                }
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|_| malformed())?;
                if let Some(part) = parts.last_mut() {
                    part.entry(element.clone()).or_default().push_str(text.trim());
                }
            }
            // The quotes of an ETag are all that is ever escaped here.
            Event::GeneralRef(_) | Event::End(_) => {}
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    if parts.is_empty() {
        return Err(malformed());
    }
    Ok(parts)
}

/// The uploaded parts that the request lists, in order.
fn chosen<'a>(upload: &'a Upload, listed: &[BTreeMap<String, String>]) -> Result<Vec<&'a Part>, Refusal> {
    let invalid = || {
        Refusal::new(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
            specified entity tag may not match the part's entity tag.",
        )
    };
    let mut parts: Vec<&Part> = Vec::new();
    let mut last = 0;
    for row in listed {
        let number: u32 = row.get("PartNumber").and_then(|text| text.parse().ok()).ok_or_else(invalid)?;
        if number <= last {
            return Err(Refusal::new(
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        last = number;
        let part = upload.parts.get(&number).ok_or_else(invalid)?;
        if row.get("ETag").map(|etag| etag.trim_matches('"')) != Some(&part.etag) {
            return Err(invalid());
        }
        if parts.last().is_some_and(|part| part.body.len() < SMALLEST_PART) {
            return Err(Refusal::new(
                400,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            ));
        }
        check_part_checksum(upload, row, part, number)?;
        parts.push(part);
    }
    Ok(parts)
}

fn check_part_checksum(
    upload: &Upload,
    row: &BTreeMap<String, String>,
    part: &Part,
    number: u32,
) -> Result<(), Refusal> {
    let Some(algorithm) = upload.attributes.checksum else { return Ok(()) };
    let name = algorithm.name();
    match row.get(&format!("Checksum{name}")) {
        Some(value) if Some(value) != part.checksum.as_ref().map(|checksum| &checksum.value) => {
            Err(Refusal::new(400, "InvalidPart", format!("The {name} of part {number} does not match")))
        }
        None if !upload.full_checksum => Err(Refusal::new(
            400,
            "InvalidRequest",
            format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for \
                each part. It was missing for part {number} in the request.",
                name.to_lowercase()
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

fn check_size(ask: &Ask, body: &Body) -> Result<(), Refusal> {
    match ask.request.header("x-amz-mp-object-size") {
        Some(size) if size != body.len().to_string() => Err(Refusal::new(
            400,
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        )),
        Some(_) | None => Ok(()),
    }
}

/// The object's checksum, compared with the one that the request expects.
fn checksum(ask: &Ask, upload: &Upload, parts: &[&Part], body: &Body) -> Result<Option<Checksum>, Refusal> {
    let default = ask.world.options.checksums.then_some(Algorithm::Crc64Nvme);
    let Some(algorithm) = upload.attributes.checksum.or(default) else { return Ok(None) };
    let of_parts: Vec<&Checksum> = parts.iter().filter_map(|part| part.checksum.as_ref()).collect();
    let real = match upload.full_checksum {
        true => Checksum::full(algorithm, body),
        false => Checksum::composite(algorithm, &of_parts),
    };
    match ask.request.header(&algorithm.header()) {
        Some(expected) if expected != real.value => Err(Refusal::new(
            400,
            "BadDigest",
            format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
        )),
        Some(_) | None => Ok(Some(real)),
    }
}
