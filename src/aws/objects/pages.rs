//! Lists the keys under a prefix, page by page.

use std::collections::HashSet;

use aws_sdk_s3::types::{EncodingType, OptionalObjectAttributes};

use super::encoding::listed;
use super::reader::ObjectReader;
use super::storage::{is_listed_archived, is_tiered};
use super::types::{ETag, Listed};
use crate::aws::error::CallError;
use crate::aws::resource::Resource;
use crate::model::location::{BucketName, Location};

/// The pages of a listing, with up to 1000 keys each. Each page is requested when the caller asks for it.
#[derive(Debug)]
pub struct Pages {
    reader: ObjectReader,
    bucket: BucketName,
    prefix: String,
    next: Next,
    seen: HashSet<String>,
}

#[derive(Debug)]
enum Next {
    First,
    Token(String),
    End,
}

impl Pages {
    /// The next page, or nothing after the last page.
    ///
    /// # Errors
    /// The listing fails, repeats a page, or has a key outside the prefix.
    pub async fn next(&mut self) -> Result<Option<Vec<Listed>>, CallError> {
        let token = match std::mem::replace(&mut self.next, Next::End) {
            Next::First => None,
            Next::Token(token) => Some(token),
            Next::End => return Ok(None),
        };
        self.page(token).await.map(Some)
    }

    /// The only page; nothing if there are more.
    pub(super) async fn only_page(&mut self) -> Result<Option<Vec<Listed>>, CallError> {
        let page = self.next().await?;
        Ok(if matches!(self.next, Next::End) { page } else { None })
    }

    async fn page(&mut self, token: Option<String>) -> Result<Vec<Listed>, CallError> {
        const CALL: &str = "s3:ListObjectsV2";
        let at = Location::new(&self.bucket, &self.prefix);
        let resource = Resource::Object(&at);
        let answer = self.reader.call(&self.bucket, async |client| {
            let call = client.list_objects_v2().bucket(self.bucket.as_str()).prefix(&self.prefix);
            let call = call.optional_object_attributes(OptionalObjectAttributes::RestoreStatus);
            let call = call.encoding_type(EncodingType::Url);
            let answer = call.set_continuation_token(token.clone()).send().await;
            answer.map_err(|error| self.reader.caller.error(CALL, &resource, error))
        });
        let answer = answer.await?;
        let unusable = |message: String| self.reader.caller.unusable(CALL, &resource, message);
        let mut page = Vec::with_capacity(answer.contents().len());
        for object in answer.contents() {
            let key = object.key().map(|key| listed(key, answer.encoding_type()));
            let key = key.filter(|key| key.starts_with(&self.prefix));
            let key =
                key.ok_or_else(|| unusable(format!("{:?} does not begin with '{}'", object.key(), self.prefix)))?;
            let size = object.size().and_then(|size| u64::try_from(size).ok());
            let (size, etag) =
                size.zip(object.e_tag()).ok_or_else(|| unusable(format!("'{key}' has no size or ETag")))?;
            page.push(Listed {
                key: key.into_owned(),
                size,
                etag: ETag::new(etag),
                archived: is_listed_archived(object),
                tiered: is_tiered(object),
            });
        }
        if answer.is_truncated() == Some(true) {
            let token =
                answer.next_continuation_token().ok_or_else(|| unusable("the list is incomplete".to_owned()))?;
            if !self.seen.insert(token.to_owned()) {
                return Err(unusable("the list's continuation token repeats".to_owned()));
            }
            self.next = Next::Token(token.to_owned());
        }
        Ok(page)
    }
}

impl ObjectReader {
    /// The objects under a prefix, page by page, in no particular order. Makes no call.
    pub fn list(&self, bucket: &BucketName, prefix: &str) -> Pages {
        let (reader, bucket, prefix) = (self.clone(), bucket.clone(), prefix.to_owned());
        Pages { reader, bucket, prefix, next: Next::First, seen: HashSet::new() }
    }

    /// The folders directly below a prefix that ends in `/`, each with its final slash.
    ///
    /// # Errors
    /// The listing fails or repeats a page.
    pub(super) async fn folders(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<String>, CallError> {
        const CALL: &str = "s3:ListObjectsV2";
        let at = Location::new(bucket, prefix);
        let resource = Resource::Object(&at);
        let unusable = |message: &str| self.caller.unusable(CALL, &resource, message.to_owned());
        let (mut folders, mut seen, mut token) = (Vec::new(), HashSet::new(), None::<String>);
        loop {
            let answer = self.call_of_any_owner(bucket, async |client| {
                let call = client.list_objects_v2().bucket(bucket.as_str()).prefix(prefix).delimiter("/");
                let call = call.encoding_type(EncodingType::Url);
                let answer = call.set_continuation_token(token.clone()).send().await;
                answer.map_err(|error| self.caller.error(CALL, &resource, error))
            });
            let answer = answer.await?;
            let encoding = answer.encoding_type();
            let found = answer.common_prefixes().iter().filter_map(|folder| folder.prefix());
            folders.extend(found.map(|folder| listed(folder, encoding).into_owned()));
            if answer.is_truncated() != Some(true) {
                return Ok(folders);
            }
            token = answer.next_continuation_token().map(str::to_owned);
            match &token {
                None => return Err(unusable("the list is incomplete")),
                Some(token) if seen.insert(token.clone()) => {}
                Some(_) => return Err(unusable("the list's continuation token repeats")),
            }
        }
    }
}
