//! Requests that S3 refuses after it has checked the caller's permission, so that they change nothing.

use super::client::TargetObjects;
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::types::UploadId;
use crate::model::location::{BucketName, Location};

/// An ETag and an upload ID that do not exist.
const NOTHING: &str = "promote-doctor";

impl TargetObjects {
    /// Deletes an object that does not exist, with `If-Match: *`: S3 answers 404 or 412 and writes no delete marker
    /// (S3 User Guide, "How to perform conditional deletes").
    pub async fn probe_delete(&self, absent: &Location) -> Result<(), CallError> {
        let answer = self.reader.call(&absent.bucket, |client| async move {
            let call = client.delete_object().bucket(absent.bucket.as_str()).key(&absent.key).if_match("*");
            call.send().await.map(drop).map_err(|error| self.error("s3:DeleteObject", absent, error))
        });
        permitted(answer.await)
    }

    /// Writes an object that does not exist, with an `If-Match` that no object meets: S3 answers 404 or 412 (S3 User
    /// Guide, "How to prevent object overwrites with conditional writes").
    pub async fn probe_put(&self, absent: &Location) -> Result<(), CallError> {
        let answer = self.reader.call(&absent.bucket, |client| async move {
            let call = client.put_object().bucket(absent.bucket.as_str()).key(&absent.key);
            let call = call.if_match(format!("\"{NOTHING}\""));
            call.send().await.map(drop).map_err(|error| self.error("s3:PutObject", absent, error))
        });
        permitted(answer.await)
    }

    /// ListParts of an upload that does not exist.
    pub async fn probe_parts(&self, at: &Location) -> Result<(), CallError> {
        permitted(self.list_parts(at, &UploadId::new(NOTHING)).await.map(drop))
    }

    /// AbortMultipartUpload of an upload that does not exist.
    pub async fn probe_abort(&self, at: &Location) -> Result<(), CallError> {
        self.abort(at, &UploadId::new(NOTHING)).await
    }

    /// The policy of a bucket; nothing if it has none.
    pub async fn bucket_policy(&self, bucket: &BucketName) -> Result<Option<String>, CallError> {
        self.reader.bucket_policy(bucket).await
    }
}

/// The caller has the permission if S3 has looked for the object or the upload.
fn permitted(answer: Result<(), CallError>) -> Result<(), CallError> {
    match answer {
        Err(error)
            if matches!(error.kind, Kind::NotFound | Kind::NoSuchUpload | Kind::PreconditionFailed)
                && error.code.as_deref() != Some("NoSuchBucket") =>
        {
            Ok(())
        }
        answer => answer,
    }
}
