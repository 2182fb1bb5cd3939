//! `promote verify`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{BucketAndPrefixArgs, BucketArgs, ManyArgs, OutputArgs, Selected, SourceArgs, TargetArgs};
use super::exit::Exit;
use super::many;
use super::running::Running;
use crate::model::arn::{GroupRef, GroupTemplate, Groups, KmsKeyArn, PackageArn};
use crate::model::failure::Failure;
use crate::record::verification::Verdict;
use crate::run::settings::{SignedBy, VerifySettings};
use crate::run::{Context, GroupVerification, Verification, verify, verify_group};

/// Check a promoted version against its record
///
/// Compares the version and every object in the target with the record, and lists what is changed, missing or
/// unverifiable. With --group, the version is the newest Approved one that was promoted from the group.
/// With --model-package, or with the ARN of one group, no source credentials are needed. A name or a pattern needs
/// them. --deep also compares with the source if it can be read. Exits 0 if no Approved version was promoted from the
/// group, 5 if something is changed or missing, 3 if something is unverifiable, 1 if the version could not be checked.
#[derive(Debug, Args)]
#[command(
    mut_arg("target_bucket", |flag| flag.help("Bucket of the record [default: the bucket of the version's artifacts]")),
    mut_arg("target_prefix", |flag| flag.help("Key prefix that the version was promoted with [default: the prefix of the version's artifacts]")),
    mut_arg("dry_run", |dry_run| dry_run.hide(true))
)]
pub(super) struct Verify {
    /// Promoted version to check; takes precedence over `--group`
    #[arg(
        long,
        env = "PROMOTE_MODEL_PACKAGE",
        value_name = "ARN",
        help_heading = "Model package",
        required_unless_present = "group"
    )]
    model_package: Option<PackageArn>,
    /// Source model package group, to check the newest Approved version that was promoted from it. `*` and `?` in the
    /// name select every group that matches
    #[arg(
        long,
        alias = "source-model-package-group-arn",
        env = "PROMOTE_GROUP",
        value_name = "ARN|NAME",
        help_heading = "Model package"
    )]
    group: Option<Groups>,
    #[command(flatten)]
    many: ManyArgs,
    /// Read every byte, and compare the bytes with the recorded checksum and with the source if it can be read
    #[arg(long, env = "PROMOTE_DEEP", value_parser = BoolishValueParser::new(), help_heading = "Model package")]
    deep: bool,
    /// Require records signed by this KMS key; its public key is fetched from KMS
    #[arg(
        long,
        alias = "signing-key-arn",
        env = "PROMOTE_SIGN_KEY",
        value_name = "ARN",
        conflicts_with = "public_key",
        help_heading = "Signature"
    )]
    sign_key: Option<KmsKeyArn>,
    /// Public key of the signing key in PEM, to check signatures without KMS
    #[arg(long, env = "PROMOTE_PUBLIC_KEY", value_name = "FILE", help_heading = "Signature")]
    public_key: Option<PathBuf>,
    /// Target model package group of `--group`; {group} in it stands for the source group's name [default: the source
    /// group's name]
    #[arg(
        long,
        alias = "target-model-package-group-name",
        env = "PROMOTE_TARGET_GROUP",
        value_name = "NAME",
        help_heading = "Target"
    )]
    target_group: Option<GroupTemplate>,
    #[command(flatten)]
    promoted_to: BucketAndPrefixArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Verify {
    pub(super) fn context(&self) -> Context {
        let mut target = self.target.access();
        if let Some(version) = &self.model_package {
            target.region = Some(version.region().clone());
        }
        let region = self.group.as_ref().filter(|_| self.model_package.is_none()).and_then(Groups::region);
        let (source, target) = self.buckets.access(self.source.access(region), target);
        Context::new(source, target).reading_only()
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        let signed_by = self.signed_by()?;
        let settings = |version: PackageArn| VerifySettings {
            version,
            deep: self.deep,
            signed_by: signed_by.clone(),
            bucket: self.promoted_to.target_bucket.clone(),
            prefix: self.promoted_to.target_prefix.clone(),
        };
        if let Some(version) = &self.model_package {
            let verification = verify(context, &settings(version.clone())).await?;
            running.printer.document(&verification)?;
            return Ok(exit_of(&verification));
        }
        let Some(groups) = &self.group else {
            return Err(Failure::new("no version is given").hint("Pass `--model-package` or `--group`").into());
        };
        let run = async |context: &Context, group: &GroupRef| {
            let group = context.source_group(group).await?;
            let target = self.target_group.as_ref().map(|template| template.target_of(group.name())).transpose()?;
            verify_group(context, &group, target.as_ref().unwrap_or(group.name()), settings).await
        };
        match self.many.select(groups, self.target_group.as_ref())? {
            Selected::One(group) => {
                let verification = run(context, group).await?;
                running.printer.document(&verification)?;
                Ok(exit(&verification))
            }
            Selected::Many(selection) => {
                let each = async |context: Context, group: GroupRef| run(&context, &group).await;
                many::run(running, context, &selection, each, exit).await
            }
        }
    }

    fn signed_by(&self) -> Result<Option<SignedBy>> {
        let Some(file) = &self.public_key else { return Ok(self.sign_key.clone().map(SignedBy::Key)) };
        let pem = std::fs::read_to_string(file).with_context(|| format!("`--public-key {}`", file.display()))?;
        Ok(Some(SignedBy::PublicKey(pem)))
    }
}

fn exit(verification: &GroupVerification) -> Exit {
    match verification {
        GroupVerification::Live(verification) => exit_of(verification),
        GroupVerification::NothingPromoted(_) => Exit::Done,
    }
}

fn exit_of(verification: &Verification) -> Exit {
    match verification.outcome {
        Verdict::Identical | Verdict::Kept => Exit::Done,
        Verdict::Changed | Verdict::Missing => Exit::Changed,
        Verdict::Unverifiable => Exit::Unconfirmed,
    }
}
