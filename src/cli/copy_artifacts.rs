//! `promote copy-artifacts`.

use anyhow::Result;
use clap::Args;

use super::arguments::{
    BucketArgs, CopyArgs, DestinationArgs, OutputArgs, OverrideArgs, PackageArgs, SourceArgs, TargetArgs, WaitArgs,
    WriteArgs,
};
use super::exit::Exit;
use super::printer::Printer;
use super::step_before::StepBefore;
use crate::run::step_settings::CopyArtifactsSettings;
use crate::run::{Context, copy_artifacts};

/// Copy and verify the artifacts of a version
///
/// Registers nothing. Objects that already exist in the target are not copied again.
#[derive(Debug, Args)]
#[command(mut_arg("source_region", |flag| flag.hide(true)))]
#[command(override_usage = "promote copy-artifacts [OPTIONS] --target-bucket <BUCKET>
                              <--model-package <ARN>|--from <FILE|->>")]
pub(super) struct CopyArtifacts {
    #[command(flatten)]
    pub(super) package: PackageArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    writes: WriteArgs,
    #[command(flatten)]
    overrides: OverrideArgs,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl CopyArtifacts {
    pub(super) fn context(&self, before: &StepBefore) -> Context {
        let source = self.source.access(Some(before.version.arn.region()));
        let (source, target) = self.buckets.access(source, self.writes.access(self.target.access()));
        Context::new(source, target).with_limits(self.copy.limits())
    }

    pub(super) async fn run(&self, before: StepBefore, context: &Context, printer: &Printer) -> Result<Exit> {
        let settings = CopyArtifactsSettings {
            destination: self.destination.destination(before.version.arn.group())?,
            version: before.version,
            overrides: self.overrides.overrides(),
            copy: self.copy.settings(),
            wait_seconds: self.wait.wait_seconds,
            dry_run: self.output.dry_run,
        };
        printer.conclude(&copy_artifacts(context, &settings).await?)
    }
}
