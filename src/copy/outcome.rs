//! The result of copying one artifact.

use serde::{Deserialize, Serialize};

use crate::aws::objects::Checksum;

/// Whether an artifact was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// This run copied it.
    Copied,
    /// An earlier run copied it, and this run has compared it.
    AlreadyThere,
    /// An earlier run copied it, as its record says. This run has not looked at it.
    Recorded,
    /// A dry run would copy the artifact.
    Planned,
}

/// How a copy was verified: the compared property. First and later runs use the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// Both objects were read again, and every byte is equal.
    Bytes,
    /// The checksum of the full objects is equal.
    Checksum,
    /// The ETag is equal: the MD5 of the object, or of the same parts.
    Etag,
    /// Only the size is equal, and S3 copied the object conditionally on the ETag of the source.
    Size,
}

/// The result of copying or comparing an artifact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    /// Whether the artifact was copied.
    pub outcome: Outcome,
    /// How the copy was verified. `None` if it is not at the target.
    pub verified: Option<Verified>,
    /// The ETag of the target object.
    pub etag: Option<String>,
    /// The checksum of the full object, if S3 returned it.
    pub checksum: Option<Checksum>,
}

impl Done {
    /// The result of a dry run for an artifact that is not at the target.
    pub(super) fn planned() -> Self {
        Self { outcome: Outcome::Planned, verified: None, etag: None, checksum: None }
    }
}
