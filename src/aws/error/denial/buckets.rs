//! The permissions on the objects of both buckets.

use super::denied::{Denial, STREAM};
use crate::aws::error::call::{CallError, Kind};
use crate::aws::resource::Resource;
use crate::model::arn::{KmsKeyArn, partition_of};
use crate::model::location::{BucketName, Location};
use crate::model::side::Side;

impl Denial<'_> {
    pub(super) fn bucket_grant(&self, objects: &str, bucket: &BucketName, kms_key: Option<&KmsKeyArn>) -> String {
        let answered = !self.message.starts_with("HTTP ");
        let key = if answered { "" } else { "; if they are encrypted with a KMS key, also kms:Decrypt on the key" };
        match self.side {
            Side::Source => format!(
                "Grant s3:GetObject on {objects} and s3:ListBucket on {} to this principal (for another account's \
                 bucket, in its bucket policy too){key}{}",
                self.bucket(bucket),
                self.payer()
            ),
            Side::Target if self.reads_only => format!(
                "Grant s3:GetObject on {objects} and s3:ListBucket on {} to this principal{}{key}",
                self.bucket(bucket),
                self.in_the_policy_of_the_bucket()
            ),
            Side::Target => {
                let policy = self.in_the_policy_of_the_bucket();
                format!("Grant {} to this principal{policy}{key}", self.target_actions(objects, bucket, kms_key))
            }
        }
    }

    /// S3 says nothing about a requester that has to pay.
    fn payer(&self) -> &'static str {
        match self.message.contains("not authorized") {
            true => "",
            false => "; or pass `--source-request-payer`, if the bucket's owner lets requesters pay",
        }
    }

    pub(super) fn target_actions(&self, objects: &str, bucket: &BucketName, kms_key: Option<&KmsKeyArn>) -> String {
        let acl = if self.target_bucket.acl { ", s3:PutObjectAcl" } else { "" };
        let objects = format!(
            "s3:PutObject{acl}, s3:GetObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on {objects}"
        );
        let bucket = format!("s3:ListBucket and s3:ListBucketMultipartUploads on {}", self.bucket(bucket));
        match kms_key {
            None => format!("{objects}, and {bucket}"),
            Some(key) => {
                format!(
                    "{objects}, {bucket}, and kms:GenerateDataKey and kms:Decrypt on {key} (in the key's policy too)"
                )
            }
        }
    }

    /// The permissions that a copy within S3 needs: those of the side whose action AWS's message names, or all.
    pub(super) fn copy_grant(&self, source: &Location, target: &Location, kms_key: Option<&KmsKeyArn>) -> String {
        let read = format!("s3:GetObject on {}", self.folder_of(source));
        let write = self.target_actions(&self.folder_of_group(target), &target.bucket, kms_key);
        let policy = self.in_the_policy_of_the_bucket();
        match self.action() {
            Some("s3:GetObject") => {
                format!("Grant {read} to this principal (in the source's bucket policy too), or pass {STREAM}")
            }
            Some("s3:PutObject" | "s3:PutObjectAcl") => format!("Grant {write} to this principal{policy}"),
            _ => format!(
                "Grant {read} to this principal (in the source's bucket policy too), or pass {STREAM}. Also grant {write} \
                 to this principal{policy}"
            ),
        }
    }

    /// The action that AWS's message names.
    fn action(&self) -> Option<&str> {
        let (_, rest) = self.message.split_once("not authorized to perform: ")?;
        rest.split_whitespace().next()
    }

    /// The permissions that a page needs.
    pub(super) fn page_grant(&self, page: &Location) -> String {
        let acl = if self.target_bucket.acl { " and s3:PutObjectAcl" } else { "" };
        let (bucket, policy) = (self.bucket(&page.bucket), self.in_the_policy_of_the_bucket());
        format!(
            "Grant s3:PutObject{acl} on {bucket}/{} to the target principal{policy}, which writes the page",
            page.key
        )
    }

    /// A bucket of another account has to let the principal in, too.
    pub(super) fn in_the_policy_of_the_bucket(&self) -> String {
        let owner = self.target_bucket.owner.as_ref().filter(|_| self.side == Side::Target);
        owner.map_or(String::new(), |owner| format!(" (in the bucket policy too, in account {owner})"))
    }

    pub(super) fn bucket(&self, bucket: &BucketName) -> String {
        format!("arn:{}:s3:::{bucket}", partition_of(self.region))
    }

    /// All objects of the folder of a source object, or of the target group's folder.
    pub(super) fn below(&self, at: &Location) -> String {
        match self.side {
            Side::Source => self.folder_of(at),
            Side::Target => self.folder_of_group(at),
        }
    }

    pub(super) fn folder_of(&self, at: &Location) -> String {
        format!("{}/{}*", self.bucket(&at.bucket), folder(&at.key))
    }

    pub(super) fn folder_of_group(&self, at: &Location) -> String {
        let folder = group_folder(&at.key).or_else(|| at.key.ends_with('/').then_some(&*at.key)).unwrap_or_default();
        format!("{}/{folder}*", self.bucket(&at.bucket))
    }

    /// Whether the call writes with the key that the message of KMS names.
    pub(super) fn writes_with(&self, resource: &Resource<'_>) -> bool {
        match resource {
            Resource::Copy { key, .. } => key.is_some_and(|key| self.message.contains(key.as_str())),
            _ => self.side == Side::Target,
        }
    }
}

