//! The remedy of a denied call: the permissions to grant, or the policy whose explicit deny has to change.
//!
//! A hint names all permissions of a row of docs/reference/permissions.md together, on the folder and not on one
//! object, so that the next run does not need the next permission.

mod grants;
mod policy;

use super::call::Side;
use crate::aws::resource::Resource;
use crate::model::arn::partition_of;
use crate::model::location::{BucketName, Location};
use grants::{kms_grant, page_grant, read_grant, repository_grant};
use policy::DenyingPolicy;

/// Whether a policy denies the call explicitly, by AWS's message.
pub(super) fn is_explicit(message: &str) -> bool {
    DenyingPolicy::that_denies(message).is_some()
}

/// A denied call.
pub(super) struct Denial<'a> {
    pub side: Side,
    /// The operation, such as `s3:PutObject`.
    pub call: &'a str,
    pub region: &'a str,
    /// AWS's message, or the HTTP status of a response without a body.
    pub message: &'a str,
}

impl Denial<'_> {
    /// What to do about it, without a full stop.
    pub fn remedy(&self, resource: &Resource<'_>) -> String {
        match DenyingPolicy::that_denies(self.message) {
            Some(policy) => self.change(policy, resource),
            None => self.grant(resource),
        }
    }

    /// How to change the policy that denies the call.
    fn change(&self, policy: DenyingPolicy, resource: &Resource<'_>) -> String {
        let bucket = match resource {
            Resource::Object(at) | Resource::Page(at) => Some(&at.bucket),
            Resource::Bucket(bucket) => Some(*bucket),
            Resource::Copy { target, .. } => Some(&target.bucket),
            Resource::Group(_)
            | Resource::Package(_)
            | Resource::Key(_)
            | Resource::Repository(_)
            | Resource::Images(_)
            | Resource::Layer { .. }
            | Resource::Registry
            | Resource::Principal => None,
        };
        let streams = match resource {
            Resource::Copy { .. } => format!(", or pass {STREAM}"),
            _ => String::new(),
        };
        match (policy, bucket) {
            (DenyingPolicy::Resource, Some(bucket)) if !self.message.contains("kms:") => {
                let demands = match self.side {
                    Side::Source => "the network or the principal of a request",
                    Side::Target => {
                        "headers (`--target-sse`, `--target-acl`, `--kms-key-arn`), the network or the principal of a \
                         request"
                    }
                };
                let source = match resource {
                    Resource::Copy { source, .. } if source.bucket != *bucket => format!(" or of {}", source.bucket),
                    _ => String::new(),
                };
                format!(
                    "Look at the Deny statements of the bucket policy of {bucket}{source}, which may demand \
                     {demands}{streams}"
                )
            }
            (policy, _) => format!("Look at the Deny statements of {}{streams}", policy.name(self.message)),
        }
    }

    /// The permissions that allow the call. They are not always named like the operation (S3: "Required permissions for
    /// Amazon S3 API operations"); a denial by KMS says so in its message only.
    fn grant(&self, resource: &Resource<'_>) -> String {
        if let Resource::Key(key) = resource {
            return format!("Grant {} on {key} to this principal, in the key's policy too", self.call);
        }
        if self.message.to_ascii_lowercase().contains("kms") {
            return kms_grant(self.message);
        }
        match resource {
            Resource::Object(at) if self.call == "s3:DeleteObject" => {
                format!("Grant s3:DeleteObject on {}/_unfinished/* to this principal", self.below(at))
            }
            Resource::Object(at) => self.bucket_grant(&self.below(at), &at.bucket),
            Resource::Page(at) => page_grant(&self.bucket(&at.bucket), &at.key),
            Resource::Bucket(bucket) => self.bucket_grant(&format!("{}/*", self.bucket(bucket)), bucket),
            Resource::Copy { source, target } => format!(
                "Grant s3:GetObject on {}/* (in the source's bucket policy too), {} to this principal, or pass {STREAM}",
                self.bucket(&source.bucket),
                self.target_actions(&self.below(target), &target.bucket)
            ),
            Resource::Group(group) => self.registry_grant(group.as_str(), &packages_of(group.as_str())),
            Resource::Package(package) => {
                let group = package.as_str().rsplit_once('/').map_or(package.as_str(), |(group, _)| group);
                let group = group.replacen(":model-package/", ":model-package-group/", 1);
                self.registry_grant(&group, &packages_of(&group))
            }
            Resource::Repository(repository) | Resource::Layer { repository, .. } => {
                repository_grant(self.side, repository)
            }
            Resource::Images(repository) => read_grant(repository),
            Resource::Registry => format!("Grant {} on * to this principal", self.call),
            Resource::Key(_) | Resource::Principal => format!("Grant {} to this principal", self.call),
        }
    }

    fn bucket_grant(&self, objects: &str, bucket: &BucketName) -> String {
        let answered = !self.message.starts_with("HTTP ");
        let key = if answered { "" } else { "; if they are encrypted with a KMS key, also kms:Decrypt on the key" };
        match self.side {
            Side::Source => format!(
                "Grant s3:GetObject on {objects} and s3:ListBucket on {} to this principal (for another account's \
                 bucket, in its bucket policy too){key}{}",
                self.bucket(bucket),
                self.payer()
            ),
            Side::Target => format!("Grant {} to this principal{key}", self.target_actions(objects, bucket)),
        }
    }

    /// S3 says nothing about a requester that has to pay.
    fn payer(&self) -> &'static str {
        match self.message.contains("not authorized") {
            true => "",
            false => "; or pass `--source-request-payer`, if the bucket's owner lets requesters pay",
        }
    }

    fn target_actions(&self, objects: &str, bucket: &BucketName) -> String {
        format!(
            "s3:PutObject, s3:GetObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on {objects}, and \
             s3:ListBucket and s3:ListBucketMultipartUploads on {}",
            self.bucket(bucket)
        )
    }

    fn registry_grant(&self, group: &str, packages: &str) -> String {
        let about_groups = self.call.ends_with("Group") || self.call.ends_with("Tags");
        let (actions, on) = match (self.side, about_groups) {
            (Side::Source, false) => {
                ("sagemaker:ListModelPackages and sagemaker:DescribeModelPackage", format!("{group} and {packages}"))
            }
            (Side::Target, false) => (
                "sagemaker:ListModelPackages, sagemaker:DescribeModelPackage, sagemaker:CreateModelPackage, \
                 sagemaker:UpdateModelPackage and sagemaker:DeleteModelPackage",
                format!("{group} and {packages}"),
            ),
            (Side::Source, true) => ("sagemaker:DescribeModelPackageGroup and sagemaker:ListTags", group.to_owned()),
            (Side::Target, true) => (
                "sagemaker:DescribeModelPackageGroup, sagemaker:CreateModelPackageGroup and sagemaker:AddTags",
                group.to_owned(),
            ),
        };
        let theirs = match self.side {
            Side::Source => " (for another account's group, in its resource policy too)",
            Side::Target => "",
        };
        format!("Grant {actions} on {on} to this principal{theirs}")
    }

    fn bucket(&self, bucket: &BucketName) -> String {
        format!("arn:{}:s3:::{bucket}", partition_of(self.region))
    }

    /// All objects of the source's bucket, or of the target group's folder.
    fn below(&self, at: &Location) -> String {
        let folder = match self.side {
            Side::Source => "",
            Side::Target if at.key.ends_with('/') => folder_of_group(&at.key).unwrap_or(&at.key),
            Side::Target => folder_of_group(&at.key).unwrap_or_default(),
        };
        format!("{}/{folder}*", self.bucket(&at.bucket))
    }
}

