//! What became of one artifact.

use serde::{Deserialize, Serialize};

/// How an artifact came to be at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// This run copied it.
    Copied,
    /// It was there, from an earlier run.
    AlreadyThere,
    /// A dry run would copy it.
    Planned,
}

/// How a copy was verified: by what was compared, on the first run and on every later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// Both were read again, and every byte is equal.
    Bytes,
    /// A checksum over all bytes (CRC64NVME) is equal.
    Checksum,
    /// The ETag is equal: the MD5 of the bytes, or of the same parts.
    Etag,
    /// The size is equal, and the copy was made from the source's ETag: the weakest kind.
    Size,
}

/// What became of an artifact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    /// How it came to be there.
    pub outcome: Outcome,
    /// How it was verified; nothing in a dry run.
    pub verified: Option<Verified>,
    /// The ETag at the target.
    pub etag: Option<String>,
    /// The CRC64NVME of the whole object, in base64, where S3 has told it.
    pub crc64nvme: Option<String>,
}

impl Done {
    /// What a dry run says of an artifact that is not at the target.
    pub(super) fn planned() -> Self {
        Self { outcome: Outcome::Planned, verified: None, etag: None, crc64nvme: None }
    }
}
