//! What the stack is told: texts come in, checked one by one and against each other; the template's parameters come
//! out.
//!
//! One rule names them all: the input `target_bucket_name` is the flag `--target-bucket-name`, the variables
//! `PROMOTE_TARGET_BUCKET_NAME` and `SEEDFARMER_PARAMETER_TARGET_BUCKET_NAME`, and the template's parameter
//! `TargetBucketName`.

use std::fmt;

use clap::Args;

use super::names::{
    Buckets, EventBusName, ImageUri, KeyArn, PolicyArn, PolicyName, ProjectId, ProjectName, Qualifier, StackName,
    TopicArn, arn_fields,
};
use crate::promotion::arn::{AccountId, GroupArn, GroupName, Malformed, Region, RoleArn};
use crate::promotion::layout::TargetPrefix;
use crate::promotion::location::BucketName;
use crate::promotion::registration::Approval;

const COMPUTE_TYPES: [&str; 5] = [
    "BUILD_GENERAL1_SMALL",
    "BUILD_GENERAL1_MEDIUM",
    "BUILD_GENERAL1_LARGE",
    "BUILD_GENERAL1_XLARGE",
    "BUILD_GENERAL1_2XLARGE",
];

/// What CloudWatch Logs accepts (`PutRetentionPolicy`).
const RETENTION_DAYS: [&str; 22] = [
    "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827",
    "2192", "2557", "2922", "3288", "3653",
];

/// Every input of the stack.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What is promoted")]
pub struct Inputs {
    /// Model package group of the source account
    #[arg(long, env = "PROMOTE_SOURCE_MODEL_PACKAGE_GROUP_ARN", value_name = "ARN")]
    pub source_model_package_group_arn: GroupArn,
    /// Bucket of the target account for the artifacts
    #[arg(long, env = "PROMOTE_TARGET_BUCKET_NAME", value_name = "BUCKET")]
    pub target_bucket_name: BucketName,
    /// Model package group of the target [default: the source group's name]
    #[arg(long, env = "PROMOTE_TARGET_MODEL_PACKAGE_GROUP_NAME", value_name = "NAME")]
    pub target_model_package_group_name: Option<GroupName>,
    /// Key prefix for everything that is written to the target bucket [default: none]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX")]
    pub target_prefix: Option<TargetPrefix>,
    /// Approval status of a promoted version: the source's (carry), or left to somebody in the target (pending)
    #[arg(long, env = "PROMOTE_APPROVAL", value_name = "WHAT", value_enum, default_value_t = Approval::Carry)]
    pub approval: Approval,
    /// How the two accounts are reached.
    #[command(flatten)]
    pub access: Access,
    /// What starts a run, what comes of it, and what the stack belongs to.
    #[command(flatten)]
    pub module: Module,
    /// Where and how long it runs.
    #[command(flatten)]
    pub build: Build,
}

/// How the two accounts are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Accounts")]
pub struct Access {
    /// Account that the stack is deployed in [also: AWS_ACCOUNT_ID]
    #[arg(long, env = "PROMOTE_TARGET_ACCOUNT", value_name = "ACCOUNT")]
    pub target_account: Option<AccountId>,
    /// Region that the stack is deployed in [also: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, env = "PROMOTE_TARGET_REGION", value_name = "REGION")]
    pub target_region: Option<Region>,
    /// Role of the source account to read with [default: the build's own role reads]
    #[arg(long, env = "PROMOTE_SOURCE_ROLE_ARN", value_name = "ARN")]
    pub source_role_arn: Option<RoleArn>,
    /// Buckets that artifacts may be read from, separated by commas [default: those of the source account]
    #[arg(long, env = "PROMOTE_SOURCE_BUCKET_NAMES", value_name = "BUCKETS")]
    pub source_bucket_names: Option<Buckets>,
    /// KMS key that encrypts the artifacts at the source [default: those of the source account]
    #[arg(long, env = "PROMOTE_SOURCE_KMS_KEY_ARN", value_name = "ARN")]
    pub source_kms_key_arn: Option<KeyArn>,
    /// KMS key that encrypts the artifacts in the target [default: the bucket's own encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN")]
    pub kms_key_arn: Option<KeyArn>,
    /// Asymmetric KMS key that signs the record of each promotion [default: unsigned]
    #[arg(long, env = "PROMOTE_SIGNING_KEY_ARN", value_name = "ARN")]
    pub signing_key_arn: Option<KeyArn>,
    /// IAM policy of the target account that bounds every role of the stack
    #[arg(long, env = "PROMOTE_PERMISSIONS_BOUNDARY_NAME", value_name = "NAME")]
    pub permissions_boundary_name: Option<PolicyName>,
    /// The same by its ARN; the name wins [also: SEEDFARMER_PERMISSIONS_BOUNDARY_ARN]
    #[arg(long, env = "PROMOTE_PERMISSIONS_BOUNDARY_ARN", value_name = "ARN")]
    pub permissions_boundary_arn: Option<PolicyArn>,
}

