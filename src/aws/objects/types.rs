//! What S3 knows about an object, in types of our own.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::arn::KmsKeyArn;
use crate::model::location::Location;

/// An entity tag without its quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// The tag of a header or a listing, which has quotes; without them it is taken as it is.
    pub fn new(text: &str) -> Self {
        Self(text.trim_matches('"').to_owned())
    }

    /// The tag without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the tag has the form of an MD5 of the object's bytes. It is one only for an object that was
    /// put in one piece and is not encrypted with SSE-KMS or SSE-C.
    pub fn is_md5(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The tag as a condition's header wants it.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
}

/// What HEAD tells about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The size in bytes.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// The CRC64NVME of the whole object in base64, when S3 stores one.
    pub crc64nvme: Option<String>,
    /// The headers that belong to the object and survive a promotion.
    pub attributes: Attributes,
}

/// The headers that belong to an object.
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
    /// Expires, as it was written.
    pub expires: Option<String>,
    /// x-amz-website-redirect-location.
    pub website_redirect: Option<String>,
    /// x-amz-meta-*, without that prefix.
    pub metadata: BTreeMap<String, String>,
}

/// How what is written is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encryption {
    /// SSE-KMS with this key and a bucket key; without one, the bucket's own default applies.
    pub kms_key: Option<KmsKeyArn>,
}

impl Encryption {
    /// Whether a copy's ETag says nothing about its bytes: with SSE-KMS it is no MD5.
    pub fn changes_etags(&self) -> bool {
        self.kms_key.is_some()
    }
}

/// What a server-side copy reads: it fails when the object is no longer the one that was looked at.
#[derive(Debug, Clone, Copy)]
pub struct CopySource<'a> {
    /// The object.
    pub location: &'a Location,
    /// The tag that it had.
    pub if_match: &'a ETag,
}

/// What a write answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The new object's tag.
    pub etag: ETag,
    /// The CRC64NVME of the whole object in base64, when S3 tells it.
    pub crc64nvme: Option<String>,
}

/// The name of an unfinished multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UploadId(pub(super) String);

impl UploadId {
    /// The upload of this id.
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a multipart upload that S3 has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 1 to 10,000.
    pub number: i32,
    /// The part's tag.
    pub etag: ETag,
    /// The CRC64NVME of the part in base64, when S3 tells it.
    pub crc64nvme: Option<String>,
}

/// A part as ListParts shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// The part.
    pub part: Part,
    /// Its size.
    pub bytes: u64,
}

/// An unfinished multipart upload as ListMultipartUploads shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key that it will become.
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
