//! `promote full`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{
    BucketArgs, CopyArgs, DestinationArgs, GroupArgs, OutputArgs, OverrideArgs, RegisterArgs, SourceArgs, SyncArgs,
    TargetArgs, WriteArgs,
};
use super::exit::Exit;
use super::printer::Printer;
use super::step_before::read_document;
use crate::model::location::BucketName;
use crate::record::{Conclusion, ReviewedPlan};
use crate::run::settings::FullSettings;
use crate::run::{Context, full, full_as_planned};

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
    #[arg(
        long,
        alias = "target-bucket-name",
        env = "PROMOTE_TARGET_BUCKET",
        value_name = "BUCKET",
        help_heading = "Target"
    )]
    target_bucket: BucketName,
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
    register: RegisterArgs,
    #[command(flatten)]
    sync: SyncArgs,
    /// Exit with 4 if no version is approved, instead of 0
    #[arg(long, env = "PROMOTE_FAIL_IF_NOTHING_APPROVED", value_parser = BoolishValueParser::new())]
    fail_if_nothing_approved: bool,
    #[command(flatten)]
    reviewed: ReviewedArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// The flags for a plan that somebody has reviewed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
struct ReviewedArgs {
    /// Carry out this plan, the `--record` file of a dry run with the same flags; stop before the first write if
    /// anything that it fixes is different now
    #[arg(long, env = "PROMOTE_PLAN", value_name = "FILE|-")]
    plan: Option<PathBuf>,
    /// Refuse a plan that is older than this, such as 12h or 7d
    #[arg(long, env = "PROMOTE_PLAN_MAX_AGE", value_name = "AGE", value_parser = humantime::parse_duration, default_value = "7d")]
    plan_max_age: Duration,
}

impl Full {
    pub(super) fn context(&self) -> Context {
        let source = self.source.access(self.group.group.region());
        let (source, target) = self.buckets.access(source, self.writes.access(self.target.access()));
        Context::new(source, target).with_limits(self.copy.limits())
    }

    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let report = match &self.reviewed.plan {
            None => full(context, &self.settings()).await?,
            Some(file) => {
                let plan = ReviewedPlan::of(read_document(file, "full").await?)?;
                plan.refuse_older(self.reviewed.plan_max_age, SystemTime::now())?;
                full_as_planned(context, &self.settings(), &plan).await?
            }
        };
        match (printer.conclude(&report)?, report.outcome()) {
            (Exit::Done, Conclusion::NothingApproved) if self.fail_if_nothing_approved => Ok(Exit::NothingApproved),
            (exit, _) => Ok(exit),
        }
    }

    /// The settings of the promotion.
    pub(super) fn settings(&self) -> FullSettings {
        FullSettings {
            selection: self.group.selection(),
            destination: self.destination.destination(&self.target_bucket),
            overrides: self.overrides.overrides(),
            copy: self.copy.settings(),
            registration: self.register.settings(),
            no_withdraw: self.sync.no_withdraw,
            dry_run: self.output.dry_run,
        }
    }
}
