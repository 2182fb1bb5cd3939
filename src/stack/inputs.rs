//! The inputs of the stack. `agreement` checks them against each other, `parameters` turns them into the template's
//! parameters.
//!
//! All inputs are named by one rule: the input `target_bucket_name` is the flag `--target-bucket-name`, the variables
//! `PROMOTE_TARGET_BUCKET_NAME` and `SEEDFARMER_PARAMETER_TARGET_BUCKET_NAME`, and the template's parameter
//! `TargetBucketName`.

use clap::Args;

use super::image_uri::BuildImageUri;
use super::names::{
    Buckets, EventBusName, KeyArn, PolicyArn, PolicyName, ProjectId, ProjectName, Qualifier, StackName, TopicArn,
};
use super::repositories::{Repositories, RepositoryPattern};
use super::schedule::Schedule;
use super::source::SourceGroups;
use crate::model::approval::Approval;
use crate::model::arn::{AccountId, GroupTemplate, Malformed, Region, RoleArn, partition};
use crate::model::image::RepositoryPrefix;
use crate::model::layout::TargetPrefix;
use crate::model::location::BucketName;

/// The time limit of a build, in minutes.
pub const DEFAULT_MINUTES: u16 = 60;

const COMPUTE_TYPES: [&str; 10] = [
    "BUILD_GENERAL1_SMALL",
    "BUILD_GENERAL1_MEDIUM",
    "BUILD_GENERAL1_LARGE",
    "BUILD_GENERAL1_XLARGE",
    "BUILD_GENERAL1_2XLARGE",
    "BUILD_LAMBDA_1GB",
    "BUILD_LAMBDA_2GB",
    "BUILD_LAMBDA_4GB",
    "BUILD_LAMBDA_8GB",
    "BUILD_LAMBDA_10GB",
];

/// The retention periods of CloudWatch Logs (`PutRetentionPolicy`).
const RETENTION_DAYS: [&str; 22] = [
    "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827",
    "2192", "2557", "2922", "3288", "3653",
];

/// The canned ACLs that `promote full --target-acl` accepts.
const ACLS: [&str; 3] = ["private", "bucket-owner-read", "bucket-owner-full-control"];

/// What `promote full --images` accepts.
const IMAGES: [&str; 2] = ["copy", "keep"];

/// Every input of the stack.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Promotion")]
pub struct Inputs {
    /// Source model package group; * in its name selects every group that matches
    #[arg(long, visible_alias = "group", env = "PROMOTE_SOURCE_MODEL_PACKAGE_GROUP_ARN", value_name = "ARN")]
    pub source_model_package_group_arn: SourceGroups,
    /// Bucket in the target account for the artifacts
    #[arg(long, visible_alias = "target-bucket", env = "PROMOTE_TARGET_BUCKET_NAME", value_name = "BUCKET")]
    pub target_bucket_name: BucketName,
    /// Target model package group; {group} in it stands for the source group's name [default: the source group's name]
    #[arg(long, visible_alias = "target-group", env = "PROMOTE_TARGET_MODEL_PACKAGE_GROUP_NAME", value_name = "NAME")]
    pub target_model_package_group_name: Option<GroupTemplate>,
    /// Prefix of every key that is written to the target bucket [default: none]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX")]
    pub target_prefix: Option<TargetPrefix>,
    /// Approval status of a promoted version
    #[arg(long, env = "PROMOTE_APPROVAL", value_name = "WHAT", value_enum, default_value_t = Approval::Carry)]
    pub approval: Approval,
    /// Access to the two accounts.
    #[command(flatten)]
    pub access: AccountInputs,
    /// The container images of the versions.
    #[command(flatten)]
    pub images: ImageInputs,
    /// The stack, its trigger and notifications, and the SageMaker project.
    #[command(flatten)]
    pub module: Module,
    /// The build environment.
    #[command(flatten)]
    pub build: BuildInputs,
}

