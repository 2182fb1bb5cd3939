//! The remedy of a denied call: the permissions to grant, or the policy that has to change.
//!
//! A hint names all permissions of a row of docs/reference/permissions.md together, on the folder and not on one
//! object, so that the next run does not need the next permission.

mod buckets;
mod denied;
mod grants;
mod policy;
mod registry;
mod spellings;

use crate::aws::resource::Resource;
use crate::model::side::Side;
pub use buckets::on_folder;
pub(super) use denied::Denial;
use denied::STREAM;
pub(in crate::aws) use denied::TargetBucket;
use grants::{kms_grant, read_grant, repository_grant};
use policy::{Denies, DenyingPolicy};
pub(in crate::aws) use spellings::Spellings;

/// Whether a policy denies the call explicitly, or bounds what other policies allow, by AWS's message.
pub(super) fn is_by_policy(message: &str) -> bool {
    DenyingPolicy::that_denies(message).is_some()
}

impl Denial<'_> {
    /// What to do about it, without a full stop.
    pub fn remedy(&self, resource: &Resource<'_>) -> String {
        match DenyingPolicy::that_denies(self.message) {
            Some((policy, denies)) => self.change(policy, denies, resource),
            None => self.grant(resource),
        }
    }

    /// How to change the policy that denies the call.
    fn change(&self, policy: DenyingPolicy, denies: Denies, resource: &Resource<'_>) -> String {
        let bucket = match resource {
            Resource::Object(at) | Resource::New { at, .. } | Resource::Page(at) => Some(&at.bucket),
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
                    Side::Source => "a certain network or principal",
                    Side::Target => {
                        "headers (`--target-sse`, `--target-acl`, `--kms-key-arn`), or a certain network or principal"
                    }
                };
                let source = match resource {
                    Resource::Copy { source, .. } if source.bucket != *bucket => format!(" or of {}", source.bucket),
                    _ => String::new(),
                };
                format!(
                    "Check the Deny statements in the bucket policy of {bucket}{source}, which may require \
                     {demands}{streams}"
                )
            }
            (policy, _) => {
                let act = match denies {
                    Denies::Explicitly => "Check the Deny statements in",
                    Denies::Implicitly => "Allow the action in",
                };
                format!("{act} {}{streams}", policy.name(self.message))
            }
        }
    }

    /// The permissions that allow the call. They are not always named like the operation (S3: "Required permissions for
    /// Amazon S3 API operations"); a denial by KMS says so in its message only.
    fn grant(&self, resource: &Resource<'_>) -> String {
        if let Resource::Key(key) = resource {
            return format!("Grant {} on {key} to this principal, in the key's policy too", self.call);
        }
        if self.message.to_ascii_lowercase().contains("kms") {
            return kms_grant(self.message, self.writes_with(resource));
        }
        match resource {
            Resource::Object(at) if self.call == "s3:DeleteObject" => {
                format!("Grant s3:DeleteObject on {}/_unfinished/* to this principal", self.below(at))
            }
            Resource::Object(at) if self.call == "s3:AbortMultipartUpload" => format!(
                "Grant s3:AbortMultipartUpload on {} to this principal, or have a lifecycle rule of the bucket abort \
                 incomplete uploads",
                self.below(at)
            ),
            Resource::Object(at) => self.bucket_grant(&self.below(at), &at.bucket, None),
            Resource::New { at, key } => self.bucket_grant(&self.below(at), &at.bucket, *key),
            Resource::Page(at) => self.page_grant(at),
            Resource::Bucket(bucket) => self.bucket_grant(&format!("{}/*", self.bucket(bucket)), bucket, None),
            Resource::Copy { source, target, key } => self.copy_grant(source, target, *key),
            Resource::Group(group) => self.registry_grant(group.as_str()),
            Resource::Package(package) => {
                let group = package.as_str().rsplit_once('/').map_or(package.as_str(), |(group, _)| group);
                self.registry_grant(&group.replacen(":model-package/", ":model-package-group/", 1))
            }
            Resource::Repository(repository) | Resource::Layer { repository, .. } => {
                repository_grant(if self.reads_only { Side::Source } else { self.side }, repository)
            }
            Resource::Images(repository) => read_grant(repository),
            Resource::Registry => format!("Grant {} on * to this principal", self.call),
            Resource::Key(_) | Resource::Principal => format!("Grant {} to this principal", self.call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::arn::GroupArn;
    use crate::model::location::Location;

    const COPY: &str = "s3://serving/models/churn/444333666777-eu-central-1-churn-v1/models/a b";

    fn remedy(side: Side, call: &str, resource: Resource<'_>, message: &str) -> String {
        let (groups, target_bucket) = (&Spellings::default(), &TargetBucket::default());
        Denial { side, call, region: "eu-central-1", message, groups, target_bucket, reads_only: false }
            .remedy(&resource)
    }

    #[test]
    fn a_denied_copy_names_all_permissions_of_both_buckets_and_the_other_mode() {
        let (source, target) = ("s3://models/a b".parse().unwrap(), COPY.parse().unwrap());
        let copy = Resource::Copy { source: &source, target: &target, key: None };
        assert_eq!(
            remedy(Side::Target, "s3:CopyObject", copy, "Access Denied"),
            "Grant s3:GetObject on arn:aws:s3:::models/* to this principal (in the source's bucket policy too), or pass \
             `--copy-mode stream`, which reads with the source credentials. Also grant s3:PutObject, s3:GetObject, \
             s3:AbortMultipartUpload and s3:ListMultipartUploadParts on arn:aws:s3:::serving/models/churn/*, and \
             s3:ListBucket and s3:ListBucketMultipartUploads on arn:aws:s3:::serving to this principal"
        );
    }

    #[test]
    fn a_denied_copy_names_only_the_side_whose_action_the_message_names() {
        let (source, target) = ("s3://models/a b".parse().unwrap(), COPY.parse().unwrap());
        let copy = Resource::Copy { source: &source, target: &target, key: None };
        let remedy = |action: &str| {
            let message =
                format!("User: x is not authorized to perform: {action} on resource: y because no policy allows it");
            remedy(Side::Target, "s3:CopyObject", copy, &message)
        };
        assert_eq!(
            remedy("s3:GetObject"),
            "Grant s3:GetObject on arn:aws:s3:::models/* to this principal (in the source's bucket policy too), or pass \
             `--copy-mode stream`, which reads with the source credentials"
        );
        let write = remedy("s3:PutObject");
        assert!(write.starts_with("Grant s3:PutObject, s3:GetObject, s3:AbortMultipartUpload and"), "{write}");
        assert!(!write.contains("models/*") && write.ends_with("on arn:aws:s3:::serving to this principal"), "{write}");
    }

    #[test]
    fn a_denied_look_up_without_a_body_names_the_key_as_another_possible_cause() {
        let at = "s3://models/k".parse().unwrap();
        let (groups, target_bucket, message) = (&Spellings::default(), &TargetBucket::default(), "HTTP 403");
        let region = "cn-north-1";
        let denial = Denial {
            side: Side::Source,
            call: "s3:HeadObject",
            region,
            message,
            groups,
            target_bucket,
            reads_only: false,
        };
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
    fn a_copy_that_a_policy_denies_may_be_possible_by_streaming() {
        let (source, target) = ("s3://models/a b".parse().unwrap(), COPY.parse().unwrap());
        let copy = Resource::Copy { source: &source, target: &target, key: None };
        for end in [
            "with an explicit deny in a VPC endpoint policy",
            "because no VPC endpoint policy allows the s3:GetObject action",
            "with an explicit deny in a resource-based policy",
        ] {
            let message = format!("User: x is not authorized to perform: s3:GetObject on resource: y {end}");
            let remedy = remedy(Side::Target, "s3:CopyObject", copy, &message);
            assert!(remedy.ends_with(&format!(", or pass {STREAM}")), "{end}: {remedy}");
        }
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
                "the bucket policy of serving, which may require headers (`--target-sse`",
            ),
            ("with an explicit deny in an identity-based policy", "this principal's own policies"),
            ("with an explicit deny in a VPC endpoint policy", "the VPC endpoint's policy"),
            ("with an explicit deny in a service control policy", "service control policies"),
            ("with an explicit deny in a resource control policy", "resource control policies"),
            ("with an explicit deny in a permissions boundary", "permissions boundary"),
            ("with an explicit deny in a session policy", "session policy"),
        ] {
            let remedy = remedy(end);
            assert!(remedy.contains(says) && !remedy.contains("Grant"), "{end}: {remedy}");
        }
    }

    #[test]
    fn a_policy_that_allows_too_little_is_named_and_a_permission_that_can_be_granted_is() {
        let at: Location = COPY.parse().unwrap();
        for (policy, says) in [
            ("VPC endpoint policy", "Allow the action in the VPC endpoint's policy, which may allow buckets"),
            ("service control policy", "Allow the action in the organization's service control policies"),
            ("permissions boundary", "Allow the action in this principal's permissions boundary"),
            ("session policy", "Allow the action in the session policy that the role was assumed with"),
            ("identity-based policy", "Grant s3:PutObject"),
            ("resource-based policy", "Grant s3:PutObject"),
        ] {
            let message = format!(
                "User: x is not authorized to perform: s3:PutObject on resource: y because no {policy} allows the \
                 s3:PutObject action"
            );
            let remedy = remedy(Side::Target, "s3:PutObject", Resource::Object(&at), &message);
            assert!(remedy.starts_with(says), "{policy}: {remedy}");
        }
    }
}