/// The alternative to a copy within S3. Streaming works with one principal too.
const STREAM: &str = "`--copy-mode stream`, which reads the source and writes the target in requests of their own";

/// The part of a target key before the folder of a version (`<account>-<region>-<group>-v<version>`).
fn folder_of_group(key: &str) -> Option<&str> {
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

fn packages_of(group: &str) -> String {
    format!("{}/*", group.replacen(":model-package-group/", ":model-package/", 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::arn::GroupArn;

    const COPY: &str = "s3://serving/models/churn/444333666777-eu-central-1-churn-v1/models/a b";

    fn remedy(side: Side, call: &str, resource: Resource<'_>, message: &str) -> String {
        Denial { side, call, region: "eu-central-1", message }.remedy(&resource)
    }

    #[test]
    fn a_denied_copy_names_all_permissions_of_both_buckets_and_the_other_mode() {
        let (source, target) = ("s3://models/a b".parse().unwrap(), COPY.parse().unwrap());
        let copy = Resource::Copy { source: &source, target: &target };
        assert_eq!(
            remedy(Side::Target, "s3:CopyObject", copy, "Access Denied"),
            "Grant s3:GetObject on arn:aws:s3:::models/* (in the source's bucket policy too), s3:PutObject, s3:GetObject, \
             s3:AbortMultipartUpload and s3:ListMultipartUploadParts on arn:aws:s3:::serving/models/churn/*, and \
             s3:ListBucket and s3:ListBucketMultipartUploads on arn:aws:s3:::serving to this principal, or pass \
             `--copy-mode stream`, which reads the source and writes the target in requests of their own"
        );
    }

    #[test]
    fn a_denied_look_up_without_a_body_names_the_key_as_another_possible_cause() {
        let at = "s3://models/k".parse().unwrap();
        let denial = Denial { side: Side::Source, call: "s3:HeadObject", region: "cn-north-1", message: "HTTP 403" };
        let remedy = denial.remedy(&Resource::Object(&at));
        assert!(remedy.contains("s3:GetObject on arn:aws-cn:s3:::models/* and s3:ListBucket on"), "{remedy}");
        assert!(remedy.contains("also kms:Decrypt on the key"), "{remedy}");
    }

    #[test]
    fn a_denial_by_kms_names_the_key_and_not_the_bucket() {
        let at = "s3://models/k".parse().unwrap();
        let message = "User: arn:aws:sts::1:x is not authorized to perform: kms:GenerateDataKey on resource: \
                       arn:aws:kms:eu-central-1:111222333444:key/ab because no resource-based policy allows it";
        let remedy = remedy(Side::Target, "s3:PutObject", Resource::Object(&at), message);
        assert!(
            remedy.starts_with(
                "Grant kms:GenerateDataKey and kms:Decrypt on arn:aws:kms:eu-central-1:111222333444:key/ab to"
            ),
            "{remedy}"
        );
    }

    #[test]
    fn a_denied_group_call_names_the_group_and_its_packages() {
        let group: GroupArn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/g".parse().unwrap();
        let remedy = remedy(Side::Source, "sagemaker:ListModelPackages", Resource::Group(&group), "no");
        assert!(
            remedy.contains(
                "sagemaker:ListModelPackages and sagemaker:DescribeModelPackage on arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/g and \
                 arn:aws:sagemaker:eu-central-1:444333666777:model-package/g/*"
            ),
            "{remedy}"
        );
    }

    #[test]
    fn an_explicit_deny_names_the_policy_that_has_it() {
        let at: Location = COPY.parse().unwrap();
        let remedy = |end: &str| {
            remedy(
                Side::Target,
                "s3:PutObject",
                Resource::Object(&at),
                &format!("User: x is not authorized to perform: s3:PutObject on resource: y {end}"),
            )
        };
        for (end, says) in [
            (
                "with an explicit deny in a resource-based policy",
                "the bucket policy of serving, which may demand headers (`--target-sse`",
            ),
            ("with an explicit deny in an identity-based policy", "this principal's own policies"),
            ("with an explicit deny in a VPC endpoint policy", "the VPC endpoint's policy"),
            ("because no VPC endpoint policy allows the s3:PutObject action", "the VPC endpoint's policy"),
            ("with an explicit deny in a service control policy", "service control policies"),
            ("with an explicit deny in a resource control policy", "resource control policies"),
            ("with an explicit deny in a permissions boundary", "permissions boundary"),
            ("with an explicit deny in a session policy", "session policy"),
        ] {
            let remedy = remedy(end);
            assert!(remedy.contains(says) && !remedy.contains("Grant"), "{end}: {remedy}");
        }
        assert!(
            remedy("because no resource-based policy allows the s3:PutObject action").starts_with("Grant s3:PutObject")
        );
    }
}
