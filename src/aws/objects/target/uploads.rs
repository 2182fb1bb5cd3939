//! Multipart uploads to the target account.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use aws_sdk_s3::types::{ChecksumType, CompletedMultipartUpload, CompletedPart, EncodingType};

use super::client::{TargetObjects, described};
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::checksum::{Algorithm, Checksum, checksum_of, with_checksum};
use crate::aws::objects::contents::Contents;
use crate::aws::objects::encoding::{byte_range, copy_source, listed};
use crate::aws::objects::types::{
    Attributes, CopySource, ETag, Encryption, Part, StoredPart, Upload, UploadId, Written,
};
use crate::aws::resource::Resource;
use crate::model::location::{BucketName, Location};

/// Completing an upload takes S3 up to minutes. It has the timeout of copying this number of bytes.
const COMPLETION: u64 = 1 << 30;

impl TargetObjects {
    /// Starts an upload whose object will have a checksum of `algorithm`. Also returns the number of attempts, because each
    /// attempt of the SDK may have started an upload.
    pub async fn create_upload(
        &self,
        at: &Location,
        attributes: &Attributes,
        encryption: &Encryption,
        algorithm: Algorithm,
    ) -> (Result<UploadId, CallError>, u32) {
        const CALL: &str = "s3:CreateMultipartUpload";
        let attempts = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&attempts);
        let call = self.reader.client.create_multipart_upload().bucket(at.bucket.as_str()).key(&at.key);
        let call = call.checksum_algorithm(algorithm.sdk()).checksum_type(ChecksumType::FullObject);
        let call = described!(call, Some(attributes), encryption).mutate_request(move |_| {
            count.fetch_add(1, Relaxed);
        });
        let resource = Resource::New { at, key: encryption.kms_key.as_ref() };
        let created = call.send().await.map_err(|error| self.reader.caller.error(CALL, &resource, error));
        let created = created.and_then(|answer| {
            let id = answer.upload_id().filter(|id| !id.is_empty()).map(|id| UploadId(id.to_owned()));
            id.ok_or_else(|| self.reader.caller.unusable(CALL, &Resource::Object(at), "the response has no upload id"))
        });
        (created, attempts.load(Relaxed))
    }

    /// Copies a range of the source, which has `size` bytes, within S3 into part `number`. S3 copies ranges of objects
    /// above 5 MB only (UploadPartCopy), so the whole object has no range.
    pub async fn upload_part_copy(
        &self,
        at: &Location,
        upload: &UploadId,
        number: i32,
        source: CopySource<'_>,
        (range, size): (Range<u64>, u64),
    ) -> Result<Part, CallError> {
        const CALL: &str = "s3:UploadPartCopy";
        let resource = Resource::Copy { source: source.location, target: at, key: None };
        let call = self.for_bytes(range.end - range.start).upload_part_copy().bucket(at.bucket.as_str()).key(&at.key);
        let call = call.upload_id(upload.as_str()).part_number(number);
        let call = call.copy_source(copy_source(source.location)).copy_source_if_match(source.if_match.quoted());
        let part = (range != (0..size)).then(|| byte_range(&range));
        let answer = call.set_copy_source_range(part).send().await;
        let answer = answer.map_err(|error| self.reader.caller.error(CALL, &resource, error))?;
        let result = answer.copy_part_result();
        let written = self.written(CALL, at, result.and_then(|r| r.e_tag()), result.and_then(|r| checksum_of!(r)))?;
        Ok(Part { number, etag: written.etag, checksum: written.checksum })
    }

    /// Uploads part `number`. S3 verifies the part with the checksum that the SDK computes while it sends. The algorithm is
    /// that of the upload.
    pub async fn upload_part(
        &self,
        at: &Location,
        upload: &UploadId,
        number: i32,
        contents: impl Into<Contents>,
        algorithm: Algorithm,
    ) -> Result<Part, CallError> {
        const CALL: &str = "s3:UploadPart";
        let contents = contents.into();
        let call = self.for_contents(&contents).upload_part().bucket(at.bucket.as_str()).key(&at.key);
        let call = call.upload_id(upload.as_str()).part_number(number).body(contents.body);
        let call = call.checksum_algorithm(algorithm.sdk());
        // As in `put`: the checksum verifies the bytes.
        let answer = call.customize().disable_payload_signing().send().await;
        let answer = answer.map_err(|error| self.error(CALL, at, error))?;
        let written = self.written(CALL, at, answer.e_tag(), checksum_of!(answer))?;
        Ok(Part { number, etag: written.etag, checksum: written.checksum })
    }

    /// Completes the upload. PreconditionFailed if the object exists. S3 rejects an object whose size or checksum differs
    /// from the given values.
    pub async fn complete(
        &self,
        at: &Location,
        upload: &UploadId,
        parts: &[Part],
        (size, checksum): (u64, Option<&Checksum>),
    ) -> Result<Written, CallError> {
        const CALL: &str = "s3:CompleteMultipartUpload";
        let mut parts: Vec<CompletedPart> = parts.iter().map(completed).collect();
        parts.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let call = self.for_bytes(COMPLETION).complete_multipart_upload().bucket(at.bucket.as_str()).key(&at.key);
        let call = call.upload_id(upload.as_str()).multipart_upload(parts.build()).if_none_match("*");
        let call = call.checksum_type(ChecksumType::FullObject);
        let call = with_checksum!(call, checksum);
        let answer = call.set_mpu_object_size(i64::try_from(size).ok()).send().await;
        let answer = answer.map_err(|error| self.error(CALL, at, error))?;
        self.written(CALL, at, answer.e_tag(), checksum_of!(answer))
    }

    /// The parts of an unfinished upload.
    pub async fn list_parts(&self, at: &Location, upload: &UploadId) -> Result<Vec<StoredPart>, CallError> {
        const CALL: &str = "s3:ListParts";
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reader.client.list_parts().bucket(at.bucket.as_str()).key(&at.key);
            let call = call.upload_id(upload.as_str()).set_part_number_marker(marker.clone());
            let answer = call.send().await.map_err(|error| self.error(CALL, at, error))?;
            for part in answer.parts() {
                let size = part.size().and_then(|size| u64::try_from(size).ok());
                let facts = part.part_number().zip(part.e_tag()).zip(size);
                let unusable = || self.reader.caller.unusable(CALL, &Resource::Object(at), "a part has no number");
                let ((number, etag), bytes) = facts.ok_or_else(unusable)?;
                let checksum = checksum_of!(part);
                found.push(StoredPart { part: Part { number, etag: ETag::new(etag), checksum }, bytes });
            }
            let next = answer.next_part_number_marker().map(str::to_owned);
            if answer.is_truncated() != Some(true) {
                return Ok(found);
            }
            if next.is_none() || next == marker {
                return Err(self.reader.caller.unusable(CALL, &Resource::Object(at), "the list's marker repeats"));
            }
            marker = next;
        }
    }

    /// Aborts the upload. Succeeds if the upload does not exist.
    pub async fn abort(&self, at: &Location, upload: &UploadId) -> Result<(), CallError> {
        let call = self.reader.client.abort_multipart_upload().bucket(at.bucket.as_str()).key(&at.key);
        let answer = call.upload_id(upload.as_str()).send().await;
        match answer.map_err(|error| self.error("s3:AbortMultipartUpload", at, error)) {
            Err(error) if error.kind != Kind::NoSuchUpload => Err(error),
            _ => Ok(()),
        }
    }

    /// The unfinished uploads of all principals under a prefix.
    pub async fn list_uploads(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<Upload>, CallError> {
        const CALL: &str = "s3:ListMultipartUploads";
        let mut found = Vec::new();
        let mut marker: (Option<String>, Option<String>) = (None, None);
        loop {
            let call = self.reader.client.list_multipart_uploads().bucket(bucket.as_str()).prefix(prefix);
            let call = call.encoding_type(EncodingType::Url);
            let call = call.set_key_marker(marker.0.clone()).set_upload_id_marker(marker.1.clone());
            let answer = call.send().await.map_err(|e| self.reader.caller.error(CALL, &Resource::Bucket(bucket), e))?;
            let decoded = |key: &str| listed(key, answer.encoding_type()).into_owned();
            found.extend(answer.uploads().iter().filter_map(|upload| {
                let key = upload.key().map(decoded).filter(|key| key.starts_with(prefix))?;
                Some(Upload { key, id: UploadId(upload.upload_id()?.to_owned()) })
            }));
            if answer.is_truncated() != Some(true) {
                return Ok(found);
            }
            let next = (answer.next_key_marker().map(decoded), answer.next_upload_id_marker().map(str::to_owned));
            if next == marker || next.0.is_none() {
                return Err(self.reader.caller.unusable(CALL, &Resource::Bucket(bucket), "the list's marker repeats"));
            }
            marker = next;
        }
    }
}

fn completed(part: &Part) -> CompletedPart {
    let completed = CompletedPart::builder().part_number(part.number).e_tag(part.etag.quoted());
    with_checksum!(completed, part.checksum.as_ref()).build()
}
