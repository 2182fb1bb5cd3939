//! Reads, writes and copies objects of the target account. Never overwrites an object, except a page of `promote status`.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_s3::types::{AnnotationDirective, MetadataDirective, TaggingDirective};
use aws_smithy_types::DateTime;
use aws_smithy_types::timeout::TimeoutConfig;
use bytes::Bytes;

use crate::aws::error::{CallError, Caller};
use crate::aws::objects::body::Body;
use crate::aws::objects::checksum::{Algorithm, Checksum, checksum_of, with_checksum};
use crate::aws::objects::contents::Contents;
use crate::aws::objects::encoding::copy_source;
use crate::aws::objects::headers::{BucketHeaders, WriteHeaders};
use crate::aws::objects::pages::Pages;
use crate::aws::objects::reader::{ObjectReader, absent_is_none, is_absent};
use crate::aws::objects::types::{Attributes, CopySource, ETag, Encryption, Head, Listed, Written};
use crate::aws::resource::Resource;
use crate::model::location::{BucketName, Location};
use crate::store::Spooled;

/// S3 with the target's credentials. Clones share the clients.
#[derive(Debug, Clone)]
pub struct TargetObjects {
    pub(super) reader: ObjectReader,
    /// The clients for calls that move bytes, one for each of [`PATIENCE`]. Such calls respond when they are done.
    movers: [Client; PATIENCE.len()],
    config: Builder,
}

/// Sets the object's headers and encryption on a call that creates an object.
macro_rules! described {
    ($call:expr, $attributes:expr, $encryption:expr) => {{
        let (attributes, encryption): (Option<&Attributes>, &Encryption) = ($attributes, $encryption);
        let given = attributes.cloned().unwrap_or_default();
        let key = encryption.kms_key.as_ref().map(|key| key.to_string());
        let expires = given.expires;
        $call
            .set_content_type(given.content_type)
            .set_cache_control(given.cache_control)
            .set_content_disposition(given.content_disposition)
            .set_content_encoding(given.content_encoding)
            .set_content_language(given.content_language)
            .set_website_redirect_location(given.website_redirect)
            .set_metadata(attributes.map(|_| given.metadata.into_iter().collect()))
            .set_server_side_encryption(key.as_ref().map(|_| aws_sdk_s3::types::ServerSideEncryption::AwsKms))
            .set_bucket_key_enabled(key.as_ref().map(|_| true))
            .set_ssekms_key_id(key)
            .customize()
            // The SDK's type of Expires is a date, but the source object may have any text.
            .mutate_request(move |request| {
                if let Some(expires) = &expires {
                    request.headers_mut().insert("expires", expires.clone());
                }
            })
    }};
}
pub(super) use described;

impl TargetObjects {
    pub(in crate::aws) fn new(config: Builder, caller: Arc<Caller>, headers: BucketHeaders) -> Self {
        let config = config.interceptor(headers.clone());
        let movers = PATIENCE.map(|(_, limit)| until_done(&config, limit));
        Self { reader: ObjectReader::new(config.clone(), caller, headers), movers, config }
    }

    /// The headers of objects that are written.
    pub fn writes(&self) -> &WriteHeaders {
        self.reader.headers.writes()
    }

    /// The same client, with the timeouts of calls that move bytes multiplied by a factor.
    pub fn with_patience(&self, times: f64) -> Self {
        let movers = PATIENCE.map(|(_, limit)| until_done(&self.config, limit.mul_f64(times)));
        Self { movers, ..self.clone() }
    }

    /// The metadata of the object. A missing object is an error of the kind NotFound.
    pub async fn head(&self, at: &Location) -> Result<Head, CallError> {
        self.reader.head(at).await
    }

    /// The objects under a prefix, page by page, in no particular order.
    pub fn list(&self, bucket: &BucketName, prefix: &str) -> Pages {
        self.reader.list(bucket, prefix)
    }

    /// All keys that begin with `prefix`, if one page of the listing has them; otherwise nothing.
    pub async fn list_in_one_page(&self, bucket: &BucketName, prefix: &str) -> Result<Option<Vec<Listed>>, CallError> {
        self.list(bucket, prefix).only_page().await
    }

