//! What S3 keeps: buckets, objects with their attributes, and open multipart uploads.

use super::body::Body;
use super::checksums::{Algorithm, Checksum};
use crate::support::wire::Request;
use crate::support::world::World;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// The headers that an object keeps beside its metadata.
const KEPT: [&str; 6] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
/// Synthetic content counts as uploaded in parts of this size, or larger ones where 10,000 are not enough.
const SYNTHETIC_PART: u64 = 8 << 20;

/// A bucket, its owner and what is in it.
pub struct Bucket {
    pub owner: String,
    pub region: String,
    pub default_key: Option<String>,
    /// What GetBucketPolicy answers. The rights of callers do not depend on it.
    pub policy: Option<serde_json::Value>,
    /// Whether callers of other accounts have to say that they pay.
    pub requester_pays: bool,
    /// The headers that its policy demands of every request that creates an object.
    pub demands: Vec<(&'static str, &'static str)>,
    /// Whether its policy denies every read, as those that demand a network do.
    pub denies_reads: bool,
    pub objects: BTreeMap<String, Object>,
    /// By upload id.
    pub uploads: BTreeMap<String, Upload>,
}

impl Bucket {
    pub fn new(owner: &str, region: &str) -> Bucket {
        Bucket {
            owner: owner.to_owned(),
            region: region.to_owned(),
            default_key: None,
            policy: None,
            requester_pays: false,
            demands: Vec::new(),
            denies_reads: false,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }
}

/// How an object is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// With S3's own keys.
    #[default]
    Aes256,
    /// With a KMS key: the ETag is not an MD5.
    Kms { key: String, bucket_key: bool },
}

/// Everything about an object but its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `content-type`, `cache-control`, … in lower case.
    pub headers: BTreeMap<String, String>,
    /// Without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// `STANDARD` unless given.
    pub storage_class: String,
    /// Whether an archived object is restored.
    pub restored: bool,
    /// Whether an archived object is being restored.
    pub restoring: bool,
    /// The archive tier of Intelligent-Tiering, such as `ARCHIVE_ACCESS`.
    pub archive_tier: Option<String>,
    pub encryption: Encryption,
    /// Whether the customer keeps the key (SSE-C).
    pub customer_key: bool,
    /// Whether the checksum is one of the parts' checksums.
    pub composite: bool,
    /// The canned ACL that its writer asked for.
    pub acl: Option<String>,
    /// The checksum that the writer asked for; S3 computes a CRC64NVME by default.
    pub checksum: Option<Algorithm>,
    /// As if uploaded in parts of this size.
    pub part_size: Option<u64>,
}

impl Default for Attributes {
    fn default() -> Attributes {
        let binary = ("content-type".to_owned(), "binary/octet-stream".to_owned());
        Attributes {
            headers: BTreeMap::from([binary]),
            metadata: BTreeMap::new(),
            tags: BTreeMap::new(),
            annotations: BTreeMap::new(),
            storage_class: "STANDARD".to_owned(),
            restored: false,
            restoring: false,
            archive_tier: None,
            encryption: Encryption::default(),
            customer_key: false,
            composite: false,
            acl: None,
            checksum: None,
            part_size: None,
        }
    }
}

