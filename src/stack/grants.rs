//! Makes the policies that let the pipeline read the source account, each with the command that applies it.
//!
//! Cross-account access takes two policies: the policy of the build's role allows the calls, and the policies of the
//! source's resources allow that role. The template has the first, this file makes the others.

use std::fmt;

use serde_json::{Value, json};

use super::inputs::Inputs;
use super::names::StackName;
use crate::model::arn::{AccountId, Region, RoleArn};

/// The length of the prefix that a stack's name and the names of its roles have in common. CloudFormation shortens longer
/// names.
const OF_A_ROLE: usize = 20;

/// The principal that reads the source: the build's role of the stack.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The account of the stack.
    pub account: &'a AccountId,
    /// The region of the stack.
    pub region: &'a Region,
    /// The name of the stack, if it is known.
    pub stack: Option<&'a StackName>,
    /// The build's role, if the stack exists (output BuildRoleArn).
    pub role: Option<&'a RoleArn>,
}

/// A policy, and how to apply it.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    title: String,
    how: String,
    policy: Value,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n\n{:#}", self.title, self.how, self.policy)
    }
}

/// The grants of the source account, followed by the grant of the target's event bus.
pub fn grants(inputs: &Inputs, reader: &Reader<'_>) -> Vec<Grant> {
    let source = Source { inputs, reader };
    let mut grants = Vec::new();
    match &inputs.access.source_role_arn {
        Some(role) => grants.extend([source.trust(role), source.role(role)]),
        None => grants.push(source.group()),
    }
    grants.extend(source.buckets());
    grants.extend([source.key(), source.images()]);
    grants.extend(source.events());
    grants
}

struct Source<'a> {
    inputs: &'a Inputs,
    reader: &'a Reader<'a>,
}

