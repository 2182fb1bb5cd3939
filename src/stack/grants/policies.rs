//! The documents: statements that let a reader in, with Sids that name the group.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::step::{Pair, Reader};
use crate::stack::inputs::Inputs;
use crate::stack::names::{KeyArn, StackName};

/// A role's name keeps this much of its stack's name; CloudFormation shortens longer names.
const OF_A_ROLE: usize = 20;
/// What a run calls to read images. Settings of a repository are read when one is created in the target.
const READS_IMAGES: [&str; 3] = ["ecr:BatchGetImage", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer"];
/// A name that is made here has at most 64 characters, as IAM's roles and EventBridge's rules have.
const OF_A_GROUP: usize = 46;

/// The names of the build's roles that a stack can have. A short name is not shortened, so that it is known whole.
pub(super) fn role_pattern(stack: &StackName) -> String {
    let start: String = stack.as_str().chars().take(OF_A_ROLE).collect();
    if start == stack.as_str() { format!("{start}-BuildRole-*") } else { format!("{start}*") }
}

/// What tells the grants of a group for one stack from those of other groups and stacks.
fn mark((inputs, reader): &Pair<'_>) -> String {
    let stack = reader.stack.map_or("", StackName::as_str);
    let group = inputs.source_model_package_group_arn.canonical();
    let of = format!("{group} {} {} {stack}", reader.account, reader.region);
    hex::encode(&Sha256::digest(of)[..4])
}

/// A name for the rule, the role and the policies of a group, such as `promote-churn-1a2b3c4d`.
pub(super) fn label(pair: &Pair<'_>) -> String {
    let group: String = pair.0.source_model_package_group_arn.label().chars().take(OF_A_GROUP).collect();
    format!("promote-{group}-{}", mark(pair))
}

/// A Sid of letters and digits, such as `PromoteChurnReadsObjects1a2b3c4d`.
fn sid(pair: &Pair<'_>, act: &str) -> String {
    let name = pair.0.source_model_package_group_arn.label();
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    format!("Promote{}{act}{}", words.collect::<String>(), mark(pair))
}

/// A policy document.
pub(super) fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A statement of a resource's policy that allows the build's role. Trust policies have no resource.
fn lets_in(pair: &Pair<'_>, act: &str, actions: &[&str], resource: Option<Value>) -> Value {
    let (inputs, Reader { account, role, stack, .. }) = pair;
    let partition = inputs.partition();
    let root = format!("arn:{partition}:iam::{account}:root");
    let principal = role.map_or(root, ToString::to_string);
    let mut statement = json!({
        "Sid": sid(pair, act), "Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions,
    });
    if let Some(resource) = resource {
        statement["Resource"] = resource;
    }
    if let (None, Some(stack)) = (role, stack) {
        let role = format!("arn:{partition}:iam::{account}:role/{}", role_pattern(stack));
        statement["Condition"] = json!({"ArnLike": {"aws:PrincipalArn": role}});
    }
    statement
}

/// The ARNs of the group, or of the groups of a pattern. SageMaker writes a name as it was created or in lower case, and
/// IAM compares letter case, so both spellings are granted.
fn groups(inputs: &Inputs) -> Vec<String> {
    let group = &inputs.source_model_package_group_arn;
    let mut arns = vec![group.to_string(), group.canonical()];
    arns.dedup();
    arns
}

/// The ARNs of the group's versions, in both spellings.
fn versions(inputs: &Inputs) -> Vec<String> {
    let of_group = |arn: String| format!("{}/*", arn.replacen(":model-package-group/", ":model-package/", 1));
    groups(inputs).into_iter().map(of_group).collect()
}

/// The resource policy of the group.
pub(super) fn group(pair: &Pair<'_>) -> Value {
    let read = ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"];
    policy(vec![
        lets_in(pair, "ReadsGroup", &["sagemaker:DescribeModelPackageGroup"], Some(groups(pair.0).into())),
        lets_in(pair, "ReadsVersions", &read, Some(versions(pair.0).into())),
    ])
}

/// The resource share of the groups of a pattern, as `aws ram create-resource-share --cli-input-json` reads it.
pub(super) fn share(pair: &Pair<'_>) -> Value {
    json!({"name": label(pair), "principals": [pair.1.account.as_str()]})
}

/// The trust policy of a reader role.
pub(super) fn trust(pair: &Pair<'_>) -> Value {
    policy(vec![lets_in(pair, "AssumesReader", &["sts:AssumeRole"], None)])
}

/// The statements of a bucket's policy.
pub(super) fn bucket(pair: &Pair<'_>, arn: &str) -> [Value; 2] {
    [
        lets_in(pair, "ReadsObjects", &["s3:GetObject"], Some(format!("{arn}/*").into())),
        lets_in(pair, "ListsBucket", &["s3:ListBucket"], Some(arn.into())),
    ]
}

/// The statement of a key's policy.
pub(super) fn key(pair: &Pair<'_>) -> Value {
    let mut statement = lets_in(pair, "Decrypts", &["kms:Decrypt"], Some("*".into()));
    add_condition(&mut statement, through_services(pair.0));
    statement
}

/// KMS is only used through S3 and SageMaker, in the region of the key.
fn through_services(inputs: &Inputs) -> Value {
    let suffix = if inputs.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let key = inputs.access.source_kms_key_arn.as_ref();
    let region = key.map_or("*", |key| key.region().as_str());
    let services = ["s3", "sagemaker"].map(|service| format!("{service}.{region}.{suffix}"));
    let operator = if key.is_some() { "StringEquals" } else { "StringLike" };
    json!({operator: {"kms:ViaService": services}})
}

fn add_condition(statement: &mut Value, condition: Value) {
    match (statement["Condition"].as_object_mut(), condition) {
        (Some(conditions), Value::Object(more)) => conditions.extend(more),
        (_, condition) => statement["Condition"] = condition,
    }
}

fn allow(sid: &str, actions: &[&str], resource: Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
}

/// What a reader role may do with the group, keys and images. Without a key, those of its account.
pub(super) fn reader(inputs: &Inputs) -> Vec<Value> {
    let group = &inputs.source_model_package_group_arn;
    let registry = ["sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags", "sagemaker:ListModelPackages"];
    let versions_too: Vec<String> = groups(inputs).into_iter().chain(versions(inputs)).collect();
    let any_key = || format!("arn:{}:kms:*:{}:key/*", inputs.partition(), group.account());
    let key = inputs.access.source_kms_key_arn.as_ref().map_or_else(any_key, KeyArn::to_string);
    let mut decrypt = allow("DecryptTheArtifacts", &["kms:Decrypt"], key.into());
    add_condition(&mut decrypt, through_services(inputs));
    let find = group.is_pattern().then(|| allow("FindTheGroups", &["sagemaker:ListModelPackageGroups"], "*".into()));
    let mut statements: Vec<Value> = find.into_iter().collect();
    statements.extend([
        allow("ReadTheGroup", &registry, versions_too.into()),
        allow("ReadItsVersions", &["sagemaker:DescribeModelPackage"], versions(inputs).into()),
        decrypt,
    ]);
    if inputs.copies_images() {
        let any = || vec![format!("arn:{}:ecr:*:{}:repository/*", inputs.partition(), group.account())];
        let named = Some(inputs.source_repositories()).filter(|arns| !arns.is_empty());
        statements.push(allow("ReadTheImages", &READS_IMAGES, named.unwrap_or_else(any).into()));
    }
    statements
}

/// What a reader role may do with buckets. Without a name, those of its account.
pub(super) fn reader_of(inputs: &Inputs, arns: &[String]) -> Vec<Value> {
    let objects: Vec<String> = arns.iter().map(|arn| format!("{arn}/*")).collect();
    let mut statements = vec![
        allow("ReadTheArtifacts", &["s3:GetObject"], objects.into()),
        allow("ListTheArtifacts", &["s3:ListBucket"], arns.into()),
    ];
    if inputs.access.source_bucket_names.is_none() {
        let account = inputs.source_model_package_group_arn.account().as_str();
        for statement in &mut statements {
            add_condition(statement, json!({"StringEquals": {"aws:ResourceAccount": account}}));
        }
    }
    statements
}

/// The policy of image repositories.
pub(super) fn repository(pairs: &[Pair<'_>]) -> Value {
    match pairs[0].0.copies_images() {
        true => policy(pairs.iter().map(|pair| lets_in(pair, "ReadsImages", &READS_IMAGES, None)).collect()),
        false => policy(vec![pulls(&pairs[0])]),
    }
}

/// Images that stay in the source account are pulled by SageMaker's roles in the target, so their account is let in.
fn pulls((inputs, reader): &Pair<'_>) -> Value {
    let actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    json!({
        "Sid": format!("PromoteImagesFor{}", reader.account),
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:{}:iam::{}:root", inputs.partition(), reader.account)},
        "Action": actions,
    })
}

/// The pattern of the rule that forwards the group's events.
pub(super) fn pattern(inputs: &Inputs) -> Value {
    let groups = &inputs.source_model_package_group_arn;
    let (name, lower) = (groups.name(), groups.name().to_ascii_lowercase());
    // A wildcard compares letter case.
    let names = match (groups.is_pattern(), name == lower) {
        (false, _) => json!([{"equals-ignore-case": name}]),
        (true, true) => json!([{"wildcard": name}]),
        (true, false) => json!([{"wildcard": name}, {"wildcard": lower}]),
    };
    json!({
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": names,
            "ModelApprovalStatus": ["Approved", "Rejected"],
        },
    })
}

/// The trust policy of the rule's role.
pub(super) fn events_trust(inputs: &Inputs) -> Value {
    let account = inputs.source_model_package_group_arn.account().as_str();
    policy(vec![json!({
        "Sid": "RulesOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    })])
}

/// What the rule's role may do.
pub(super) fn forward(bus: &str) -> Value {
    policy(vec![allow("ForwardToTheTarget", &["events:PutEvents"], bus.into())])
}

/// The policy of the target's event bus.
pub(super) fn bus(inputs: &Inputs, bus: &str) -> Value {
    let account = inputs.source_model_package_group_arn.account();
    policy(vec![json!({
        "Sid": format!("PromoteEventsOf{account}"),
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:{}:iam::{account}:root", inputs.partition())},
        "Action": "events:PutEvents",
        "Resource": bus,
        "Condition": {"StringEquals": {"events:source": "aws.sagemaker"}},
    })])
}
