//! The flags that several verbs share, and the settings that they fill. Each flag can also be set as the variable
//! `PROMOTE_<FLAG>`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::verbosity::Verbosity;
use crate::aws::error::Side;
use crate::aws::session::{Access, AssumedRole, session_name};
use crate::copy::{CopyMode, STALL, Strictness};
use crate::model::approval::Approval;
use crate::model::arn::{KmsKeyArn, PackageArn, Region, RoleArn};
use crate::model::secrets::RecordSecrets;
use crate::run::Limits;
use crate::run::settings::{CopySettings, RegistrationSettings};

mod buckets;
mod destination;
mod format;
mod groups;
mod overrides;
mod page;
mod values;
mod wait;

pub use buckets::{BucketArgs, WriteArgs};
pub use destination::{BucketAndPrefixArgs, DestinationArgs, GroupAndPrefixArgs};
pub(super) use format::text_or_json;
pub use format::{Format, PlanFormat};
pub use groups::{GroupArgs, GroupsArgs, ManyArgs, Selected};
pub use overrides::OverrideArgs;
pub use page::PageArgs;
pub(super) use values::{key, number, record_file};
use values::{part_size, tag};
pub use wait::WaitArgs;

/// The flags that name a version that an earlier step has found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model package")]
#[group(required = true, multiple = false)]
pub struct PackageArgs {
    /// Source version, by its ARN
    #[arg(long, env = "PROMOTE_MODEL_PACKAGE", value_name = "ARN")]
    pub model_package: Option<PackageArn>,
    /// JSON document of the previous step; `-` reads standard input
    #[arg(long, env = "PROMOTE_FROM", value_name = "FILE|-")]
    pub from: Option<PathBuf>,
}

/// The flags for access to the source account.
#[derive(Debug, Args)]
#[command(next_help_heading = "Source account (default: the default AWS credentials)")]
pub struct SourceArgs {
    /// Role to assume in the source account
    #[arg(long, env = "PROMOTE_SOURCE_ROLE_ARN", value_name = "ARN")]
    pub source_role_arn: Option<RoleArn>,
    /// External ID that the source role's trust policy requires
    #[arg(long, env = "PROMOTE_SOURCE_EXTERNAL_ID", value_name = "ID", requires = "source_role_arn")]
    pub source_external_id: Option<String>,
    /// Name of the source role's session in CloudTrail [default: promote-source]
    #[arg(long, env = "PROMOTE_SOURCE_SESSION_NAME", value_name = "NAME", requires = "source_role_arn")]
    pub source_session_name: Option<String>,
    /// Profile in the AWS configuration for the source account
    #[arg(long, env = "PROMOTE_SOURCE_PROFILE", value_name = "PROFILE")]
    pub source_profile: Option<String>,
    /// Region of a group that is given by name; an ARN names its region
    #[arg(long, env = "PROMOTE_SOURCE_REGION", value_name = "REGION")]
    pub source_region: Option<Region>,
}

/// The flags for access to the target account.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target account (default: the default AWS credentials)")]
pub struct TargetArgs {
    /// Role to assume in the target account
    #[arg(long, env = "PROMOTE_TARGET_ROLE_ARN", value_name = "ARN")]
    pub target_role_arn: Option<RoleArn>,
    /// External ID that the target role's trust policy requires
    #[arg(long, env = "PROMOTE_TARGET_EXTERNAL_ID", value_name = "ID", requires = "target_role_arn")]
    pub target_external_id: Option<String>,
    /// Name of the target role's session in CloudTrail [default: promote-target]
    #[arg(long, env = "PROMOTE_TARGET_SESSION_NAME", value_name = "NAME", requires = "target_role_arn")]
    pub target_session_name: Option<String>,
    /// Profile in the AWS configuration for the target account
    #[arg(long, env = "PROMOTE_TARGET_PROFILE", value_name = "PROFILE")]
    pub target_profile: Option<String>,
    /// Region of the target account [default: the region of the profile or the environment]
    #[arg(long, env = "PROMOTE_TARGET_REGION", value_name = "REGION")]
    pub target_region: Option<Region>,
}

/// The flags for copying artifacts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Copying")]
pub struct CopyArgs {
    /// Whether S3 copies the objects or promote streams them
    #[arg(long, env = "PROMOTE_COPY_MODE", value_name = "MODE", value_enum, default_value_t = CopyMode::Auto)]
    pub copy_mode: CopyMode,
    /// How copies are verified
    #[arg(long, env = "PROMOTE_VERIFY", value_name = "HOW", value_enum, default_value_t = Strictness::Checksum)]
    pub verify: Strictness,
    /// Maximum number of concurrent S3 requests [default: 256]
    #[arg(long, env = "PROMOTE_CONCURRENCY", value_name = "N", value_parser = number(1u16..=1000))]
    pub concurrency: Option<u16>,
    /// Part size for objects that are copied in parts, 5MiB to 5GiB [default: 8 MiB if streamed; 64 to 512 MiB if
    /// copied by S3, where objects of up to 128 MiB take one request]
    #[arg(long, env = "PROMOTE_PART_SIZE", value_name = "SIZE", value_parser = part_size)]
    pub part_size: Option<u64>,
    /// Seconds after which a download that is slower than 1 KiB/s is retried. An upload, or a copy by S3, of up to 16 MiB
    /// times out after 5 times this value, and a larger one later
    #[arg(long, env = "PROMOTE_STALL_SECONDS", value_name = "SECONDS", default_value_t = STALL.as_secs(), value_parser = number(0..=u64::MAX))]
    pub stall_seconds: u64,
}

