//! Reads the policies and the owners of buckets.

use super::reader::ObjectReader;
use crate::aws::error::CallError;
use crate::aws::resource::Resource;
use crate::model::arn::AccountId;
use crate::model::location::BucketName;

impl ObjectReader {
    /// The policy of a bucket; nothing if it has none.
    pub async fn bucket_policy(&self, bucket: &BucketName) -> Result<Option<String>, CallError> {
        let answer = self.call(bucket, |client| async move {
            let answer = client.get_bucket_policy().bucket(bucket.as_str()).send().await;
            answer.map_err(|error| self.caller.error("s3:GetBucketPolicy", &Resource::Bucket(bucket), error))
        });
        match answer.await {
            Ok(answer) => {
                let resource = Resource::Bucket(bucket);
                let unusable = || self.caller.unusable("s3:GetBucketPolicy", &resource, "the response has no policy");
                answer.policy().map(|text| Some(text.to_owned())).ok_or_else(unusable)
            }
            Err(error) if error.code.as_deref() == Some("NoSuchBucketPolicy") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether an account owns a bucket. False if the caller may not list the bucket.
    pub async fn is_bucket_of(&self, bucket: &BucketName, account: &AccountId) -> bool {
        let answer = self.call(bucket, |client| async move {
            let call = client.head_bucket().bucket(bucket.as_str()).expected_bucket_owner(account.as_str());
            let answer = call.send().await;
            answer.map(drop).map_err(|e| self.caller.error("s3:HeadBucket", &Resource::Bucket(bucket), e))
        });
        answer.await.is_ok()
    }
}
