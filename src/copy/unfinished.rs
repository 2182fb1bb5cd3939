//! The state of unfinished multipart uploads. S3 does not store the source of an upload, so a small JSON object does. A
//! later run resumes an upload only if source, headers, part size and encryption are the same.

use anyhow::Result;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Algorithm, Attributes, ETag, Encryption, TargetObjects, UploadId, WriteHeaders};
use crate::model::arn::KmsKeyArn;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::package::sha256;

/// The size limit of states, in bytes. User metadata has at most 2 KiB, a key at most 1 KiB.
const MAX_STATE_BYTES: u64 = 64 << 10;

/// The source and the settings of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UploadOf {
    pub source: Location,
    pub source_etag: ETag,
    pub bytes: u64,
    pub part_size: u64,
    pub target: Location,
    pub headers: Attributes,
    pub kms_key: Option<KmsKeyArn>,
    #[serde(default)]
    pub writes: WriteHeaders,
    pub algorithm: Algorithm,
}

/// The state of an upload, stored as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UploadState {
    pub upload_id: String,
    #[serde(flatten)]
    pub of: UploadOf,
}

impl UploadState {
    /// The location of the state of an upload. The key contains a hash, because upload IDs may be too long for a key.
    pub fn location(layout: &Layout, id: &UploadId) -> Location {
        let Location { bucket, key } = layout.unfinished();
        Location::new(&bucket, format!("{key}{}.json", sha256(id.as_str())))
    }

    /// Reads a state. Returns `None` if it no longer exists or cannot be parsed.
    pub async fn read(target: &TargetObjects, at: &Location) -> Result<Option<Self>, CallError> {
        let text = target.read(at, MAX_STATE_BYTES).await?;
        Ok(text.and_then(|(text, _)| serde_json::from_slice(&text).ok()))
    }

    /// Writes the state of a new upload. A state that exists already is kept.
    pub async fn write(&self, target: &TargetObjects, at: &Location, encryption: &Encryption) -> Result<()> {
        let text = Bytes::from(serde_json::to_vec_pretty(self)?);
        let attributes = Attributes { content_type: Some("application/json".into()), ..Attributes::default() };
        match target.put_new(at, text, &attributes, encryption, None).await {
            Err(error) if error.kind != Kind::PreconditionFailed => Err(error.into()),
            _ => Ok(()),
        }
    }
}