/// Access to the two accounts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Accounts")]
pub struct AccountInputs {
    /// Account that the stack is deployed in [also: AWS_ACCOUNT_ID]
    #[arg(long, env = "PROMOTE_TARGET_ACCOUNT", value_name = "ACCOUNT")]
    pub target_account: Option<AccountId>,
    /// Region that the stack is deployed in [also: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, env = "PROMOTE_TARGET_REGION", value_name = "REGION")]
    pub target_region: Option<Region>,
    /// Role of the source account to read with [default: the role of the build]
    #[arg(long, env = "PROMOTE_SOURCE_ROLE_ARN", value_name = "ARN")]
    pub source_role_arn: Option<RoleArn>,
    /// Buckets that artifacts may be read from, separated by commas [default: all buckets of the source account]
    #[arg(long, env = "PROMOTE_SOURCE_BUCKET_NAMES", value_name = "BUCKETS")]
    pub source_bucket_names: Option<Buckets>,
    /// KMS key that encrypts the artifacts at the source [default: all keys of the source account]
    #[arg(long, env = "PROMOTE_SOURCE_KMS_KEY_ARN", value_name = "ARN")]
    pub source_kms_key_arn: Option<KeyArn>,
    /// KMS key that encrypts the artifacts in the target [default: the bucket's default encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN")]
    pub kms_key_arn: Option<KeyArn>,
    /// Account that owns the target bucket [default: the account of the stack]
    #[arg(long, env = "PROMOTE_TARGET_BUCKET_OWNER", value_name = "ACCOUNT")]
    pub target_bucket_owner: Option<AccountId>,
    /// Encryption header to send without a KMS key, if the policy of the target bucket requires it
    #[arg(long, env = "PROMOTE_TARGET_SSE", value_name = "SSE", value_parser = ["AES256"])]
    pub target_sse: Option<String>,
    /// Canned ACL for written objects, if the policy of the target bucket requires one
    #[arg(long, env = "PROMOTE_TARGET_ACL", value_name = "ACL", value_parser = ACLS)]
    pub target_acl: Option<String>,
    /// Whether the target account pays for requests to source buckets (Requester Pays)
    #[arg(long, env = "PROMOTE_SOURCE_REQUEST_PAYER", value_name = "true|false", default_value = "false", value_parser = truth, action = clap::ArgAction::Set)]
    pub source_request_payer: bool,
    /// Asymmetric KMS key that signs the record of each promotion [default: unsigned]
    #[arg(long, visible_alias = "sign-key", env = "PROMOTE_SIGNING_KEY_ARN", value_name = "ARN")]
    pub signing_key_arn: Option<KeyArn>,
    /// IAM policy of the target account that bounds every role of the stack
    #[arg(long, env = "PROMOTE_PERMISSIONS_BOUNDARY_NAME", value_name = "NAME")]
    pub permissions_boundary_name: Option<PolicyName>,
    /// ARN of that policy; the name takes precedence [also: SEEDFARMER_PERMISSIONS_BOUNDARY_ARN]
    #[arg(long, env = "PROMOTE_PERMISSIONS_BOUNDARY_ARN", value_name = "ARN")]
    pub permissions_boundary_arn: Option<PolicyArn>,
}

/// The container images of the versions.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Container images")]
pub struct ImageInputs {
    /// Whether to copy the container images of a version to the target account, or to keep those of the source
    #[arg(long, env = "PROMOTE_IMAGES", value_name = "WHAT", default_value = IMAGES[0], value_parser = IMAGES)]
    pub images: String,
    /// Repositories that images may be read from, separated by commas; * stands for any text [default: all repositories
    /// of the source account]
    #[arg(long, env = "PROMOTE_IMAGE_REPOSITORY_NAMES", value_name = "NAMES")]
    pub image_repository_names: Option<Repositories>,
    /// Prefix of the names of the target repositories, such as models/ [default: none]
    #[arg(long, env = "PROMOTE_IMAGE_REPOSITORY_PREFIX", value_name = "PREFIX")]
    pub image_repository_prefix: Option<RepositoryPrefix>,
}

/// The stack, its trigger and notifications, and the SageMaker project.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stack")]
pub struct Module {
    /// Name of the stack [default: SeedFarmer's project, deployment and module]
    #[arg(long, env = "PROMOTE_STACK_NAME", value_name = "NAME")]
    pub stack_name: Option<StackName>,
    /// Event bus of the target account that receives the source's events [default: no rule]
    #[arg(long, env = "PROMOTE_EVENT_BUS_NAME", value_name = "NAME")]
    pub event_bus_name: Option<EventBusName>,
    /// When the pipeline also starts, such as rate(1 day) or cron(0 6 * * ? *), to make up for lost events [default: never]
    #[arg(long, env = "PROMOTE_SCHEDULE", value_name = "EXPRESSION")]
    pub schedule: Option<Schedule>,
    /// Whether each run first does a dry run and waits until somebody approves it
    #[arg(long, env = "PROMOTE_REVIEW_BEFORE_PROMOTION", value_name = "true|false", default_value = "false", value_parser = truth, action = clap::ArgAction::Set)]
    pub review_before_promotion: bool,
    /// SNS topic that is notified of each run
    #[arg(long, env = "PROMOTE_RESULTS_TOPIC_ARN", value_name = "ARN")]
    pub results_topic_arn: Option<TopicArn>,
    /// Whether each run writes the page of `promote status --output html` to the target bucket
    #[arg(long, env = "PROMOTE_STATUS_PAGE", value_name = "true|false", default_value = "false", value_parser = truth, action = clap::ArgAction::Set)]
    pub status_page: bool,
    /// Whether promoted versions stay when the stack is deleted; artifacts always stay
    #[arg(long, env = "PROMOTE_RETAIN_ON_DELETE", value_name = "true|false", default_value = "true", value_parser = truth, action = clap::ArgAction::Set)]
    pub retain_on_delete: bool,
    /// ID of the SageMaker project that the target group belongs to
    #[arg(long, env = "PROMOTE_SAGEMAKER_PROJECT_ID", value_name = "ID")]
    pub sagemaker_project_id: Option<ProjectId>,
    /// Name of the SageMaker project that the target group belongs to
    #[arg(long, env = "PROMOTE_SAGEMAKER_PROJECT_NAME", value_name = "NAME")]
    pub sagemaker_project_name: Option<ProjectName>,
}

