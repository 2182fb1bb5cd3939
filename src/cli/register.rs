//! `promote register`.

use anyhow::Result;
use clap::Args;

use super::arguments::{
    BucketArgs, GroupAndPrefixArgs, OutputArgs, OverrideArgs, PackageArgs, RegisterArgs, SourceArgs, TargetArgs,
    WriteArgs,
};
use super::exit::Exit;
use super::printer::Printer;
use super::step_before::StepBefore;
use crate::model::failure::Failure;
use crate::model::location::BucketName;
use crate::run::settings::DestinationSettings;
use crate::run::step_settings::RegisterSettings;
use crate::run::{Context, register};

/// Register a version whose artifacts were copied
///
/// Confirms that every artifact exists in the target, creates the version pending approval, compares it with the request,
/// and approves it last.
#[derive(Debug, Args)]
#[command(
    mut_arg("target_group", |flag| flag.help("Target model package group; {group} in it stands for the source group's name [default: as in the document of the previous step, otherwise the source group's name]")),
    mut_arg("target_prefix", |flag| flag.help("Prefix of every key that is written to the target bucket [default: as in the document of the previous step, otherwise none]")),
    mut_arg("source_region", |flag| flag.hide(true))
)]
pub(super) struct Register {
    #[command(flatten)]
    pub(super) package: PackageArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Bucket in the target account that has the artifacts [default: as in the document of the previous step]
    #[arg(
        long,
        alias = "target-bucket-name",
        env = "PROMOTE_TARGET_BUCKET",
        value_name = "BUCKET",
        help_heading = "Target"
    )]
    target_bucket: Option<BucketName>,
    #[command(flatten)]
    destination: GroupAndPrefixArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    writes: WriteArgs,
    #[command(flatten)]
    overrides: OverrideArgs,
    #[command(flatten)]
    register: RegisterArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Register {
    pub(super) fn context(&self, before: &StepBefore) -> Context {
        let source = self.source.access(Some(before.version.arn.region()));
        let (source, target) = self.buckets.access(source, self.writes.access(self.target.access()));
        Context::new(source, target).with_record_secrets(self.register.record_secrets())
    }

    pub(super) async fn run(&self, before: StepBefore, context: &Context, printer: &Printer) -> Result<Exit> {
        let settings = RegisterSettings {
            destination: self.destination(&before)?,
            version: before.version,
            is_planned: before.is_planned,
            overrides: self.overrides.overrides(),
            registration: self.register.settings(),
            dry_run: self.output.dry_run,
        };
        printer.conclude(&register(context, &settings).await?)
    }

    /// The destination. Flags take precedence over the document of the previous step.
    fn destination(&self, before: &StepBefore) -> Result<DestinationSettings> {
        let copied = before.target.as_ref();
        let bucket = self.target_bucket.as_ref().or(copied.map(|target| &target.bucket));
        let prefix = self.destination.target_prefix.as_ref().or(copied.map(|target| &target.prefix));
        let group = self.destination.group_of(before.version.arn.group())?;
        Ok(DestinationSettings {
            bucket: bucket.ok_or_else(no_bucket)?.clone(),
            prefix: prefix.cloned().unwrap_or_default(),
            group: group.or_else(|| copied.map(|target| target.group.clone())),
        })
    }
}

fn no_bucket() -> Failure {
    Failure::new("no target bucket is given").hint("Pass `--target-bucket`").wrong_arguments()
}