/// What starts a run, what comes of it, and what the stack belongs to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stack")]
pub struct Module {
    /// Name of the stack [default: SeedFarmer's project, deployment and module]
    #[arg(long, env = "PROMOTE_STACK_NAME", value_name = "NAME")]
    pub stack_name: Option<StackName>,
    /// Event bus of the target account that receives the source's events [default: no rule]
    #[arg(long, env = "PROMOTE_EVENT_BUS_NAME", value_name = "NAME")]
    pub event_bus_name: Option<EventBusName>,
    /// Whether each run first does a dry run and waits until somebody approves it
    #[arg(long, env = "PROMOTE_REVIEW_BEFORE_PROMOTION", value_name = "true|false", default_value = "false", value_parser = truth, action = clap::ArgAction::Set)]
    pub review_before_promotion: bool,
    /// SNS topic that is told how each run ended
    #[arg(long, env = "PROMOTE_RESULTS_TOPIC_ARN", value_name = "ARN")]
    pub results_topic_arn: Option<TopicArn>,
    /// Whether promoted versions stay when the stack is deleted; artifacts always stay
    #[arg(long, env = "PROMOTE_RETAIN_ON_DELETE", value_name = "true|false", default_value = "true", value_parser = truth, action = clap::ArgAction::Set)]
    pub retain_on_delete: bool,
    /// Id of the SageMaker project that the target group belongs to
    #[arg(long, env = "PROMOTE_SAGEMAKER_PROJECT_ID", value_name = "ID")]
    pub sagemaker_project_id: Option<ProjectId>,
    /// Name of the SageMaker project that the target group belongs to
    #[arg(long, env = "PROMOTE_SAGEMAKER_PROJECT_NAME", value_name = "NAME")]
    pub sagemaker_project_name: Option<ProjectName>,
}

/// Where and how long it runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Build")]
pub struct Build {
    /// Image with promote in an ECR repository of the target account and region [default of assembly: built from
    /// --image-dir]
    #[arg(long, env = "PROMOTE_IMAGE_URI", value_name = "URI")]
    pub image_uri: Option<ImageUri>,
    /// Size of the build
    #[arg(long, env = "PROMOTE_COMPUTE_TYPE", value_name = "TYPE", default_value = COMPUTE_TYPES[0], value_parser = COMPUTE_TYPES)]
    pub compute_type: String,
    /// Minutes after which a run is stopped
    #[arg(long, env = "PROMOTE_TIMEOUT_MINUTES", value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u16).range(5..=2160))]
    pub timeout_minutes: u16,
    /// Days that logs are kept, as CloudWatch Logs accepts them
    #[arg(long, env = "PROMOTE_LOG_RETENTION_DAYS", value_name = "DAYS", default_value = "90", value_parser = RETENTION_DAYS)]
    pub log_retention_days: String,
    /// Qualifier of the CDK bootstrap
    #[arg(long, env = "PROMOTE_BOOTSTRAP_QUALIFIER", value_name = "QUALIFIER", default_value = "hnb659fds")]
    pub bootstrap_qualifier: Qualifier,
}

/// As YAML, JSON and Python write it.
fn truth(text: &str) -> Result<bool, Malformed> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Malformed::new("a truth value", "true or false", text)),
    }
}

/// Two inputs that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    input: &'static str,
    message: String,
}

impl Conflict {
    /// `message` says what is wrong with `input` (its flag) and what is expected.
    pub fn new(input: &'static str, message: impl Into<String>) -> Self {
        Self { input, message: message.into() }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.message)
    }
}

impl std::error::Error for Conflict {}

