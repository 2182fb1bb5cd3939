//! The resource of a call, and the permissions that the call needs on it.

use std::fmt;

use crate::model::arn::{GroupArn, KmsKeyArn, PackageArn};
use crate::model::location::{BucketName, Location};

/// The resource of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resource<'a> {
    Object(&'a Location),
    Bucket(&'a BucketName),
    Copy { source: &'a Location, target: &'a Location },
    Group(&'a GroupArn),
    Package(&'a PackageArn),
    Key(&'a KmsKeyArn),
    Principal,
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(location) => location.fmt(f),
            Self::Bucket(bucket) => write!(f, "s3://{bucket}"),
            Self::Copy { source, target } => write!(f, "{target}, copied from {source}"),
            Self::Group(group) => group.fmt(f),
            Self::Package(package) => package.fmt(f),
            Self::Key(key) => key.fmt(f),
            Self::Principal => f.write_str("the current principal"),
        }
    }
}

impl Resource<'_> {
    /// The grant that allows `call`, without a full stop.
    ///
    /// The permission is not always the operation's name (S3: "Required permissions for Amazon S3 API
    /// operations"); a denial by KMS says so in its message only.
    pub fn grant(&self, call: &str, region: &str, message: &str) -> String {
        if let Self::Key(key) = self {
            return format!("Grant {call} on {key} to this principal, in the key's policy too");
        }
        if message.to_ascii_lowercase().contains("kms") {
            return kms_grant(message);
        }
        let partition = partition(region);
        let bucket = |bucket: &BucketName| format!("arn:{partition}:s3:::{bucket}");
        let object = |at: &Location| format!("arn:{partition}:s3:::{}/{}", at.bucket, at.key);
        match self {
            Self::Object(at) => object_grant(call, &object(at), &bucket(&at.bucket)),
            Self::Bucket(name) if call == "s3:ListMultipartUploads" => {
                format!("Grant s3:ListBucketMultipartUploads on {} to this principal", bucket(name))
            }
            Self::Bucket(name) => format!(
                "Grant s3:ListBucket on {} to this principal (for another account's bucket, in its bucket policy too)",
                bucket(name)
            ),
            Self::Copy { source, target } => format!(
                "Grant s3:GetObject on {} (in the source's bucket policy too) and s3:PutObject on {} to this principal",
                object(source),
                object(target)
            ),
            Self::Group(group) => format!(
                "Grant {call} on {group} and on {} to this principal (for another account's group, in its resource policy too)",
                packages(group)
            ),
            Self::Package(package) => format!(
                "Grant {call} on {package} to this principal (for another account's group, in its resource policy too)"
            ),
            Self::Key(_) | Self::Principal => format!("Grant {call} to this principal"),
        }
    }
}

fn object_grant(call: &str, object: &str, bucket: &str) -> String {
    match call {
        "s3:HeadObject" | "s3:GetObject" => format!(
            "Grant s3:GetObject on {object} to this principal, and s3:ListBucket on {bucket} (without it S3 returns 403 for missing keys, too)"
        ),
        "s3:CreateMultipartUpload" => {
            format!("Grant s3:PutObject and s3:AbortMultipartUpload on {object} to this principal")
        }
        "s3:AbortMultipartUpload" => format!("Grant s3:AbortMultipartUpload on {object} to this principal"),
        "s3:ListParts" => format!("Grant s3:ListMultipartUploadParts on {object} to this principal"),
        _ => format!("Grant s3:PutObject on {object} to this principal"),
    }
}

fn kms_grant(message: &str) -> String {
    let key = message.split([' ', '"', '(', ')', ',']).find(|word| word.starts_with("arn:") && word.contains(":kms:"));
    let key = key.map_or("the KMS key", |key| key.trim_end_matches('.'));
    let writes = message.contains("GenerateDataKey");
    let reads = message.contains("kms:Decrypt");
    let permissions = match (reads, writes) {
        (true, false) => "kms:Decrypt",
        (false, true) => "kms:GenerateDataKey and kms:Decrypt",
        _ => "kms:Decrypt (to read) and kms:GenerateDataKey (to write)",
    };
    format!("Grant {permissions} on {key} to this principal, in the key's policy too")
}

fn packages(group: &GroupArn) -> String {
    format!("{}/*", group.as_str().replacen(":model-package-group/", ":model-package/", 1))
}

/// The ARN partition of a region.
fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_copy_names_the_permissions_to_read_and_to_write() {
        let (source, target) = ("s3://models/a b".parse().unwrap(), "s3://copies/c".parse().unwrap());
        let grant =
            Resource::Copy { source: &source, target: &target }.grant("s3:CopyObject", "eu-central-1", "Access Denied");
        assert!(grant.contains("s3:GetObject on arn:aws:s3:::models/a b"), "{grant}");
        assert!(grant.contains("s3:PutObject on arn:aws:s3:::copies/c"), "{grant}");
    }

    #[test]
    fn a_denied_head_names_get_object_because_there_is_no_head_permission() {
        let at = "s3://models/k".parse().unwrap();
        let grant = Resource::Object(&at).grant("s3:HeadObject", "cn-north-1", "HTTP 403");
        assert!(grant.contains("s3:GetObject on arn:aws-cn:s3:::models/k"), "{grant}");
        assert!(grant.contains("s3:ListBucket on arn:aws-cn:s3:::models "), "{grant}");
    }

    #[test]
    fn a_denial_by_kms_names_the_key_and_not_the_bucket() {
        let at = "s3://models/k".parse().unwrap();
        let message = "User: arn:aws:sts::1:x is not authorized to perform: kms:GenerateDataKey on resource: \
                       arn:aws:kms:eu-central-1:111222333444:key/ab because no resource-based policy allows it";
        let grant = Resource::Object(&at).grant("s3:PutObject", "eu-central-1", message);
        assert!(
            grant.starts_with(
                "Grant kms:GenerateDataKey and kms:Decrypt on arn:aws:kms:eu-central-1:111222333444:key/ab to"
            ),
            "{grant}"
        );
    }

    #[test]
    fn a_denied_group_call_names_the_group_and_its_packages() {
        let group: GroupArn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/g".parse().unwrap();
        let grant = Resource::Group(&group).grant("sagemaker:ListModelPackages", "eu-central-1", "no");
        assert!(
            grant.contains(
                ":model-package-group/g and on arn:aws:sagemaker:eu-central-1:444333666777:model-package/g/*"
            ),
            "{grant}"
        );
    }
}