    /// The folders directly below a prefix that ends in `/`, each with its final slash.
    pub async fn folders(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<String>, CallError> {
        self.reader.folders(bucket, prefix).await
    }

    /// The whole object and its ETag, or nothing if it does not exist. An object that is longer than `limit` bytes is
    /// an error.
    pub async fn read(&self, at: &Location, limit: u64) -> Result<Option<(Bytes, ETag)>, CallError> {
        absent_is_none(self.reader.read(at, limit).await)
    }

    /// The whole object and its age according to S3, or nothing if it does not exist. Nothing is read of an object that is
    /// longer than `limit` bytes.
    pub async fn read_with_age(
        &self,
        at: &Location,
        limit: u64,
    ) -> Result<Option<(Option<Bytes>, Duration)>, CallError> {
        absent_is_none(self.reader.read_with_age(at, limit).await)
    }

    /// The whole object of any size and when it was written by the clock of S3, or nothing if it does not exist.
    ///
    /// # Errors
    /// The object cannot be read, or the temporary folder cannot be written.
    pub async fn read_all(&self, at: &Location) -> anyhow::Result<Option<(Spooled, Option<DateTime>)>> {
        let read = self.reader.read_all(at).await;
        match read {
            Err(error) if error.downcast_ref().is_some_and(is_absent) => Ok(None),
            read => read.map(Some),
        }
    }

    /// The bytes of a range of a non-empty object. PreconditionFailed if the ETag differs.
    pub async fn get(&self, at: &Location, range: Range<u64>, if_match: &ETag) -> Result<Body, CallError> {
        self.reader.get(at, range, if_match).await
    }

    /// Writes an object with one request. PreconditionFailed if the object exists.
    ///
    /// S3 verifies the bytes with `checksum`. That is the source object's checksum if it is known, so that the bytes
    /// are verified end to end; otherwise the SDK computes a CRC64NVME.
    pub async fn put_new(
        &self,
        at: &Location,
        contents: impl Into<Contents>,
        attributes: &Attributes,
        encryption: &Encryption,
        checksum: Option<&Checksum>,
    ) -> Result<Written, CallError> {
        const CALL: &str = "s3:PutObject";
        let contents = contents.into();
        let call = self.for_contents(&contents).put_object().bucket(at.bucket.as_str()).key(&at.key);
        let call = call.body(contents.body).if_none_match("*");
        let call = match checksum {
            Some(_) => with_checksum!(call, checksum),
            None => call.checksum_algorithm(Algorithm::default().sdk()),
        };
        // The checksum verifies the bytes, so the signature does not need their SHA-256 as well.
        let call = described!(call, Some(attributes), encryption).disable_payload_signing();
        let answer = call.send().await;
        let resource = Resource::New { at, key: encryption.kms_key.as_ref() };
        let answer = answer.map_err(|error| self.reader.caller.error(CALL, &resource, error))?;
        self.written(CALL, at, answer.e_tag(), checksum_of!(answer))
    }

    /// Writes an object with one request, also if it exists. Only for what can be made again from other objects.
    pub async fn replace(
        &self,
        at: &Location,
        bytes: Vec<u8>,
        attributes: &Attributes,
        encryption: &Encryption,
    ) -> Result<(), CallError> {
        const CALL: &str = "s3:PutObject";
        let call = self.for_bytes(bytes.len() as u64).put_object().bucket(at.bucket.as_str()).key(&at.key);
        let call = call.body(bytes.into()).checksum_algorithm(Algorithm::default().sdk());
        let answer = described!(call, Some(attributes), encryption).send().await;
        answer.map(drop).map_err(|error| self.reader.caller.error(CALL, &Resource::Page(at), error))
    }

    /// Deletes an object. Succeeds if the object does not exist.
    pub async fn delete(&self, at: &Location) -> Result<(), CallError> {
        let call = self.reader.client.delete_object().bucket(at.bucket.as_str()).key(&at.key);
        call.send().await.map(drop).map_err(|error| self.error("s3:DeleteObject", at, error))
    }

    /// Copies an object of up to 5 GiB within S3. PreconditionFailed if the target object exists.
    ///
    /// The copy has a checksum of `algorithm`, otherwise of the source object's algorithm (CopyObject).
    ///
    /// `attributes` replace the source object's attributes. Tags and annotations are not copied: that would take
    /// s3:GetObjectTagging and s3:GetObjectAnnotation in the source account, and copies in parts have neither.
    pub async fn copy(
        &self,
        source: CopySource<'_>,
        (at, bytes): (&Location, u64),
        attributes: Option<&Attributes>,
        encryption: &Encryption,
        algorithm: Option<Algorithm>,
    ) -> Result<Written, CallError> {
        const CALL: &str = "s3:CopyObject";
        let key = encryption.kms_key.as_ref();
        let resource = Resource::Copy { source: source.location, target: at, key };
        let call = self.for_bytes(bytes).copy_object().bucket(at.bucket.as_str()).key(&at.key).if_none_match("*");
        let call = call.copy_source(copy_source(source.location)).copy_source_if_match(source.if_match.quoted());
        let directive = if attributes.is_some() { MetadataDirective::Replace } else { MetadataDirective::Copy };
        let call = call.metadata_directive(directive).tagging_directive(TaggingDirective::Replace);
        let call = call.annotation_directive(AnnotationDirective::Exclude);
        let call = call.set_checksum_algorithm(algorithm.map(Algorithm::sdk));
        let answer = described!(call, attributes, encryption).send().await;
        let answer = answer.map_err(|error| self.reader.caller.error(CALL, &resource, error))?;
        let result = answer.copy_object_result();
        self.written(CALL, at, result.and_then(|r| r.e_tag()), result.and_then(|r| checksum_of!(r)))
    }

    pub(super) fn for_bytes(&self, bytes: u64) -> &Client {
        let fitting = PATIENCE.iter().position(|(most, _)| bytes <= *most).unwrap_or(PATIENCE.len() - 1);
        &self.movers[fitting]
    }

    /// The client for streamed bytes, which take as long as their download and are watched there.
    pub(super) fn for_contents(&self, contents: &Contents) -> &Client {
        self.for_bytes(if contents.passing { contents.length.max(PASSING) } else { contents.length })
    }

    pub(super) fn error<E>(
        &self,
        call: &'static str,
        at: &Location,
        error: aws_sdk_s3::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    ) -> CallError
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.reader.caller.error(call, &Resource::Object(at), error)
    }