/// The image that the build runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its repository in the target account and region.
    pub repository: String,
    /// Its tag.
    pub tag: String,
}

impl Image {
    /// An image that is in its repository already.
    pub fn pushed(uri: &ImageUri) -> Self {
        Self { repository: uri.repository().to_owned(), tag: uri.tag().to_owned() }
    }
}

impl Inputs {
    /// The group that versions are promoted into.
    pub fn target_group(&self) -> &GroupName {
        self.target_model_package_group_name.as_ref().unwrap_or(self.source_model_package_group_arn.name())
    }

    /// The policy that bounds every role, if any.
    fn boundary(&self) -> Option<&PolicyName> {
        let by_arn = self.access.permissions_boundary_arn.as_ref().map(PolicyArn::name);
        self.access.permissions_boundary_name.as_ref().or(by_arn)
    }

    /// `aws`, `aws-cn`, … as the source group's ARN says.
    pub fn partition(&self) -> &str {
        arn_fields(self.source_model_package_group_arn.as_str()).map_or("aws", |(partition, ..)| partition)
    }

    /// Whether the inputs agree with each other.
    ///
    /// # Errors
    /// The first two that do not, with what is expected.
    pub fn check(&self) -> Result<(), Conflict> {
        self.check_partitions()?;
        self.check_source()?;
        self.check_regions()?;
        self.check_accounts()
    }

    fn check_partitions(&self) -> Result<(), Conflict> {
        let (access, partition) = (&self.access, self.partition());
        let arns = [
            ("--source-role-arn", access.source_role_arn.as_ref().map(RoleArn::as_str)),
            ("--source-kms-key-arn", access.source_kms_key_arn.as_ref().map(KeyArn::as_str)),
            ("--kms-key-arn", access.kms_key_arn.as_ref().map(KeyArn::as_str)),
            ("--signing-key-arn", access.signing_key_arn.as_ref().map(KeyArn::as_str)),
            ("--permissions-boundary-arn", access.permissions_boundary_arn.as_ref().map(PolicyArn::as_str)),
            ("--results-topic-arn", self.module.results_topic_arn.as_ref().map(TopicArn::as_str)),
        ];
        for (input, arn) in arns.into_iter().filter_map(|(input, arn)| Some((input, arn?))) {
            if arn_fields(arn).is_none_or(|(of, ..)| of != partition) {
                let message =
                    format!("{arn} is of another partition than the source group; expected arn:{partition}:…");
                return Err(Conflict::new(input, message));
            }
        }
        Ok(())
    }

    fn check_source(&self) -> Result<(), Conflict> {
        let (access, group) = (&self.access, &self.source_model_package_group_arn);
        if let Some(role) = access.source_role_arn.as_ref().filter(|role| role.account() != group.account()) {
            let message = format!("the role is of account {}, the source group of {}", role.account(), group.account());
            let expected = format!("expected a role of {}, which reads the group", group.account());
            return Err(Conflict::new("--source-role-arn", format!("{message}; {expected}")));
        }
        let here = access.target_account.as_ref() == Some(group.account())
            && access.target_region.as_ref() == Some(group.region());
        if here && group.name().is(self.target_group().as_str()) {
            let message = "the target group would be the source group itself; expected another name, or a stack in \
                           another account or region";
            return Err(Conflict::new("--target-model-package-group-name", message));
        }
        Ok(())
    }

    /// Keys, topics and images are used in the region of the stack.
    fn check_regions(&self) -> Result<(), Conflict> {
        let Some(region) = &self.access.target_region else { return Ok(()) };
        let regions = [
            ("--kms-key-arn", "the key", self.access.kms_key_arn.as_ref().map(KeyArn::region)),
            ("--signing-key-arn", "the key", self.access.signing_key_arn.as_ref().map(KeyArn::region)),
            ("--results-topic-arn", "the topic", self.module.results_topic_arn.as_ref().map(TopicArn::region)),
            ("--image-uri", "the image", self.build.image_uri.as_ref().map(ImageUri::region)),
        ];
        for (input, what, other) in regions.into_iter().filter_map(|(input, what, other)| Some((input, what, other?))) {
            if other != region {
                let message = format!("{what} is in {other}, the stack in {region}; expected one in {region}");
                return Err(Conflict::new(input, message));
            }
        }
        Ok(())
    }

