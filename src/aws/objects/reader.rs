//! Reads from S3, for both accounts.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, Region};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder as GetObject;
use aws_sdk_s3::operation::head_bucket::builders::HeadBucketFluentBuilder as HeadBucket;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_types::DateTime;
use bytes::Bytes;
use futures_util::StreamExt;

use super::body::{Body, GET};
use super::checksum::checksum_of;
use super::encoding::byte_range;
use super::headers::BucketHeaders;
use super::storage::is_archived;
use super::types::{Attributes, ETag, Head};
use crate::aws::error::{CallError, Caller, Kind};
use crate::aws::resource::Resource;
use crate::aws::response_time::ResponseTime;
use crate::model::location::{BucketName, Location};
use crate::store::{Spooled, Spooling};

/// The metadata of an object. HeadObject and GetObject return it in two types.
macro_rules! head_of {
    ($answer:expr) => {{
        let answer = &$answer;
        let text = |text: Option<&str>| text.map(str::to_owned);
        let size = answer.content_length().and_then(|size| u64::try_from(size).ok());
        size.zip(answer.e_tag()).map(|(size, etag)| Head {
            size,
            etag: ETag::new(etag),
            checksum: checksum_of!(answer),
            archived: is_archived(answer.storage_class(), answer.restore()),
            attributes: Attributes {
                content_type: text(answer.content_type()),
                cache_control: text(answer.cache_control()),
                content_disposition: text(answer.content_disposition()),
                // Until November 2024, S3 stored an empty encoding for chunked uploads (aws-sdk-kotlin issue 1358).
                content_encoding: text(answer.content_encoding().filter(|encoding| !encoding.is_empty())),
                content_language: text(answer.content_language()),
                expires: text(answer.expires_string()),
                website_redirect: text(answer.website_redirect_location()),
                metadata: answer.metadata().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
            },
        })
    }};
}

/// Reads from S3 with the credentials of one account. Clones share one client.
#[derive(Debug, Clone)]
pub struct ObjectReader {
    pub(super) client: Client,
    pub(super) caller: Arc<Caller>,
    /// Clients for buckets in other regions, if buckets are followed there.
    elsewhere: Option<Arc<Elsewhere>>,
    /// The headers of all requests. They name the expected owner of the buckets, if there is one.
    pub(super) headers: BucketHeaders,
}

/// The clients for buckets in other regions.
#[derive(Debug)]
struct Elsewhere {
    config: Builder,
    clients: Mutex<HashMap<BucketName, Client>>,
}

impl ObjectReader {
    /// A reader of buckets in the region of its configuration, which has the headers.
    pub(super) fn new(config: Builder, caller: Arc<Caller>, headers: BucketHeaders) -> Self {
        Self { client: Client::from_conf(config.build()), caller, elsewhere: None, headers }
    }

    /// A reader that follows S3 to the region of a bucket.
    pub(in crate::aws) fn following(config: Builder, caller: Arc<Caller>, headers: BucketHeaders) -> Self {
        let config = config.interceptor(headers.clone());
        let elsewhere = Elsewhere { config: config.clone(), clients: Mutex::default() };
        Self { elsewhere: Some(elsewhere.into()), ..Self::new(config, caller, headers) }
    }

    /// Makes a call in the region of the bucket. S3 names the region if it differs.
    pub(super) async fn call<T, Answer: Future<Output = Result<T, CallError>>>(
        &self,
        bucket: &BucketName,
        call: impl Fn(Client) -> Answer,
    ) -> Result<T, CallError> {
        self.headers.complete().await?;
        self.call_of_any_owner(bucket, call).await
    }

    /// Makes a call that only lists, without waiting until it is known who has to own the bucket: STS is asked at the
    /// same time.
    pub(super) async fn call_of_any_owner<T, Answer: Future<Output = Result<T, CallError>>>(
        &self,
        bucket: &BucketName,
        call: impl Fn(Client) -> Answer,
    ) -> Result<T, CallError> {
        if let Some(client) = self.elsewhere.as_ref().and_then(|elsewhere| elsewhere.client(bucket)) {
            return call(client).await;
        }
        match (call(self.client.clone()).await, &self.elsewhere) {
            (Err(CallError { bucket_region: Some(region), .. }), Some(elsewhere)) => {
                call(elsewhere.follow(bucket, &region)).await
            }
            (Err(error), _) if error.kind == Kind::Denied => Err(self.with_owner(bucket, error).await),
            (answer, _) => answer,
        }
    }

