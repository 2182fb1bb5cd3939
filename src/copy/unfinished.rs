//! What an unfinished multipart upload is a copy of. S3 says nothing about an upload but its key and its parts, so a
//! small JSON object beside the artifacts does: a later run continues an upload only if it would begin the very same.

use anyhow::Result;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Attributes, ETag, Encryption, TargetObjects, UploadId};
use crate::model::arn::KmsKeyArn;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::package::sha256;

/// The largest state that is read; user metadata has 2 KiB, a key 1 KiB.
const MAX_STATE_BYTES: u64 = 64 << 10;

/// What an upload is a copy of, and how it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UploadOf {
    pub source: Location,
    pub source_etag: ETag,
    pub bytes: u64,
    pub part_size: u64,
    pub target: Location,
    pub headers: Attributes,
    pub kms_key: Option<KmsKeyArn>,
}

/// The object that tells of an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UploadState {
    pub upload_id: String,
    #[serde(flatten)]
    pub of: UploadOf,
}

impl UploadState {
    /// Where the state of an upload lies. Upload ids are not made for keys, so their hash is.
    pub fn location(layout: &Layout, id: &UploadId) -> Location {
        let Location { bucket, key } = layout.unfinished();
        Location::new(&bucket, format!("{key}{}.json", sha256(id.as_str())))
    }

    /// Reads a state; nothing when it is gone by now, or is no state.
    pub async fn read(target: &TargetObjects, at: &Location) -> Result<Option<Self>, CallError> {
        let text = target.read(at, MAX_STATE_BYTES).await?;
        Ok(text.and_then(|(text, _)| serde_json::from_slice(&text).ok()))
    }

    /// Writes the state of an upload that was begun.
    pub async fn write(&self, target: &TargetObjects, at: &Location, encryption: &Encryption) -> Result<()> {
        let text = Bytes::from(serde_json::to_vec_pretty(self)?);
        let attributes = Attributes { content_type: Some("application/json".into()), ..Attributes::default() };
        match target.put_new(at, text, &attributes, encryption, None).await {
            Err(error) if error.kind != Kind::PreconditionFailed => Err(error.into()),
            _ => Ok(()),
        }
    }
}