    /// What the stack can only use in its own account.
    fn check_accounts(&self) -> Result<(), Conflict> {
        let Some(account) = &self.access.target_account else { return Ok(()) };
        let boundary = self.access.permissions_boundary_arn.as_ref();
        let accounts = [
            ("--image-uri", "the image", self.build.image_uri.as_ref().map(ImageUri::account)),
            ("--permissions-boundary-arn", "the policy", boundary.map(PolicyArn::account)),
        ];
        for (input, what, other) in accounts.into_iter().filter_map(|(input, what, other)| Some((input, what, other?)))
        {
            if other != account {
                let message =
                    format!("{what} is of account {other}, the stack of {account}; expected one of {account}");
                return Err(Conflict::new(input, message));
            }
        }
        Ok(())
    }

    /// Every parameter of the template with its value; what is unset is empty, so that an update unsets it, too.
    pub fn parameters(&self, image: &Image) -> Vec<(&'static str, String)> {
        fn text(value: &Option<impl fmt::Display>) -> String {
            value.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        let (access, module, build) = (&self.access, &self.module, &self.build);
        let approval = match self.approval {
            Approval::Carry => "carry",
            Approval::Pending => "pending",
        };
        vec![
            ("SourceModelPackageGroupArn", self.source_model_package_group_arn.to_string()),
            ("SourceGroupInLowerCase", lower(self.source_model_package_group_arn.name())),
            ("TargetBucketName", self.target_bucket_name.to_string()),
            ("TargetModelPackageGroupName", text(&self.target_model_package_group_name)),
            ("TargetGroupInLowerCase", lower(self.target_group())),
            ("TargetPrefix", text(&self.target_prefix)),
            ("Approval", approval.to_owned()),
            ("EventBusName", text(&module.event_bus_name)),
            ("ReviewBeforePromotion", module.review_before_promotion.to_string()),
            ("ResultsTopicArn", text(&module.results_topic_arn)),
            ("SourceRoleArn", text(&access.source_role_arn)),
            ("SourceBucketArns", self.source_buckets().join(",")),
            ("SourceKmsKeyArn", text(&access.source_kms_key_arn)),
            ("KmsKeyArn", text(&access.kms_key_arn)),
            ("SigningKeyArn", text(&access.signing_key_arn)),
            ("PermissionsBoundaryName", self.boundary().map(ToString::to_string).unwrap_or_default()),
            ("RetainOnDelete", module.retain_on_delete.to_string()),
            ("SageMakerProjectId", text(&module.sagemaker_project_id)),
            ("SageMakerProjectName", text(&module.sagemaker_project_name)),
            ("ImageRepositoryName", image.repository.clone()),
            ("ImageTag", image.tag.clone()),
            ("ComputeType", build.compute_type.clone()),
            ("TimeoutMinutes", build.timeout_minutes.to_string()),
            ("LogRetentionDays", build.log_retention_days.clone()),
        ]
    }

    /// The buckets that are named, as ARNs.
    pub(super) fn source_buckets(&self) -> Vec<String> {
        let names = self.access.source_bucket_names.as_ref().map(Buckets::names).unwrap_or_default();
        names.iter().map(|name| format!("arn:{}:s3:::{name}", self.partition())).collect()
    }
}

/// The name in lower case where that differs, as the ARNs of a group's versions have it.
fn lower(group: &GroupName) -> String {
    let lower = group.as_str().to_ascii_lowercase();
    if lower == group.as_str() { String::new() } else { lower }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{FromArgMatches, Parser};
    use regex::Regex;
    use serde_json::Value;

    use super::*;
    use crate::stack::template;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        inputs: Inputs,
    }

    fn inputs(more: &[&str]) -> Inputs {
        let group = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";
        let line = ["promote", "--source-model-package-group-arn", group, "--target-bucket-name", "serving"];
        let matches = <Line as clap::CommandFactory>::command()
            .mut_args(|argument| argument.env(None::<&str>))
            .get_matches_from(line.iter().chain(more));
        Line::from_arg_matches(&matches).unwrap().inputs
    }