/// The build environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Build")]
pub struct BuildInputs {
    /// Image with promote in an ECR repository of the target account and region [default of assembly: built from
    /// --image-dir]
    #[arg(long, env = "PROMOTE_IMAGE_URI", value_name = "URI")]
    pub image_uri: Option<BuildImageUri>,
    /// Compute type of the build; BUILD_LAMBDA_… types start faster, and stop a run after 15 minutes at most
    #[arg(long, env = "PROMOTE_COMPUTE_TYPE", value_name = "TYPE", default_value = COMPUTE_TYPES[0], value_parser = COMPUTE_TYPES)]
    pub compute_type: String,
    /// Minutes after which a run is stopped
    #[arg(long, env = "PROMOTE_TIMEOUT_MINUTES", value_name = "MINUTES", default_value_t = DEFAULT_MINUTES, value_parser = clap::value_parser!(u16).range(5..=2160))]
    pub timeout_minutes: u16,
    /// Days that logs are kept; a retention period of CloudWatch Logs
    #[arg(long, env = "PROMOTE_LOG_RETENTION_DAYS", value_name = "DAYS", default_value = "90", value_parser = RETENTION_DAYS)]
    pub log_retention_days: String,
    /// Qualifier of the CDK bootstrap
    #[arg(long, env = "PROMOTE_BOOTSTRAP_QUALIFIER", value_name = "QUALIFIER", default_value = "hnb659fds")]
    pub bootstrap_qualifier: Qualifier,
}

/// Parses a truth value as YAML, JSON and Python write it.
fn truth(text: &str) -> Result<bool, Malformed> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Malformed::new("a truth value", "true or false", text)),
    }
}

impl Inputs {
    /// The name of the group that versions are promoted into, or the pattern of the names of these groups.
    pub fn target_names(&self) -> String {
        let source = self.source_model_package_group_arn.name();
        self.target_model_package_group_name.as_ref().map_or_else(|| source.to_owned(), |name| name.text_of(source))
    }

    /// The permissions boundary of every role, if there is one.
    pub(super) fn boundary(&self) -> Option<&PolicyName> {
        let by_arn = self.access.permissions_boundary_arn.as_ref().map(PolicyArn::name);
        self.access.permissions_boundary_name.as_ref().or(by_arn)
    }

    /// The partition of the source group, such as `aws`.
    pub fn partition(&self) -> &str {
        partition(self.source_model_package_group_arn.as_str()).unwrap_or("aws")
    }

    /// The ARNs of the source buckets.
    pub(super) fn source_buckets(&self) -> Vec<String> {
        let names = self.access.source_bucket_names.as_ref().map(Buckets::names).unwrap_or_default();
        names.iter().map(|name| format!("arn:{}:s3:::{name}", self.partition())).collect()
    }

    /// Whether the container images of a version are copied.
    pub fn copies_images(&self) -> bool {
        self.images.images == "copy"
    }

    /// The repositories that are named.
    pub fn image_repositories(&self) -> &[RepositoryPattern] {
        self.images.image_repository_names.as_ref().map(Repositories::patterns).unwrap_or_default()
    }

    /// The ARNs of the named repositories that images are read from. They may be of any account and region whose policy
    /// lets the reader in.
    pub(super) fn source_repositories(&self) -> Vec<String> {
        let arn = |name: &RepositoryPattern| format!("arn:{}:ecr:*:*:repository/{name}", self.partition());
        self.image_repositories().iter().map(arn).collect()
    }

    /// The ARNs of the named repositories that images are copied to.
    fn target_repositories(&self, account: &AccountId, region: &Region) -> Vec<String> {
        let prefix = self.images.image_repository_prefix.as_ref().map_or("", RepositoryPrefix::as_str);
        let registry = format!("arn:{}:ecr:{region}:{account}:repository/{prefix}", self.partition());
        self.image_repositories().iter().map(|name| format!("{registry}{name}")).collect()
    }

    /// Both lists; the second is empty if the account or the region of the stack is unknown.
    pub(super) fn repositories(&self) -> [Vec<String>; 2] {
        let place = self.access.target_account.as_ref().zip(self.access.target_region.as_ref());
        let target = place.map(|(account, region)| self.target_repositories(account, region));
        [self.source_repositories(), target.unwrap_or_default()]
    }
}