impl Source<'_> {
    /// A statement that allows the build's role.
    fn statement(&self, sid: &str, actions: &[&str], resource: Value) -> Value {
        let (partition, account) = (self.inputs.partition(), self.reader.account);
        let root = format!("arn:{partition}:iam::{account}:root");
        let principal = self.reader.role.map_or(root, ToString::to_string);
        let mut statement = json!({
            "Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": resource,
        });
        if let (None, Some(stack)) = (self.reader.role, self.reader.stack) {
            let start: String = stack.as_str().chars().take(OF_A_ROLE).collect();
            let role = format!("arn:{partition}:iam::{account}:role/{start}*");
            statement["Condition"] = json!({"ArnLike": {"aws:PrincipalArn": role}});
        }
        statement
    }

    /// The ARNs of the group. SageMaker writes its name as it was created or in lower case, and IAM compares letter case,
    /// so both spellings are granted.
    fn groups(&self) -> Vec<String> {
        let group = &self.inputs.source_model_package_group_arn;
        let mut arns = vec![group.to_string(), group.canonical()];
        arns.dedup();
        arns
    }

    /// The ARNs of the group's versions, in both spellings.
    fn versions(&self) -> Vec<String> {
        let of_group = |arn: String| format!("{}/*", arn.replacen(":model-package-group/", ":model-package/", 1));
        self.groups().into_iter().map(of_group).collect()
    }

    fn group(&self) -> Grant {
        let group = &self.inputs.source_model_package_group_arn;
        let versions = self.versions().into();
        let describe = ["sagemaker:DescribeModelPackageGroup"];
        let read = ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"];
        Grant {
            title: format!("Model package group {}", group.name()),
            how: format!(
                "In {}: aws sagemaker put-model-package-group-policy --region {} --model-package-group-name {} \
                 --resource-policy file://policy.json",
                group.account(),
                group.region(),
                group.name()
            ),
            policy: policy(vec![
                self.statement("PromoteReadsTheGroup", &describe, self.groups().into()),
                self.statement("PromoteReadsItsVersions", &read, versions),
            ]),
        }
    }

    fn trust(&self, role: &RoleArn) -> Grant {
        let mut statement = self.statement("PromoteReadsTheSource", &["sts:AssumeRole"], Value::Null);
        if let Some(members) = statement.as_object_mut() {
            members.remove("Resource");
        }
        Grant {
            title: format!("Trust policy of {role}"),
            how: format!(
                "In {}: aws iam update-assume-role-policy --role-name {} --policy-document file://policy.json",
                role.account(),
                role_name(role)
            ),
            policy: policy(vec![statement]),
        }
    }

    fn role(&self, role: &RoleArn) -> Grant {
        let allow = |sid: &str, actions: &[&str], resource: Value| json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource});
        let buckets = self.bucket_arns();
        let objects: Vec<String> = buckets.iter().map(|bucket| format!("{bucket}/*")).collect();
        let registry = ["sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags"];
        let mut decrypt = allow("DecryptThem", &["kms:Decrypt"], self.key_arn().into());
        decrypt["Condition"] = self.through_services();
        let read = ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"];
        Grant {
            title: format!("Permissions of {role}"),
            how: format!(
                "In {}: aws iam put-role-policy --role-name {} --policy-name promote --policy-document \
                 file://policy.json",
                role.account(),
                role_name(role)
            ),
            policy: policy(vec![
                allow("ReadTheGroup", &registry, self.groups().into()),
                allow("ReadItsVersions", &read, self.versions().into()),
                allow("ReadTheArtifacts", &["s3:GetObject"], objects.into()),
                allow("ListTheArtifacts", &["s3:ListBucket"], buckets.into()),
                decrypt,
            ]),
        }
    }

    /// The ARNs of the source buckets, or a placeholder.
    fn bucket_arns(&self) -> Vec<String> {
        let named = self.inputs.source_buckets();
        if named.is_empty() { vec![format!("arn:{}:s3:::<bucket>", self.inputs.partition())] } else { named }
    }

    fn buckets(&self) -> Vec<Grant> {
        let why = match &self.inputs.access.source_role_arn {
            Some(_) => "Optional: with this policy S3 copies directly, without it promote streams the bytes. ",
            None => "",
        };
        let grant = |arn: String| {
            let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
            let objects = format!("{arn}/*");
            Grant {
                title: format!("Bucket {name}"),
                how: format!(
                    "{why}Add these statements to the bucket's policy, then run: aws s3api put-bucket-policy --bucket \
                     {name} --policy file://policy.json"
                ),
                policy: policy(vec![
                    self.statement("PromoteReadsArtifacts", &["s3:GetObject"], objects.into()),
                    self.statement("PromoteListsArtifacts", &["s3:ListBucket"], arn.into()),
                ]),
            }
        };
        self.bucket_arns().into_iter().map(grant).collect()
    }

    fn key_arn(&self) -> String {
        let key = self.inputs.access.source_kms_key_arn.as_ref().map(ToString::to_string);
        key.unwrap_or_else(|| {
            let group = &self.inputs.source_model_package_group_arn;
            format!("arn:{}:kms:{}:{}:key/<key>", self.inputs.partition(), group.region(), group.account())
        })
    }

    fn through_services(&self) -> Value {
        let region = self.inputs.source_model_package_group_arn.region();
        let suffix = if self.inputs.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let services = ["s3", "sagemaker"].map(|service| format!("{service}.{region}.{suffix}"));
        json!({"StringEquals": {"kms:ViaService": services}})
    }

    fn key(&self) -> Grant {
        let mut statement = self.statement("PromoteDecryptsArtifacts", &["kms:Decrypt"], "*".into());
        statement["Condition"] = match statement["Condition"].take() {
            Value::Object(mut condition) => {
                condition.extend(self.through_services().as_object().cloned().unwrap_or_default());
                condition.into()
            }
            _ => self.through_services(),
        };
        Grant {
            title: format!("KMS key {}", self.key_arn()),
            how: "Required if the artifacts are encrypted with a KMS key. Other accounts cannot read objects that are \
                  encrypted with the key aws/s3. Add this statement to the key's policy, then run: aws kms put-key-policy"
                .to_owned(),
            policy: policy(vec![statement]),
        }
    }

    fn images(&self) -> Grant {
        let group = &self.inputs.source_model_package_group_arn;
        let principal = format!("arn:{}:iam::{}:root", self.inputs.partition(), self.reader.account);
        let actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        Grant {
            title: format!("Image repositories of {}", group.account()),
            how: "Images are not copied. If a version's image is in the source account, the target account needs \
                  permission to pull it. Run for each repository: aws ecr set-repository-policy --repository-name \
                  <repository> --policy-text file://policy.json"
                .to_owned(),
            policy: policy(vec![
                json!({"Sid": "SageMakerOfTheTargetPulls", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions}),
            ]),
        }
    }

    /// The rule of the source that forwards events, its role, and the policy of the target's event bus.
    fn events(&self) -> Vec<Grant> {
        let Some(bus) = &self.inputs.module.event_bus_name else { return Vec::new() };
        let (partition, group) = (self.inputs.partition(), &self.inputs.source_model_package_group_arn);
        let bus_arn = format!("arn:{partition}:events:{}:{}:event-bus/{bus}", self.reader.region, self.reader.account);
        let pattern = json!({
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {
                "ModelPackageGroupName": [{"equals-ignore-case": group.name().as_str()}],
                "ModelApprovalStatus": ["Approved", "Rejected"],
            },
        });
        let forward = json!({
            "Sid": "ForwardToTheTarget", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus_arn,
        });
        let enter = json!({
            "Sid": "EventsOfTheSource",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:{partition}:iam::{}:root", group.account())},
            "Action": "events:PutEvents",
            "Resource": bus_arn,
            "Condition": {"StringEquals": {"events:source": "aws.sagemaker"}},
        });
        vec![
            Grant {
                title: "Rule that forwards the events".to_owned(),
                how: format!(
                    "In {}: aws events put-rule --region {} --name promote --event-pattern file://pattern.json, then \
                     aws events put-targets --rule promote --targets Id=target,Arn={bus_arn},RoleArn=<role>",
                    group.account(),
                    group.region()
                ),
                policy: pattern,
            },
            Grant {
                title: "Role of the rule".to_owned(),
                how: "Create a role in the source account that events.amazonaws.com can assume, with this policy"
                    .to_owned(),
                policy: policy(vec![forward]),
            },
            Grant {
                title: format!("Event bus {bus} of the target"),
                how: format!(
                    "In {}: aws events put-permission --region {} --event-bus-name {bus} --policy file://policy.json",
                    self.reader.account, self.reader.region
                ),
                policy: policy(vec![enter]),
            },
        ]
    }
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn role_name(role: &RoleArn) -> &str {
    role.as_str().rsplit('/').next().unwrap_or_default()
}
