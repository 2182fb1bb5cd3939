//! Types for the metadata of S3 objects and uploads.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use crate::model::arn::KmsKeyArn;
use crate::model::location::Location;

/// An entity tag without its quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// The ETag of a header or a listing, with or without quotes.
    pub fn new(text: &str) -> Self {
        Self(text.trim_matches('"').to_owned())
    }

    /// The ETag without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the ETag has the form of an MD5. It is the MD5 of the bytes only if the object was written with one request
    /// and is not encrypted with SSE-KMS or SSE-C.
    pub fn is_md5(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The ETag with quotes, for headers.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// Whether the object is archived, so that it has to be restored before it can be read.
    #[serde(default)]
    pub archived: bool,
    /// Whether S3 moves the object between tiers. Only HeadObject says whether it is in an archive tier.
    #[serde(default)]
    pub tiered: bool,
}

/// The metadata of an object, as HeadObject returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The size in bytes.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// The checksum of the whole object, if S3 stores one.
    pub checksum: Option<Checksum>,
    /// Whether the object is archived, so that it has to be restored before it can be read.
    #[serde(default)]
    pub archived: bool,
    /// The headers of the object, which a promotion keeps.
    pub attributes: Attributes,
}

/// The headers of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Content-Type.
    pub content_type: Option<String>,
    /// Cache-Control.
    pub cache_control: Option<String>,
    /// Content-Disposition.
    pub content_disposition: Option<String>,
    /// Content-Encoding. S3 does not keep the `aws-chunked` of an upload (S3 API Reference, SigV4 streaming).
    pub content_encoding: Option<String>,
    /// Content-Language.
    pub content_language: Option<String>,
    /// Expires, as text.
    pub expires: Option<String>,
    /// x-amz-website-redirect-location.
    pub website_redirect: Option<String>,
    /// x-amz-meta-*, without that prefix.
    pub metadata: BTreeMap<String, String>,
}

/// The encryption of objects that are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encryption {
    /// The KMS key for SSE-KMS with a bucket key; otherwise the bucket's default encryption applies.
    pub kms_key: Option<KmsKeyArn>,
}

impl Encryption {
    /// Whether a copy's ETag does not depend on its bytes: with SSE-KMS, the ETag is not an MD5.
    pub fn changes_etags(&self) -> bool {
        self.kms_key.is_some()
    }
}

/// The source of a server-side copy. The copy fails if the object's ETag has changed.
#[derive(Debug, Clone, Copy)]
pub struct CopySource<'a> {
    /// The object.
    pub location: &'a Location,
    /// The expected ETag.
    pub if_match: &'a ETag,
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The ETag of the new object.
    pub etag: ETag,
    /// The checksum of the whole object, if S3 returns it.
    pub checksum: Option<Checksum>,
}

/// The ID of an unfinished multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UploadId(pub(super) String);

impl UploadId {
    /// The upload with this ID.
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An uploaded part of a multipart upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The part number, from 1 to 10,000.
    pub number: i32,
    /// The ETag of the part.
    pub etag: ETag,
    /// The checksum of the part, if S3 returns it.
    pub checksum: Option<Checksum>,
}

/// A part, as ListParts returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// The part.
    pub part: Part,
    /// The size in bytes.
    pub bytes: u64,
}

/// An unfinished multipart upload, as ListMultipartUploads returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key of the object.
    pub key: String,
    /// The upload.
    pub id: UploadId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_the_same_with_and_without_quotes() {
        assert_eq!(ETag::new("\"abc\""), ETag::new("abc"));
        assert_eq!(ETag::new("abc").quoted(), "\"abc\"");
    }

    #[test]
    fn only_32_hexadecimal_digits_look_like_an_md5() {
        assert!(ETag::new("d41d8cd98f00b204e9800998ecf8427e").is_md5());
        assert!(!ETag::new("d41d8cd98f00b204e9800998ecf8427e-2").is_md5());
        assert!(!ETag::new("z41d8cd98f00b204e9800998ecf8427e").is_md5());
    }
}
