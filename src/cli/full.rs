//! `promote full`.

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{
    CopyArgs, DestinationArgs, GroupArgs, OutputArgs, OverrideArgs, RegisterArgs, SourceArgs, SyncArgs, TargetArgs,
};
use super::exit::Exit;
use super::printer::Printer;
use crate::model::location::BucketName;
use crate::record::Conclusion;
use crate::run::settings::FullSettings;
use crate::run::{Context, full};

/// Promote the latest Approved version of a group into the target account
///
/// Finds the version, copies and verifies its artifacts, registers it, and approves it last. Syncs every promoted
/// version with its source. Run again after a failure: finished copies are skipped, and each source version
/// is promoted once.
#[derive(Debug, Args)]
pub(super) struct Full {
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Bucket in the target account for the artifacts
    #[arg(long, env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET", help_heading = "Target")]
    target_bucket: BucketName,
    #[command(flatten)]
    destination: DestinationArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    overrides: OverrideArgs,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    register: RegisterArgs,
    #[command(flatten)]
    sync: SyncArgs,
    /// Exit with 4 if no version is approved, instead of 0
    #[arg(long, env = "PROMOTE_FAIL_IF_NOTHING_APPROVED", value_parser = BoolishValueParser::new())]
    fail_if_nothing_approved: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Full {
    pub(super) fn context(&self) -> Context {
        let source = self.source.access(self.group.group.region());
        Context::new(source, self.target.access()).with_limits(self.copy.limits())
    }

    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let report = full(context, &self.settings()).await?;
        match (printer.conclude(&report)?, report.outcome()) {
            (Exit::Done, Conclusion::NothingApproved) if self.fail_if_nothing_approved => Ok(Exit::NothingApproved),
            (exit, _) => Ok(exit),
        }
    }

    fn settings(&self) -> FullSettings {
        FullSettings {
            selection: self.group.selection(),
            destination: self.destination.destination(&self.target_bucket),
            overrides: self.overrides.overrides(),
            copy: self.copy.settings(),
            registration: self.register.settings(),
            keep_rejected: self.sync.no_withdraw,
            dry_run: self.output.dry_run,
        }
    }
}