    /// Finds out whether a call was denied because another account owns the bucket. S3 answers both with the same
    /// error.
    async fn with_owner(&self, bucket: &BucketName, error: CallError) -> CallError {
        let Ok(Some(owner)) = self.headers.complete().await.map(|()| self.headers.owner()) else { return error };
        let head = || self.client.head_bucket().bucket(bucket.as_str());
        let denied = |answer: Result<_, CallError>| answer.is_err_and(|error| error.kind == Kind::Denied);
        let resource = Resource::Bucket(bucket);
        let asked = async |call: HeadBucket| {
            let answer = call.send().await;
            answer.map(drop).map_err(|error| self.caller.error("s3:HeadBucket", &resource, error))
        };
        let (any, expected) = tokio::join!(asked(head()), asked(head().expected_bucket_owner(owner.as_str())));
        match (any, denied(expected)) {
            (Ok(()), true) => self.caller.not_the_owner(error, bucket, owner),
            (Err(_), true) => self.caller.maybe_not_the_owner(error, bucket, owner),
            _ => error,
        }
    }

    /// The metadata of the object. A missing object is an error of the kind NotFound.
    ///
    /// A failed HeadObject has no body, so it does not tell why: expired credentials, another region, a customer's key,
    /// a key of KMS. GetObject of one byte tells. If it succeeds, the cause has gone.
    pub async fn head(&self, at: &Location) -> Result<Head, CallError> {
        match self.head_once(at).await {
            Err(error) if error.code.is_none() && matches!(error.kind, Kind::Invalid | Kind::Denied) => {
                match self.get_object(at, |call| call.range(byte_range(&(0..1)))).await {
                    Ok(_) if error.kind == Kind::Invalid => self.head_once(at).await,
                    Err(reason) if says_why(&reason) => Err(reason),
                    _ => Err(error),
                }
            }
            answer => answer,
        }
    }

    async fn head_once(&self, at: &Location) -> Result<Head, CallError> {
        const CALL: &str = "s3:HeadObject";
        self.call(&at.bucket, |client| async move {
            let call = client.head_object().bucket(at.bucket.as_str()).key(&at.key);
            let answer = call.checksum_mode(ChecksumMode::Enabled).send().await;
            let answer = answer.map_err(|error| self.caller.error(CALL, &Resource::Object(at), error))?;
            let unusable = || self.caller.unusable(CALL, &Resource::Object(at), "the response has no size or ETag");
            // Intelligent-Tiering has archive tiers, which only HeadObject tells.
            let archived = answer.archive_status().is_some();
            let head = head_of!(answer).ok_or_else(unusable)?;
            Ok(Head { archived: head.archived || archived, ..head })
        })
        .await
    }

    /// The bytes of a range of a non-empty object. PreconditionFailed if the ETag differs. Ranges have no checksum: the
    /// caller verifies the checksum of the whole object.
    pub async fn get(&self, at: &Location, range: Range<u64>, if_match: &ETag) -> Result<Body, CallError> {
        let expected = range.end.saturating_sub(range.start);
        let answer = self.get_object(at, |call| call.if_match(if_match.quoted()).range(byte_range(&range))).await?;
        let (length, etag) = self.length_and_etag(at, &answer)?;
        if etag != *if_match {
            return Err(self.caller.changed(GET, &Resource::Object(at), if_match.as_str(), etag.as_str()));
        }
        self.expect(at, expected, length)?;
        Ok(Body::new(length, answer.body, at.clone(), self.caller.clone()))
    }

    /// The whole object with the metadata that [`ObjectReader::head`] returns. PreconditionFailed if the ETag or the length
    /// differs.
    pub async fn get_whole(&self, at: &Location, bytes: u64, if_match: &ETag) -> Result<(Head, Body), CallError> {
        let conditions = |call: GetObject| call.if_match(if_match.quoted()).checksum_mode(ChecksumMode::Enabled);
        let answer = self.get_object(at, conditions).await?;
        let head = head_of!(answer)
            .ok_or_else(|| self.caller.unusable(GET, &Resource::Object(at), "the response has no size or ETag"))?;
        if head.etag != *if_match {
            return Err(self.caller.changed(GET, &Resource::Object(at), if_match.as_str(), head.etag.as_str()));
        }
        self.expect(at, bytes, head.size)?;
        let body = Body::new(head.size, answer.body, at.clone(), self.caller.clone());
        Ok((head, body))
    }

