//! The flags that verbs share: texts come in, typed settings come out. Each flag is also a variable `PROMOTE_<FLAG>`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

use crate::aws::error::Side;
use crate::aws::session::{Access, AssumedRole, session_name};
use crate::copy::{CopyMode, STALL, Strictness, Tuning};
use crate::model::approval::Approval;
use crate::model::arn::{GroupName, GroupRef, KmsKeyArn, PackageArn, Region, RoleArn};
use crate::model::layout::TargetPrefix;
use crate::plan::draft::Carrying;
use crate::register::Policy;

mod values;

use values::{part_size, tag};

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Which version of which group.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model package")]
pub struct GroupArgs {
    /// Model package group of the source: its ARN, or its name in the source session's account and region
    #[arg(long, env = "PROMOTE_GROUP", value_name = "ARN|NAME")]
    pub group: GroupRef,
    /// Take this version, whatever its approval status, instead of the latest Approved one
    #[arg(long = "version", id = "package-version", env = "PROMOTE_VERSION", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub version: Option<u32>,
}

/// Which package, found by an earlier step.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model package")]
#[group(required = true, multiple = false)]
pub struct PackageArgs {
    /// Model package version of the source
    #[arg(long, env = "PROMOTE_MODEL_PACKAGE", value_name = "ARN")]
    pub model_package: Option<PackageArn>,
    /// JSON document that the step before printed; `-` reads it from standard input
    #[arg(long, env = "PROMOTE_FROM", value_name = "FILE|-")]
    pub from: Option<PathBuf>,
}

/// How the source account is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Source account (default: the session's own credentials)")]
pub struct SourceArgs {
    /// Role of the source account to assume
    #[arg(long, env = "PROMOTE_SOURCE_ROLE_ARN", value_name = "ARN")]
    pub source_role_arn: Option<RoleArn>,
    /// External id that the source role's trust policy asks for
    #[arg(long, env = "PROMOTE_SOURCE_EXTERNAL_ID", value_name = "ID", requires = "source_role_arn")]
    pub source_external_id: Option<String>,
    /// Session name for the source role, as CloudTrail shows it [default: promote-source]
    #[arg(long, env = "PROMOTE_SOURCE_SESSION_NAME", value_name = "NAME", requires = "source_role_arn")]
    pub source_session_name: Option<String>,
    /// Profile of the AWS configuration for the source
    #[arg(long, env = "PROMOTE_SOURCE_PROFILE", value_name = "PROFILE")]
    pub source_profile: Option<String>,
    /// Region of a group that is given by name; the region in an ARN wins
    #[arg(long, env = "PROMOTE_SOURCE_REGION", value_name = "REGION")]
    pub source_region: Option<Region>,
}

/// How the target account is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target account (default: the session's own credentials)")]
pub struct TargetArgs {
    /// Role of the target account to assume
    #[arg(long, env = "PROMOTE_TARGET_ROLE_ARN", value_name = "ARN")]
    pub target_role_arn: Option<RoleArn>,
    /// External id that the target role's trust policy asks for
    #[arg(long, env = "PROMOTE_TARGET_EXTERNAL_ID", value_name = "ID", requires = "target_role_arn")]
    pub target_external_id: Option<String>,
    /// Session name for the target role, as CloudTrail shows it [default: promote-target]
    #[arg(long, env = "PROMOTE_TARGET_SESSION_NAME", value_name = "NAME", requires = "target_role_arn")]
    pub target_session_name: Option<String>,
    /// Profile of the AWS configuration for the target
    #[arg(long, env = "PROMOTE_TARGET_PROFILE", value_name = "PROFILE")]
    pub target_profile: Option<String>,
    /// Region of the target [default: the session's region]
    #[arg(long, env = "PROMOTE_TARGET_REGION", value_name = "REGION")]
    pub target_region: Option<Region>,
}

/// Where in the target things go, beside the bucket.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct PlaceArgs {
    /// Model package group of the target [default: the source group's name]
    #[arg(long, env = "PROMOTE_TARGET_GROUP", value_name = "NAME")]
    pub target_group: Option<GroupName>,
    /// Key prefix for everything that is written to the target bucket [default: none]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX")]
    pub target_prefix: Option<TargetPrefix>,
}

/// How the package is carried over.
#[derive(Debug, Args)]
#[command(next_help_heading = "Carrying over")]
pub struct CarryArgs {
    /// KMS key of the target for the artifacts, and for the package when the source package is encrypted
    /// [default: the bucket's own encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN")]
    pub kms_key_arn: Option<KmsKeyArn>,
    /// Algorithm of the target that stands for the source package's algorithm
    #[arg(long, env = "PROMOTE_TARGET_ALGORITHM", value_name = "ARN|NAME")]
    pub target_algorithm: Option<String>,
    /// Role of the target that validates the package; without it the validation is left out
    #[arg(long, env = "PROMOTE_TARGET_VALIDATION_ROLE_ARN", value_name = "ARN")]
    pub target_validation_role_arn: Option<RoleArn>,
    /// Go on when the package has fields that this version does not know; they are lost and listed
    #[arg(long, env = "PROMOTE_IGNORE_UNKNOWN_FIELDS", value_parser = BoolishValueParser::new())]
    pub ignore_unknown_fields: bool,
}