impl CopyArgs {
    /// How artifacts are copied.
    pub fn settings(&self) -> CopySettings {
        CopySettings {
            mode: self.copy_mode,
            verify: self.verify,
            part_size: self.part_size,
            stall_seconds: self.stall_seconds,
        }
    }

    /// The limits of the run.
    pub fn limits(&self) -> Limits {
        self.concurrency.map_or_else(Limits::default, |requests| Limits::new(requests.into()))
    }
}

/// The flags for registering the version.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registration")]
pub struct RegisterArgs {
    /// Approval status of the promoted version [default: carry; for a version that was promoted with
    /// `--approval pending`, the target account decides]
    #[arg(long, env = "PROMOTE_APPROVAL", value_name = "WHAT", value_enum)]
    pub approval: Option<Approval>,
    /// Fail if the target group does not exist, instead of creating it
    #[arg(long, env = "PROMOTE_NO_CREATE_GROUP", value_parser = BoolishValueParser::new())]
    pub no_create_group: bool,
    /// Promote into a target group that has versions, but none that was promoted from the source group; needed for the
    /// first promotion only
    #[arg(long, env = "PROMOTE_INTO_EXISTING_GROUP", value_parser = BoolishValueParser::new())]
    pub into_existing_group: bool,
    /// Tag for a target group that is created; can be repeated, or separated by commas
    #[arg(long, env = "PROMOTE_GROUP_TAG", value_name = "KEY=VALUE", value_parser = tag, value_delimiter = ',')]
    pub group_tag: Vec<(String, String)>,
    /// Asymmetric KMS key that signs the records, each with a DSSE envelope around an in-toto statement
    #[arg(long, alias = "signing-key-arn", env = "PROMOTE_SIGN_KEY", value_name = "ARN", value_parser = key)]
    pub sign_key: Option<KmsKeyArn>,
    /// In documents and records, write values with secret-looking names as they are, instead of their digests
    #[arg(long, env = "PROMOTE_RECORD_SECRETS", value_parser = BoolishValueParser::new())]
    pub record_secrets: bool,
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// The flags for syncing promoted versions with their source.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sync")]
pub struct SyncArgs {
    /// Do not reject promoted versions whose source version is Rejected
    #[arg(long, env = "PROMOTE_NO_WITHDRAW", value_parser = BoolishValueParser::new())]
    pub no_withdraw: bool,
}

/// The flags that every verb has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write nothing to AWS, and print what would be done
    #[arg(long, env = "PROMOTE_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub dry_run: bool,
    /// Format of the document on standard output; all other output goes to standard error
    #[arg(long, env = "PROMOTE_OUTPUT", value_name = "FORMAT", value_parser = text_or_json(), default_value = "text")]
    pub output: Format,
    /// Also write the JSON document to this file
    #[arg(long, env = "PROMOTE_RECORD", value_name = "FILE", value_parser = record_file())]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub told: ToldArgs,
}

/// The flags for what is printed to standard error.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct ToldArgs {
    /// Print each step to standard error
    #[arg(long, short, env = "PROMOTE_VERBOSE", value_parser = BoolishValueParser::new(), conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print only warnings and errors to standard error
    #[arg(long, short, env = "PROMOTE_QUIET", value_parser = BoolishValueParser::new())]
    pub quiet: bool,
}

impl OutputArgs {
    /// What is printed to standard error.
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.told.quiet, self.told.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }
}

impl SourceArgs {
    /// How the source is accessed. The region of an ARN takes precedence over the flag.
    pub fn access(&self, region: Option<&Region>) -> Access {
        let name = self.source_session_name.clone();
        let role = assumed(&self.source_role_arn, &self.source_external_id, name, Side::Source);
        let region = region.or(self.source_region.as_ref()).cloned();
        Access { profile: self.source_profile.clone(), role, region, ..Access::default() }
    }
}

impl TargetArgs {
    /// How the target is accessed.
    pub fn access(&self) -> Access {
        let name = self.target_session_name.clone();
        let role = assumed(&self.target_role_arn, &self.target_external_id, name, Side::Target);
        let region = self.target_region.clone();
        Access { profile: self.target_profile.clone(), role, region, ..Access::default() }
    }
}

fn assumed(
    arn: &Option<RoleArn>,
    external_id: &Option<String>,
    name: Option<String>,
    side: Side,
) -> Option<AssumedRole> {
    let who = std::env::var("CODEBUILD_BUILD_ID").or_else(|_| std::env::var("USER")).unwrap_or_default();
    Some(AssumedRole {
        arn: arn.clone()?,
        external_id: external_id.clone(),
        session_name: name.unwrap_or_else(|| session_name(side, &who)),
    })
}

impl RegisterArgs {
    /// What the records have in place of secrets.
    pub fn record_secrets(&self) -> RecordSecrets {
        if self.record_secrets { RecordSecrets::InFull } else { RecordSecrets::Sealed }
    }

    /// The tags of target groups that the run creates; nothing if it creates none.
    pub fn created_tags(&self) -> Option<Vec<(String, String)>> {
        (!self.no_create_group).then(|| self.group_tag.clone())
    }

    /// How the version is registered.
    pub fn settings(&self) -> RegistrationSettings {
        RegistrationSettings {
            approval: self.approval,
            create_group: !self.no_create_group,
            into_existing_group: self.into_existing_group,
            group_tags: self.group_tag.clone(),
            sign_key: self.sign_key.clone(),
            wait_seconds: self.wait.wait_seconds,
        }
    }
}