/// Extends the hint of a denied copy from the folder of `object` to the whole folder that the package names.
pub fn on_folder(error: &mut CallError, object: &Location, named: &Location) {
    let is_below = object.bucket == named.bucket && object.key.starts_with(folder(&named.key));
    if error.kind == Kind::Denied && is_below {
        let all = |at: &Location| format!(":s3:::{}/{}*", at.bucket, folder(&at.key));
        error.hint = error.hint.replacen(&all(object), &all(named), 1).into();
    }
}

/// The key up to its last slash.
fn folder(key: &str) -> &str {
    key.rfind('/').map_or("", |at| &key[..=at])
}

/// The part of a target key before the folder of a version (`<account>-<region>-<group>-v<version>`).
fn group_folder(key: &str) -> Option<&str> {
    let mut at = 0;
    for segment in key.split_inclusive('/') {
        let account = segment.split('-').next().unwrap_or_default();
        if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && segment.contains("-v") {
            return Some(&key[..at]);
        }
        at += segment.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::denied::TargetBucket;
    use super::super::spellings::Spellings;
    use super::*;

    const TARGET: &str = "s3://serving/models/churn/444333666777-eu-central-1-churn-v1/models/churn/llm/shard/1.bin";
    const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000";

    fn remedy(side: Side, call: &str, resource: Resource<'_>, message: &str) -> String {
        let (groups, target_bucket) = (&Spellings::default(), &TargetBucket::default());
        Denial { side, call, region: "eu-central-1", message, groups, target_bucket, reads_only: false }
            .remedy(&resource)
    }

    #[test]
    fn a_denied_read_of_the_source_names_the_folder_and_not_the_whole_bucket() {
        let at = "s3://models/churn/llm/shard/1.bin".parse().unwrap();
        let denied = "User: x is not authorized to perform: s3:GetObject on resource: y";
        let remedy = remedy(Side::Source, "s3:GetObject", Resource::Object(&at), denied);
        let says = "s3:GetObject on arn:aws:s3:::models/churn/llm/shard/* and s3:ListBucket on arn:aws:s3:::models to";
        assert!(remedy.contains(says), "{remedy}");
    }

    #[test]
    fn a_denied_copy_names_the_folder_that_the_package_names() {
        let (source, named) =
            ("s3://models/churn/llm/shard/1.bin".parse().unwrap(), "s3://models/churn/llm/".parse().unwrap());
        let target = TARGET.parse().unwrap();
        let copy = Resource::Copy { source: &source, target: &target, key: None };
        let mut error = CallError {
            side: Side::Target,
            call: "s3:CopyObject",
            resource: copy.to_string().into(),
            kind: Kind::Denied,
            code: None,
            message: "Access Denied".into(),
            request_id: None,
            bucket_region: None,
            hint: remedy(Side::Target, "s3:CopyObject", copy, "Access Denied").into(),
        };
        on_folder(&mut error, &source, &named);
        assert!(
            error.hint.starts_with("Grant s3:GetObject on arn:aws:s3:::models/churn/llm/* to this"),
            "{}",
            error.hint
        );
        assert!(error.hint.contains("on arn:aws:s3:::serving/models/churn/*, and"), "{}", error.hint);
    }

    #[test]
    fn a_denied_write_with_a_key_names_the_permissions_on_the_key_too() {
        let (source, target) = ("s3://models/k".parse().unwrap(), TARGET.parse().unwrap());
        let key = KEY.parse().unwrap();
        let new = Resource::New { at: &target, key: Some(&key) };
        let copy = Resource::Copy { source: &source, target: &target, key: Some(&key) };
        for resource in [new, copy] {
            let remedy = remedy(Side::Target, "s3:PutObject", resource, "Access Denied");
            let says =
                format!("kms:GenerateDataKey and kms:Decrypt on {KEY} (in the key's policy too) to this principal");
            assert!(remedy.contains("s3:PutObject, s3:GetObject") && remedy.contains(&says), "{remedy}");
        }
    }

    #[test]
    fn a_key_that_is_only_read_with_is_granted_for_reading_and_that_of_a_write_for_both() {
        let (source, target) = ("s3://models/k".parse().unwrap(), TARGET.parse().unwrap());
        let key = KEY.parse().unwrap();
        let denied = |key: &str| format!("User: x is not authorized to perform: kms:Decrypt on resource: {key}");
        let copy = Resource::Copy { source: &source, target: &target, key: Some(&key) };
        let remedy = |key: &str| remedy(Side::Target, "s3:CopyObject", copy, &denied(key));
        assert!(remedy(KEY).starts_with("Grant kms:GenerateDataKey and kms:Decrypt on"));
        let theirs = KEY.replace("111222333444", "444333666777");
        assert!(remedy(&theirs).starts_with("Grant kms:Decrypt on"));
    }
}