impl Attributes {
    /// With a header such as `content-type` or `cache-control`.
    pub fn header(mut self, name: &str, value: &str) -> Attributes {
        self.headers.insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// With one more metadata entry.
    pub fn metadata(mut self, name: &str, value: &str) -> Attributes {
        self.metadata.insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// With one more tag.
    pub fn tag(mut self, name: &str, value: &str) -> Attributes {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With one more annotation.
    pub fn annotation(mut self, name: &str, payload: &str) -> Attributes {
        self.annotations.insert(name.to_owned(), payload.to_owned());
        self
    }

    /// Encrypted with a KMS key.
    pub fn kms(mut self, key_arn: &str) -> Attributes {
        self.encryption = Encryption::Kms { key: key_arn.to_owned(), bucket_key: false };
        self
    }

    /// In a storage class such as `GLACIER`.
    pub fn storage_class(mut self, class: &str) -> Attributes {
        self.storage_class = class.to_owned();
        self
    }

    /// Archived, and restored: for some days, or out of an archive tier of Intelligent-Tiering.
    pub fn restored(mut self) -> Attributes {
        self.restored = true;
        self
    }

    /// Archived, and being restored.
    pub fn restoring(mut self) -> Attributes {
        self.restoring = true;
        self
    }

    /// In an archive tier of Intelligent-Tiering.
    pub fn archive_tier(mut self, tier: &str) -> Attributes {
        self.storage_class = "INTELLIGENT_TIERING".to_owned();
        self.archive_tier = Some(tier.to_owned());
        self
    }

    /// Whether it cannot be read before it is restored.
    pub fn is_archived(&self) -> bool {
        let archive = ["GLACIER", "DEEP_ARCHIVE"].contains(&self.storage_class.as_str());
        (self.archive_tier.is_some() || archive) && !self.restored
    }

    /// With a checksum of this algorithm.
    pub fn checksum(mut self, algorithm: Algorithm) -> Attributes {
        self.checksum = Some(algorithm);
        self
    }

    /// Encrypted with a key that only the customer has (SSE-C).
    pub fn customer_key(mut self) -> Attributes {
        self.customer_key = true;
        self
    }

    /// With a checksum of the parts' checksums, of this algorithm.
    pub fn composite(mut self, algorithm: Algorithm) -> Attributes {
        self.composite = true;
        self.checksum(algorithm)
    }

    /// As if uploaded in parts of this size: the ETag is `md5-n`.
    pub fn parts_of(mut self, size: u64) -> Attributes {
        self.part_size = Some(size);
        self
    }

    /// What a write request asks for.
    pub(crate) fn asked(request: &Request) -> Attributes {
        let mut asked = Attributes::default();
        for (name, value) in &request.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if let Some(meta) = name.as_str().strip_prefix("x-amz-meta-") {
                asked.metadata.insert(meta.to_owned(), value);
            } else if KEPT.contains(&name.as_str()) {
                asked.headers.insert(name.to_string(), value);
            }
        }
        strip_framing(&mut asked.headers);
        if let Some(class) = request.header("x-amz-storage-class") {
            asked.storage_class = class.to_owned();
        }
        asked.acl = request.header("x-amz-acl").map(str::to_owned);
        asked.tags = crate::support::wire::form(request.header("x-amz-tagging").unwrap_or(""));
        if request.header("x-amz-server-side-encryption") == Some("aws:kms") {
            let key = request.header("x-amz-server-side-encryption-aws-kms-key-id");
            let key = key.unwrap_or("alias/aws/s3").to_owned();
            let flag = request.header("x-amz-server-side-encryption-bucket-key-enabled");
            asked.encryption = Encryption::Kms { key, bucket_key: flag == Some("true") };
        }
        asked
    }
}

/// `aws-chunked` is about the transfer and is not kept as the object's encoding.
fn strip_framing(headers: &mut BTreeMap<String, String>) {
    if let Some(encoding) = headers.remove("content-encoding") {
        let kept: Vec<&str> = encoding.split(',').map(str::trim).filter(|one| *one != "aws-chunked").collect();
        if !kept.is_empty() {
            headers.insert("content-encoding".to_owned(), kept.join(","));
        }
    }
}

/// An object as S3 holds it.
#[derive(Clone, Debug)]
pub struct Object {
    pub body: Body,
    /// Without quotes.
    pub etag: String,
    /// Seconds since 1970.
    pub modified: f64,
    pub attributes: Attributes,
    pub checksum: Option<Checksum>,
    /// The sizes of its parts, if it was uploaded in parts.
    pub parts: Vec<u64>,
}

impl Object {
    /// A header that it keeps, such as `content-type`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.attributes.headers.get(name).map(String::as_str)
    }

    /// A metadata entry, without `x-amz-meta-`.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.attributes.metadata.get(name).map(String::as_str)
    }

    pub(crate) fn new(world: &mut World, body: Body, attributes: Attributes) -> Object {
        let part_size = attributes
            .part_size
            .or_else(|| body.is_large_and_synthetic().then(|| SYNTHETIC_PART.max(body.len().div_ceil(10_000))));
        let algorithm = attributes.checksum;
        let (etag, parts) = match part_size {
            Some(size) => in_parts(world, &body, &attributes.encryption, size),
            None => (etag(world, &body, &attributes.encryption), Vec::new()),
        };
        let algorithm = algorithm.or(world.options.checksums.then_some(Algorithm::Crc64Nvme));
        let checksum = algorithm.map(|algorithm| match attributes.composite {
            true => {
                let at = |part: usize| parts[..part].iter().sum();
                let of_parts =
                    (0..parts.len()).map(|part| Checksum::full(algorithm, &body.range(at(part), parts[part])));
                Checksum::composite(algorithm, &of_parts.collect::<Vec<_>>().iter().collect::<Vec<_>>())
            }
            false => Checksum::full(algorithm, &body),
        });
        Object { body, etag, modified: world.now(), attributes, checksum, parts }
    }
}

fn in_parts(world: &mut World, body: &Body, encryption: &Encryption, size: u64) -> (String, Vec<u64>) {
    let mut sizes = Vec::new();
    let mut etags = Vec::new();
    let mut at = 0;
    while at < body.len() || sizes.is_empty() {
        let take = size.min(body.len() - at);
        etags.push(etag(world, &body.range(at, take), encryption));
        sizes.push(take);
        at += take;
    }
    (etag_of_parts(&etags), sizes)
}

/// The ETag of content written in one request.
pub fn etag(world: &mut World, body: &Body, encryption: &Encryption) -> String {
    match encryption {
        Encryption::Aes256 => hex(&body.md5()),
        Encryption::Kms { .. } => {
            let salted = format!("{}{}", hex(&body.md5()), world.serial());
            hex(&Md5::digest(salted))
        }
    }
}

/// The ETag of an object made of parts: the MD5 of their MD5s and their number.
pub fn etag_of_parts(etags: &[String]) -> String {
    let mut digest = Md5::new();
    for etag in etags {
        let bytes: Vec<u8> =
            (0..etag.len() / 2).filter_map(|at| u8::from_str_radix(&etag[at * 2..at * 2 + 2], 16).ok()).collect();
        digest.update(bytes);
    }
    format!("{}-{}", hex(&digest.finalize()), etags.len())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An open multipart upload.
#[derive(Clone, Debug)]
pub struct Upload {
    pub id: String,
    pub key: String,
    pub initiated: f64,
    pub attributes: Attributes,
    /// The checksum is of the whole object, not of the parts' checksums.
    pub full_checksum: bool,
    pub parts: BTreeMap<u32, Part>,
}

/// A part of an open upload.
#[derive(Clone, Debug)]
pub struct Part {
    pub body: Body,
    pub etag: String,
    pub modified: f64,
    pub checksum: Option<Checksum>,
}