    const EVERYTHING: [&str; 42] = [
        "--target-model-package-group-name",
        "Churn",
        "--target-prefix",
        "models/promoted",
        "--approval",
        "pending",
        "--target-account",
        "111222333444",
        "--target-region",
        "eu-central-1",
        "--source-role-arn",
        "arn:aws:iam::444333666777:role/reader",
        "--source-bucket-names",
        "models,metrics",
        "--source-kms-key-arn",
        "arn:aws:kms:eu-central-1:444333666777:key/1",
        "--kms-key-arn",
        "arn:aws:kms:eu-central-1:111222333444:key/2",
        "--signing-key-arn",
        "arn:aws:kms:eu-central-1:111222333444:key/3",
        "--permissions-boundary-name",
        "boundary",
        "--stack-name",
        "mlops",
        "--event-bus-name",
        "mlops-bus",
        "--review-before-promotion",
        "true",
        "--results-topic-arn",
        "arn:aws:sns:eu-central-1:111222333444:results",
        "--retain-on-delete",
        "false",
        "--sagemaker-project-id",
        "p-1",
        "--sagemaker-project-name",
        "churn",
        "--compute-type",
        "BUILD_GENERAL1_LARGE",
        "--timeout-minutes",
        "30",
        "--log-retention-days",
        "7",
    ];

    fn image() -> Image {
        Image { repository: "promote".into(), tag: "1".into() }
    }

    #[test]
    fn every_parameter_of_the_template_is_given_and_none_that_it_does_not_have() {
        let template = template::json().unwrap();
        let declared: BTreeSet<&str> = template["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
        let parameters = inputs(&[]).parameters(&image());
        let given: BTreeSet<&str> = parameters.iter().map(|(name, _)| *name).collect();
        assert_eq!(given, declared);
    }

    #[test]
    fn the_template_accepts_what_the_inputs_accept() {
        let template = template::json().unwrap();
        for more in [&[] as &[&str], &EVERYTHING] {
            let inputs = inputs(more);
            assert_eq!(inputs.check(), Ok(()));
            for (name, value) in inputs.parameters(&image()) {
                assert_fits(&template["Parameters"][name], name, &value);
            }
        }
    }

    fn assert_fits(parameter: &Value, name: &str, value: &str) {
        if let Some(pattern) = parameter["AllowedPattern"].as_str() {
            let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
            let list = parameter["Type"] == "CommaDelimitedList";
            let values: Vec<&str> = if list { value.split(',').collect() } else { vec![value] };
            assert!(values.iter().all(|value| pattern.is_match(value)), "{name}={value} does not match {pattern}");
        }
        if let Some(allowed) = parameter["AllowedValues"].as_array() {
            let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
            assert!(allowed.iter().any(|one| text(one) == value), "{name}={value}");
        }
    }

    #[test]
    fn defaults_are_the_template_s() {
        let template = template::json().unwrap();
        for (name, value) in inputs(&[]).parameters(&image()) {
            let default = &template["Parameters"][name]["Default"];
            let required = ["SourceModelPackageGroupArn", "TargetBucketName", "ImageRepositoryName", "ImageTag"];
            if required.contains(&name) || name.ends_with("InLowerCase") {
                continue;
            }
            assert_eq!(default.as_str().map_or_else(|| default.to_string(), str::to_owned), value, "{name}");
        }
    }

    #[test]
    fn a_group_with_capitals_is_also_given_in_lower_case() {
        let given = |inputs: Inputs, name: &str| {
            inputs.parameters(&image()).into_iter().find(|(one, _)| *one == name).unwrap().1
        };
        assert_eq!(given(inputs(&[]), "SourceGroupInLowerCase"), "churn-model");
        assert_eq!(given(inputs(&[]), "TargetGroupInLowerCase"), "churn-model");
        let other = inputs(&["--target-model-package-group-name", "churn"]);
        assert_eq!(given(other, "TargetGroupInLowerCase"), "");
    }

    #[test]
    fn the_name_of_a_boundary_wins_over_its_arn() {
        let arn = ["--permissions-boundary-arn", "arn:aws:iam::111222333444:policy/of-the-deployment"];
        assert_eq!(inputs(&arn).boundary().unwrap().as_str(), "of-the-deployment");
        let both: Vec<&str> = arn.into_iter().chain(["--permissions-boundary-name", "of-the-module"]).collect();
        assert_eq!(inputs(&both).boundary().unwrap().as_str(), "of-the-module");
    }
}