    /// The whole object and its ETag. An object that is longer than `limit` bytes is an error.
    pub async fn read(&self, at: &Location, limit: u64) -> Result<(Bytes, ETag), CallError> {
        let answer = self.get_object(at, |call| call.checksum_mode(ChecksumMode::Enabled)).await?;
        self.bytes(at, answer, limit).await
    }

    async fn bytes(&self, at: &Location, answer: GetObjectOutput, limit: u64) -> Result<(Bytes, ETag), CallError> {
        let (length, etag) = self.length_and_etag(at, &answer)?;
        if length > limit {
            let message = format!("the object has {length} bytes, but at most {limit} can be read");
            return Err(self.caller.invalid(GET, &Resource::Object(at), message));
        }
        let mut bytes = Vec::new();
        let mut body = Body::new(length, answer.body, at.clone(), self.caller.clone());
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok((bytes.into(), etag))
    }

    /// The bytes, unless there are more than `limit`, and the age of the object by the clock of S3: the time of the
    /// response less the time of the object and the second that both are rounded by. Zero if S3 does not tell.
    pub async fn read_with_age(&self, at: &Location, limit: u64) -> Result<(Option<Bytes>, Duration), CallError> {
        let (time, call) = (ResponseTime::default(), self.client.get_object().bucket(at.bucket.as_str()).key(&at.key));
        let call = call.checksum_mode(ChecksumMode::Enabled).customize().interceptor(time.clone());
        let answer = call.send().await.map_err(|error| self.caller.error(GET, &Resource::Object(at), error))?;
        let age = time.seconds().zip(answer.last_modified()).map(|(now, then)| now - then.secs() - 1);
        let age = Duration::from_secs(age.and_then(|age| u64::try_from(age).ok()).unwrap_or_default());
        let fits = answer.content_length().and_then(|size| u64::try_from(size).ok()).is_none_or(|size| size <= limit);
        Ok((if fits { Some(self.bytes(at, answer, limit).await?.0) } else { None }, age))
    }

    /// The whole object, whatever its size, and when it was written by the clock of S3, if S3 tells.
    pub async fn read_all(&self, at: &Location) -> anyhow::Result<(Spooled, Option<DateTime>)> {
        let answer = self.get_object(at, |call| call.checksum_mode(ChecksumMode::Enabled)).await?;
        let (length, _) = self.length_and_etag(at, &answer)?;
        let written = answer.last_modified().copied();
        let mut bytes = Spooling::default();
        let mut body = Body::new(length, answer.body, at.clone(), self.caller.clone());
        while let Some(chunk) = body.next().await {
            bytes.append(&chunk?)?;
        }
        Ok((bytes.end(), written))
    }

    async fn get_object(
        &self,
        at: &Location,
        conditions: impl Fn(GetObject) -> GetObject,
    ) -> Result<GetObjectOutput, CallError> {
        let conditions = &conditions;
        self.call(&at.bucket, |client| async move {
            let call = conditions(client.get_object().bucket(at.bucket.as_str()).key(&at.key));
            let answer = call.send().await;
            answer.map_err(|error| self.caller.error(GET, &Resource::Object(at), error))
        })
        .await
    }

    fn expect(&self, at: &Location, asked: u64, answered: u64) -> Result<(), CallError> {
        let message = || format!("{asked} bytes were requested, but {answered} were returned");
        if asked == answered { Ok(()) } else { Err(self.caller.unusable(GET, &Resource::Object(at), message())) }
    }

    fn length_and_etag(&self, at: &Location, answer: &GetObjectOutput) -> Result<(u64, ETag), CallError> {
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
        length
            .zip(answer.e_tag().map(ETag::new))
            .ok_or_else(|| self.caller.unusable(GET, &Resource::Object(at), "the response has no length or ETag"))
    }
}

impl Elsewhere {
    fn client(&self, bucket: &BucketName) -> Option<Client> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    fn follow(&self, bucket: &BucketName, region: &str) -> Client {
        let client = Client::from_conf(self.config.clone().region(Region::new(region.to_owned())).build());
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.clone(), client.clone());
        client
    }
}

/// Whether an error of GetObject tells why HeadObject has failed. An empty object has no first byte.
fn says_why(reason: &CallError) -> bool {
    reason.kind != Kind::NotFound && reason.code.as_deref().is_some_and(|code| code != "InvalidRange")
}

/// Returns nothing for an object that does not exist. A bucket that does not exist is an error.
pub(super) fn absent_is_none<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the object does not exist, and its bucket does.
pub(super) fn is_absent(error: &CallError) -> bool {
    error.kind == Kind::NotFound && error.code.as_deref() != Some("NoSuchBucket")
}
