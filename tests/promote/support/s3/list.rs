//! Listings: objects, open uploads, parts; and the two questions about a bucket.

use super::{Ask, Object, Upload, dates};
use crate::support::principals::REGION;
use crate::support::wire::{Answer, Refusal, escape};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// HeadBucket.
pub fn head_bucket(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:ListBucket", &ask.bucket, "")?;
    let region = &ask.world.bucket(&ask.bucket)?.region;
    Ok(Answer::new(200).with("x-amz-bucket-region", region))
}

/// GetBucketLocation; us-east-1 shows as nothing.
pub fn location(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:GetBucketLocation", &ask.bucket, "")?;
    let region = ask.world.bucket(&ask.bucket).map_or(REGION, |bucket| bucket.region.as_str());
    let region = if region == "us-east-1" { "" } else { region };
    Ok(Answer::xml(format!("<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>")))
}

/// GetBucketPolicy.
pub fn policy(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:GetBucketPolicy", &ask.bucket, "")?;
    match &ask.world.bucket(&ask.bucket)?.policy {
        Some(policy) => Ok(Answer::json(policy)),
        None => Err(Refusal::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist")),
    }
}

/// ListObjectsV2.
pub fn objects(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:ListBucket", &ask.bucket, "")?;
    let prefix = ask.query("prefix").unwrap_or("");
    let delimiter = ask.query("delimiter").unwrap_or("");
    let after = match ask.query("continuation-token") {
        Some(token) => {
            token.strip_prefix("after:").ok_or_else(|| argument("The continuation token provided is incorrect"))?
        }
        None => ask.query("start-after").unwrap_or(""),
    };
    let max = limit(ask, "max-keys")?;
    let (rows, next) = page(ask, prefix, delimiter, after, max)?;
    let truncated = next.is_some();
    let token = next
        .map(|last| format!("<NextContinuationToken>after:{}</NextContinuationToken>", escape(&last)))
        .unwrap_or_default();
    Ok(Answer::xml(format!(
        "<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount>\
        <MaxKeys>{max}</MaxKeys>{}<IsTruncated>{truncated}</IsTruncated>{token}{}</ListBucketResult>",
        ask.bucket,
        encode(ask, prefix),
        rows.len(),
        encoding(ask),
        rows.concat()
    )))
}

/// The entries behind `after`, and the last of them if more follow.
fn page(
    ask: &Ask,
    prefix: &str,
    delimiter: &str,
    after: &str,
    max: usize,
) -> Result<(Vec<String>, Option<String>), Refusal> {
    let mut rows = Vec::new();
    let mut last = String::new();
    // Where the page begins: a listing of a million keys would take too long otherwise.
    let from = after.max(prefix).to_owned();
    for (key, object) in ask.world.bucket(&ask.bucket)?.objects.range(from..) {
        let folder = folder(key, prefix, delimiter);
        let name = folder.as_deref().unwrap_or(key);
        if !key.starts_with(prefix) || name <= after || name == last {
            continue;
        }
        if rows.len() == max {
            return Ok((rows, Some(last)));
        }
        last = name.to_owned();
        let shown = encode(ask, name);
        rows.push(match folder {
            Some(_) => format!("<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"),
            None => row(&shown, object),
        });
    }
    Ok((rows, None))
}

fn row(key: &str, object: &Object) -> String {
    let restored = match object.attributes.restored && object.attributes.archive_tier.is_none() {
        true => {
            "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>\
            <RestoreExpiryDate>2126-12-21T00:00:00Z</RestoreExpiryDate></RestoreStatus>"
        }
        false if object.attributes.restoring => {
            "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
        }
        false => "",
    };
    format!(
        "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
        <StorageClass>{}</StorageClass>{restored}</Contents>",
        dates::iso(object.modified),
        object.etag,
        object.body.len(),
        object.attributes.storage_class
    )
}

/// The common prefix that hides a key, if the delimiter asks for one.
fn folder(key: &str, prefix: &str, delimiter: &str) -> Option<String> {
    let rest = key.strip_prefix(prefix).filter(|_| !delimiter.is_empty())?;
    let end = rest.find(delimiter)? + delimiter.len();
    Some(format!("{prefix}{}", &rest[..end]))
}

/// ListMultipartUploads.
pub fn uploads(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:ListBucketMultipartUploads", &ask.bucket, "")?;
    let prefix = ask.query("prefix").unwrap_or("");
    let marker = ask.query("key-marker").map(|key| (key, ask.query("upload-id-marker").unwrap_or("\u{10FFFF}")));
    let max = limit(ask, "max-uploads")?;
    let bucket = ask.world.bucket(&ask.bucket)?;
    let mut open: Vec<&Upload> = bucket.uploads.values().filter(|one| one.key.starts_with(prefix)).collect();
    open.sort_by_key(|one| (one.key.as_str(), one.id.as_str()));
    open.retain(|one| marker.is_none_or(|marker| (one.key.as_str(), one.id.as_str()) > marker));
    let truncated = open.len() > max;
    open.truncate(max);
    let rows: String = open
        .iter()
        .map(|one| {
            format!(
                "<Upload><Key>{}</Key><UploadId>{}</UploadId><StorageClass>STANDARD</StorageClass>\
            <Initiated>{}</Initiated></Upload>",
                encode(ask, &one.key),
                one.id,
                dates::iso(one.initiated)
            )
        })
        .collect();
    let next = match open.last().filter(|_| truncated) {
        Some(last) => format!(
            "<NextKeyMarker>{}</NextKeyMarker><NextUploadIdMarker>{}</NextUploadIdMarker>",
            encode(ask, &last.key),
            last.id
        ),
        None => String::new(),
    };
    Ok(Answer::xml(format!(
        "<ListMultipartUploadsResult xmlns=\"{NAMESPACE}\"><Bucket>{}</Bucket><Prefix>{}</Prefix><MaxUploads>\
        {max}</MaxUploads>{}<IsTruncated>{truncated}</IsTruncated>{next}{rows}</ListMultipartUploadsResult>",
        ask.bucket,
        encode(ask, prefix),
        encoding(ask)
    )))
}

/// ListParts.
pub fn parts(ask: &Ask) -> Result<Answer, Refusal> {
    ask.allow("s3:ListMultipartUploadParts", &ask.bucket, &ask.key)?;
    let upload = super::multipart::open(ask)?;
    let max = limit(ask, "max-parts")?;
    let after: u32 =
        ask.query("part-number-marker").unwrap_or("0").parse().map_err(|_| argument("part-number-marker"))?;
    let mut left = upload.parts.range(after + 1..);
    let shown: Vec<_> = left.by_ref().take(max).collect();
    let truncated = left.next().is_some();
    let rows: String = shown
        .iter()
        .map(|(number, part)| {
            let checksum = part.checksum.as_ref().map(super::Checksum::xml).unwrap_or_default();
            format!(
                "<Part><PartNumber>{number}</PartNumber><LastModified>{}</LastModified><ETag>\
                &quot;{}&quot;</ETag><Size>{}</Size>{checksum}</Part>",
                dates::iso(part.modified),
                part.etag,
                part.body.len()
            )
        })
        .collect();
    let next = shown.last().map_or(0, |(number, _)| **number);
    let checksum = upload.attributes.checksum.map_or(String::new(), |algorithm| {
        let kind = if upload.full_checksum { "FULL_OBJECT" } else { "COMPOSITE" };
        format!("<ChecksumAlgorithm>{}</ChecksumAlgorithm><ChecksumType>{kind}</ChecksumType>", algorithm.name())
    });
    Ok(Answer::xml(format!(
        "<ListPartsResult xmlns=\"{NAMESPACE}\"><Bucket>{}</Bucket><Key>{}</Key><UploadId>{}</UploadId>\
        <PartNumberMarker>{after}</PartNumberMarker><NextPartNumberMarker>{next}</NextPartNumberMarker><MaxParts>\
        {max}</MaxParts><IsTruncated>{truncated}</IsTruncated>{checksum}{rows}</ListPartsResult>",
        ask.bucket,
        escape(&ask.key),
        upload.id
    )))
}

fn limit(ask: &Ask, member: &str) -> Result<usize, Refusal> {
    let asked = match ask.query(member) {
        Some(text) => {
            text.parse().map_err(|_| argument(&format!("Provided {member} not an integer or within integer range")))?
        }
        None => 1000,
    };
    Ok(asked.min(1000).min(ask.world.options.page))
}

fn argument(message: &str) -> Refusal {
    Refusal::new(400, "InvalidArgument", message)
}

fn encoding(ask: &Ask) -> &'static str {
    match ask.query("encoding-type") {
        Some("url") => "<EncodingType>url</EncodingType>",
        _ => "",
    }
}

/// A key as the listing shows it: URL-encoded with `+` for a space where asked for, otherwise XML-escaped, which breaks the
/// document if the key has a character that XML 1.0 does not.
fn encode(ask: &Ask, text: &str) -> String {
    if ask.query("encoding-type") != Some("url") {
        let absent = |c: char| c < ' ' && !"\t\n\r".contains(c);
        return if text.contains(absent) { text.to_owned() } else { escape(text) };
    }
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => char::from(byte).to_string(),
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
