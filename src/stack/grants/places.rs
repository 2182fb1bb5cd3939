//! The steps: which policy belongs where, how the present one is read, and how the new one is applied.

use serde_json::Value;

use super::policies::{self, label, policy};
use super::step::{Current, GrantStep, Pair};
use crate::model::arn::{AccountId, RoleArn};
use crate::model::side::Side;
use crate::stack::names::KeyArn;

/// The number of buckets that fit into a managed policy (IAM quotas: 6,144 characters).
const BUCKETS_OF_A_POLICY: usize = 34;
/// The number of buckets that fit into an inline policy beside the other statements (IAM quotas: 10,240 characters for all
/// inline policies of a role).
const BUCKETS_INLINE: usize = 10;

/// The versions of a managed policy that leave no room for another one: IAM keeps five, one of which is the default (IAM
/// quotas).
const OLD_VERSIONS: &str = "reverse(sort_by(Versions[?!IsDefaultVersion], &CreateDate))[3:].VersionId";

/// The steps in their order; their numbers follow.
pub(super) fn steps(pairs: &[Pair<'_>]) -> Vec<GrantStep> {
    let Some(first) = pairs.first() else { return Vec::new() };
    let mut steps: Vec<GrantStep> = event_bus(first).into_iter().collect();
    match &first.0.access.source_role_arn {
        Some(role) => pairs.iter().for_each(|pair| steps.extend(reader_role(pair, role))),
        None => steps.extend(pairs.iter().map(|pair| match pair.0.source_model_package_group_arn.is_pattern() {
            true => share(pair),
            false => group(pair),
        })),
    }
    steps.extend(buckets(pairs));
    steps.push(key(pairs));
    steps.extend(images(pairs));
    steps.extend(pairs.iter().flat_map(rule));
    steps
}

/// A step of the source. Its policy is the stack's own and replaces nothing else.
fn source(pair: &Pair<'_>, title: String, file: String, policy: Value, commands: Vec<String>) -> GrantStep {
    GrantStep {
        order: 0,
        side: Side::Source,
        account: pair.0.source_model_package_group_arn.account().clone(),
        title,
        note: None,
        file,
        policy,
        current: None,
        commands,
        for_each: None,
        may_be_shared: None,
    }
}

impl GrantStep {
    /// The policy that is there is kept: the command prints it, and `absent` is the error if there is none.
    fn merged_with(mut self, command: String, absent: &'static str) -> Self {
        self.current = Some(Current { command, absent });
        self
    }
    fn noted(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }
}

fn group(pair: &Pair<'_>) -> GrantStep {
    let group = &pair.0.source_model_package_group_arn;
    let at = format!("--region {} --model-package-group-name {}", group.region(), group.name());
    let file = format!("{}-group.json", label(pair));
    let put = format!("aws sagemaker put-model-package-group-policy {at} --resource-policy file://merged/{file}");
    let get = format!("aws sagemaker get-model-package-group-policy {at} --query ResourcePolicy --output text");
    let mut step =
        source(pair, format!("model package group {}", group.name()), file, policies::group(pair), vec![put])
            .merged_with(get, "Cannot find resource policy");
    step.may_be_shared = Some(group.to_string());
    step
}

/// The resource share of the groups that match a pattern: SageMaker lists groups of another account only if AWS RAM shares
/// them (SageMaker Developer Guide, "Cross-account discoverability"). AWS RAM writes the policies of the shared groups.
fn share(pair: &Pair<'_>) -> GrantStep {
    let groups = &pair.0.source_model_package_group_arn;
    let (region, name, pattern) = (groups.region(), label(pair), groups.as_str().replace('*', ".*"));
    let file = format!("{name}-share.json");
    let commands = vec![
        format!(
            "listed=$(aws sagemaker list-model-package-groups --region {region} --query \
             'ModelPackageGroupSummaryList[].ModelPackageGroupArn' --output text)"
        ),
        format!("groups=$(tr '\\t' '\\n' <<< \"$listed\" | grep -ix '{pattern}')"),
        format!(
            "share=$(aws ram get-resource-shares --region {region} --resource-owner SELF --resource-share-status ACTIVE \
             --name {name} --query 'resourceShares[].resourceShareArn' --output text)"
        ),
        format!(
            "if [ \"${{share:-None}}\" = None ]; then aws ram create-resource-share --region {region} --cli-input-json \
             file://{file} --resource-arns $groups; else aws ram associate-resource-share --region {region} \
             --resource-share-arn \"$share\" --resource-arns $groups; fi"
        ),
    ];
    let title = format!("resource share of the groups {}", groups.name());
    source(pair, title, file, policies::share(pair), commands).noted(
        "Shares the groups that match now: repeat this step for a new group. If the accounts are in different \
         organizations, the target account has to accept the share: aws ram accept-resource-share-invitation",
    )
}

/// The trust policy of the reader role and its permissions.
fn reader_role(pair: &Pair<'_>, role: &RoleArn) -> Vec<GrantStep> {
    let (name, label, inputs) = (role_name(role), label(pair), pair.0);
    let file = format!("{label}-reader-trust.json");
    let put = format!("aws iam update-assume-role-policy --role-name {name} --policy-document file://merged/{file}");
    let get = format!("aws iam get-role --role-name {name} --query Role.AssumeRolePolicyDocument --output json");
    let trust = source(pair, format!("trust policy of {role}"), file, policies::trust(pair), vec![put]);
    let mut statements = policies::reader(inputs);
    let named = inputs.source_buckets();
    let any = vec![format!("arn:{}:s3:::*", inputs.partition())];
    let arns = if named.is_empty() { any } else { named };
    if arns.len() <= BUCKETS_INLINE {
        statements.extend(policies::reader_of(inputs, &arns));
    }
    let file = format!("{label}-reader.json");
    let put =
        format!("aws iam put-role-policy --role-name {name} --policy-name {label} --policy-document file://{file}");
    let inline = source(pair, format!("permissions of {role}"), file, policy(statements), vec![put]);
    let mut steps = vec![trust.merged_with(get, ""), inline];
    if arns.len() > BUCKETS_INLINE {
        let managed = (1..).zip(arns.chunks(BUCKETS_OF_A_POLICY));
        steps.extend(managed.map(|(number, arns)| reader_buckets(pair, role, number, arns)));
    }
    steps
}

/// A managed policy with some of very many buckets.
fn reader_buckets(pair: &Pair<'_>, role: &RoleArn, number: usize, arns: &[String]) -> GrantStep {
    let name = format!("{}-{number}", label(pair));
    let file = format!("{name}.json");
    let arn = format!("arn:{}:iam::{}:policy/{name}", pair.0.partition(), role.account());
    let commands = vec![
        format!(
            "aws iam create-policy --policy-name {name} --policy-document file://{file} || {{ for old in $(aws iam \
             list-policy-versions --policy-arn {arn} --query '{OLD_VERSIONS}' --output text); do aws iam \
             delete-policy-version --policy-arn {arn} --version-id \"$old\"; done && aws iam create-policy-version \
             --policy-arn {arn} --policy-document file://{file} --set-as-default; }}"
        ),
        format!("aws iam attach-role-policy --role-name {} --policy-arn {arn}", role_name(role)),
    ];
    let title = format!("buckets that {role} reads ({number})");
    source(pair, title, file, policy(policies::reader_of(pair.0, arns)), commands)
}

/// A step for each bucket, with the statements of every group.
fn buckets(pairs: &[Pair<'_>]) -> Vec<GrantStep> {
    let first = &pairs[0];
    let step = |arn: String| {
        let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
        let statements = pairs.iter().flat_map(|pair| policies::bucket(pair, &arn)).collect();
        let file = format!("bucket-{name}.json");
        let put = format!("aws s3api put-bucket-policy --bucket {name} --policy file://merged/{file}");
        let get = format!("aws s3api get-bucket-policy --bucket {name} --query Policy --output text");
        let step = source(first, format!("bucket {name}"), file, policy(statements), vec![put])
            .merged_with(get, "NoSuchBucketPolicy");
        match &first.0.access.source_role_arn {
            Some(_) => {
                step.noted("Optional. With this policy, S3 copies the objects. Without it, promote streams the bytes")
            }
            None => step,
        }
    };
    first.0.source_buckets().into_iter().map(step).collect()
}

fn key(pairs: &[Pair<'_>]) -> GrantStep {
    let (inputs, _) = pairs[0];
    let known = inputs.access.source_kms_key_arn.as_ref();
    let (id, region, title) = match known {
        Some(key) => (key.to_string(), key.region().to_string(), format!("KMS key {key}")),
        None => (
            "\"$each\"".to_owned(),
            "\"$(cut -d: -f4 <<< \"$each\")\"".to_owned(),
            "KMS keys of the artifacts".to_owned(),
        ),
    };
    let at = format!("--region {region} --key-id {id} --policy-name default");
    let file = "key.json".to_owned();
    let put = format!("aws kms put-key-policy {at} --policy file://merged/{file}");
    let get = format!("aws kms get-key-policy {at} --query Policy --output text");
    let policy = policy(pairs.iter().map(policies::key).collect());
    let mut step = source(&pairs[0], title, file, policy, vec![put]).merged_with(get, "").noted(match known {
        Some(_) => "Needed if the artifacts are encrypted with this key",
        None => {
            "Needed if the artifacts are encrypted with KMS keys: set KEYS to their ARNs. Other accounts cannot read \
             objects that are encrypted with the key aws/s3"
        }
    });
    step.account = known.map_or(step.account, |key: &KeyArn| key.account().clone());
    step.for_each = known.is_none().then_some("KEYS");
    step
}

/// A step for each repository that is named, and one for those of patterns or without a name. A role of the source needs
/// no policy of a repository: its own permissions are enough to copy images.
fn images(pairs: &[Pair<'_>]) -> Vec<GrantStep> {
    let (inputs, _) = &pairs[0];
    if inputs.copies_images() && inputs.access.source_role_arn.is_some() {
        return Vec::new();
    }
    let names = inputs.image_repositories();
    let (named, patterns): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.is_name());
    let mut steps: Vec<GrantStep> = named
        .into_iter()
        .map(|name| {
            // No name of a repository has a plus sign.
            let file = format!("repository-{}.json", name.as_str().replace('/', "+"));
            repository(pairs, name.as_str(), format!("image repository {name}"), file)
        })
        .collect();
    if names.is_empty() || !patterns.is_empty() {
        let step = repository(pairs, "\"$each\"", "image repositories".to_owned(), "images.json".to_owned());
        let note = "Needed for images in this account: set REPOSITORIES to the names of their repositories";
        steps.push(GrantStep { for_each: Some("REPOSITORIES"), ..step.noted(note) });
    }
    steps
}

fn repository(pairs: &[Pair<'_>], name: &str, title: String, file: String) -> GrantStep {
    let at = format!("--region {} --repository-name {name}", pairs[0].0.source_model_package_group_arn.region());
    let put = format!("aws ecr set-repository-policy {at} --policy-text file://merged/{file}");
    let get = format!("aws ecr get-repository-policy {at} --query policyText --output text");
    source(&pairs[0], title, file, policies::repository(pairs), vec![put])
        .merged_with(get, "RepositoryPolicyNotFoundException")
}

/// The ARN of the target's event bus.
fn bus_arn((inputs, reader): &Pair<'_>) -> Option<String> {
    let bus = inputs.module.event_bus_name.as_ref()?;
    Some(format!("arn:{}:events:{}:{}:event-bus/{bus}", inputs.partition(), reader.region, reader.account))
}

fn event_bus(pair: &Pair<'_>) -> Option<GrantStep> {
    let (inputs, reader) = pair;
    let (arn, bus) = (bus_arn(pair)?, inputs.module.event_bus_name.as_ref()?);
    let file = format!("event-bus-of-{}.json", reader.account);
    let put = format!(
        "aws events put-permission --region {} --event-bus-name {bus} --policy file://merged/{file}",
        reader.region
    );
    let get =
        format!("aws events describe-event-bus --region {} --name {bus} --query Policy --output text", reader.region);
    let mut step =
        source(pair, format!("event bus {bus}"), file, policies::bus(inputs, &arn), vec![put]).merged_with(get, "");
    (step.side, step.account) = (Side::Target, AccountId::clone(reader.account));
    Some(step)
}

/// The event rule that forwards the group's events, and its role. Their names contain the name of the group.
fn rule(pair: &Pair<'_>) -> Vec<GrantStep> {
    let Some(bus) = bus_arn(pair) else { return Vec::new() };
    let (inputs, label) = (pair.0, label(pair));
    let group = &inputs.source_model_package_group_arn;
    let (trust, forward, pattern) =
        (format!("{label}-events-trust.json"), format!("{label}-events.json"), format!("{label}-pattern.json"));
    let role = format!("arn:{}:iam::{}:role/{label}", inputs.partition(), group.account());
    let create = vec![
        format!(
            "aws iam create-role --role-name {label} --assume-role-policy-document file://{trust} || \
             echo 'The role may exist: its trust policy is renewed' >&2"
        ),
        format!("aws iam update-assume-role-policy --role-name {label} --policy-document file://{trust}"),
    ];
    let allow = vec![format!(
        "aws iam put-role-policy --role-name {label} --policy-name {label} --policy-document file://{forward}"
    )];
    let rule = vec![
        format!("aws events put-rule --region {} --name {label} --event-pattern file://{pattern}", group.region()),
        format!(
            "aws events put-targets --region {} --rule {label} --targets Id={label},Arn={bus},RoleArn={role}",
            group.region()
        ),
    ];
    let name = group.name();
    vec![
        source(pair, format!("role of the rule for {name}"), trust, policies::events_trust(inputs), create),
        source(pair, format!("permissions of the rule for {name}"), forward, policies::forward(&bus), allow),
        source(pair, format!("rule that forwards the events of {name}"), pattern, policies::pattern(inputs), rule),
    ]
}

fn role_name(role: &RoleArn) -> &str {
    role.as_str().rsplit('/').next().unwrap_or_default()
}