/// How artifacts are copied.
#[derive(Debug, Args)]
#[command(next_help_heading = "Copying")]
pub struct CopyArgs {
    /// Who moves the bytes: S3 itself (server-side, the target's principal reads the source), this process (stream),
    /// or S3 where it may and this process where not (auto)
    #[arg(long, env = "PROMOTE_COPY_MODE", value_name = "MODE", value_enum, default_value_t = CopyMode::Auto)]
    pub copy_mode: CopyMode,
    /// How to verify copies: compare S3 checksums or ETags (checksum), read both objects again (deep), or make no extra
    /// requests (size)
    #[arg(long, env = "PROMOTE_VERIFY", value_name = "HOW", value_enum, default_value_t = Strictness::Checksum)]
    pub verify: Strictness,
    /// Requests to S3 under way at once [default: 256]
    #[arg(long, env = "PROMOTE_CONCURRENCY", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub concurrency: Option<u16>,
    /// Copy larger objects in parts of this size, such as 64MiB; 5MiB to 5GiB [default: server-side, objects of more than
    /// 128 MiB in 64 parts of 64 to 512 MiB; streaming, 8 MiB]
    #[arg(long, env = "PROMOTE_PART_SIZE", value_name = "SIZE", value_parser = part_size)]
    pub part_size: Option<u64>,
    /// Give up a download that brings less than 1 KiB/s for so long, and a copy or upload of up to 16 MiB that takes five
    /// times as long (larger ones more), and try it again
    #[arg(long, env = "PROMOTE_STALL_SECONDS", value_name = "SECONDS", default_value_t = STALL.as_secs())]
    pub stall_seconds: u64,
}

impl CopyArgs {
    /// For the engine.
    pub fn tuning(&self) -> Tuning {
        Tuning {
            mode: self.copy_mode,
            verify: self.verify,
            concurrency: self.concurrency.map_or(Tuning::default().concurrency, usize::from),
            part_size: self.part_size,
            stall: Duration::from_secs(self.stall_seconds.max(1)),
        }
    }
}

/// How the package is registered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registering")]
pub struct RegisterArgs {
    /// Approval status of the new version: the source's (carry), or left to somebody in the target (pending)
    #[arg(long, env = "PROMOTE_APPROVAL", value_name = "WHAT", value_enum, default_value_t = Approval::Carry)]
    pub approval: Approval,
    /// Fail when the target group does not exist, instead of creating it
    #[arg(long, env = "PROMOTE_NO_CREATE_GROUP", value_parser = BoolishValueParser::new())]
    pub no_create_group: bool,
    /// Tag for a target group that is created; may be given several times [env: separated by commas]
    #[arg(long, env = "PROMOTE_GROUP_TAG", value_name = "KEY=VALUE", value_parser = tag, value_delimiter = ',')]
    pub group_tag: Vec<(String, String)>,
    /// Asymmetric KMS key that signs the records: a DSSE envelope around an in-toto statement beside each
    #[arg(long, env = "PROMOTE_SIGN_KEY", value_name = "ARN")]
    pub sign_key: Option<KmsKeyArn>,
    /// Seconds that SageMaker may take to complete the new version
    #[arg(long, env = "PROMOTE_WAIT_SECONDS", value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub wait_seconds: u64,
}

/// What becomes of copies whose source changes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Mirroring")]
pub struct MirrorArgs {
    /// Leave copies Approved although the source has rejected the version that they were promoted from
    #[arg(long, env = "PROMOTE_NO_WITHDRAW", value_parser = BoolishValueParser::new())]
    pub no_withdraw: bool,
}

/// What every verb has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write nothing to AWS; print the same document with what would be done
    #[arg(long, env = "PROMOTE_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub dry_run: bool,
    /// Form of the document on standard output; everything else goes to standard error
    #[arg(long, env = "PROMOTE_OUTPUT", value_name = "FORM", value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// Also write the JSON document to this file
    #[arg(long, env = "PROMOTE_RECORD", value_name = "FILE")]
    pub record: Option<PathBuf>,
}

impl SourceArgs {
    /// The access that the flags describe.
    pub fn access(&self) -> Access {
        let name = self.source_session_name.clone();
        let role = assumed(&self.source_role_arn, &self.source_external_id, name, Side::Source);
        Access { profile: self.source_profile.clone(), role, region: self.source_region.clone() }
    }
}

impl TargetArgs {
    /// The access that the flags describe.
    pub fn access(&self) -> Access {
        let name = self.target_session_name.clone();
        let role = assumed(&self.target_role_arn, &self.target_external_id, name, Side::Target);
        Access { profile: self.target_profile.clone(), role, region: self.target_region.clone() }
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

impl CarryArgs {
    /// The settings that the flags describe.
    pub fn carrying(&self) -> Carrying {
        Carrying {
            kms_key: self.kms_key_arn.clone(),
            algorithm: self.target_algorithm.clone(),
            validation_role: self.target_validation_role_arn.clone(),
            ignore_unknown_members: self.ignore_unknown_fields,
        }
    }
}

impl RegisterArgs {
    /// The settings that the flags describe.
    pub fn policy(&self) -> Policy {
        Policy { approval: self.approval, patience: Duration::from_secs(self.wait_seconds) }
    }
}