    /// Checks that a response has an ETag. S3 may respond with 200 before it is done, and then fail.
    pub(super) fn written(
        &self,
        call: &'static str,
        at: &Location,
        etag: Option<&str>,
        checksum: Option<Checksum>,
    ) -> Result<Written, CallError> {
        let etag = etag.filter(|etag| !etag.is_empty()).map(ETag::new);
        let etag =
            etag.ok_or_else(|| self.reader.caller.unusable(call, &Resource::Object(at), "the response has no ETag"))?;
        Ok(Written { etag, checksum })
    }
}

/// The timeouts of calls that move up to these numbers of bytes. They end calls on dead connections: S3 copies 5 GiB
/// within minutes, and each of several concurrent uploads has more than 170 KB/s.
const PATIENCE: [(u64, Duration); 3] = [
    (16 << 20, Duration::from_secs(100)),
    (1 << 30, Duration::from_secs(10 * 60)),
    (5 << 30, Duration::from_secs(30 * 60)),
];

/// Streamed bytes have at least the timeout of this number of bytes.
const PASSING: u64 = 1 << 30;

/// A client without a timeout for the first byte, and for the white space that S3 sends while it copies. An upload that
/// stalls still fails.
fn until_done(config: &Builder, limit: Duration) -> Client {
    let connect = crate::aws::timeouts::CONNECT;
    let time =
        TimeoutConfig::builder().connect_timeout(connect).disable_read_timeout().operation_attempt_timeout(limit);
    let stalls = StalledStreamProtectionConfig::enabled().download_enabled(false);
    let config = config.clone().timeout_config(time.build()).stalled_stream_protection(stalls.build());
    Client::from_conf(config.build())
}
