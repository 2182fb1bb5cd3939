//! `promote full`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{
    BucketArgs, CopyArgs, DestinationArgs, GroupsArgs, OutputArgs, OverrideArgs, RegisterArgs, Selected, SourceArgs,
    SyncArgs, TargetArgs, WriteArgs,
};
use super::exit::Exit;
use super::many;
use super::running::Running;
use super::step_before::{read_plan, read_plan_of_groups};
use crate::aws::session::Access;
use crate::model::arn::{GroupName, GroupRef};
use crate::model::secrets::RecordSecrets;
use crate::record::{Conclusion, ReviewedPlan};
use crate::run::many::{ReviewedGroups, find_groups, full_for_group};
use crate::run::settings::{FullSettings, Selection};
use crate::run::{Context, RunReport, full, full_as_planned};

/// Promote the latest Approved version of a group into the target account
///
/// Finds the version, copies and verifies its artifacts, registers it, and approves it last. Syncs every promoted
/// version with its source. Run again after a failure: finished copies are skipped, and each source version
/// is promoted once.
#[derive(Debug, Args)]
pub(super) struct FullArgs {
    #[command(flatten)]
    pub(super) promotion: PromotionArgs,
    #[command(flatten)]
    reviewed: ReviewedArgs,
}

/// The flags of a promotion.
#[derive(Debug, Args)]
pub(super) struct PromotionArgs {
    #[command(flatten)]
    groups: GroupsArgs,
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
    register: RegisterArgs,
    #[command(flatten)]
    sync: SyncArgs,
    /// Exit with 4 if no version is approved, instead of 0
    #[arg(long, env = "PROMOTE_FAIL_IF_NOTHING_APPROVED", value_parser = BoolishValueParser::new(), help_heading = "Model package")]
    fail_if_nothing_approved: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// The flags for a plan that somebody has reviewed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
struct ReviewedArgs {
    /// Plan to carry out: the `--record` file of a dry run with the same flags. The run stops before its first write if
    /// anything in the plan has changed
    #[arg(long, env = "PROMOTE_PLAN", value_name = "FILE|-")]
    plan: Option<PathBuf>,
    /// Refuse a plan that is older than this, such as 12h or 7d
    #[arg(long, env = "PROMOTE_PLAN_MAX_AGE", value_name = "AGE", value_parser = humantime::parse_duration, default_value = "7d")]
    plan_max_age: Duration,
}

impl FullArgs {
    pub(super) fn context(&self) -> Context {
        self.promotion.context()
    }

    /// The plan to carry out.
    pub(super) fn plan(&self) -> Option<&Path> {
        self.reviewed.plan.as_deref()
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        let promotion = &self.promotion;
        match promotion.groups()? {
            Selected::One(group) => {
                let report = self.run_one(context, group).await?;
                running.printer.conclude(&report)?;
                Ok(promotion.exit(&report))
            }
            Selected::Many(selection) => {
                let reviewed = self.reviewed_groups().await?;
                let found = find_groups(context, &selection).await?;
                let found = match &reviewed {
                    Some(plans) => plans.planned(found),
                    None => found,
                };
                let run = async |context: Context, group: GroupRef| {
                    full_for_group(&context, &promotion.settings(&group)?, reviewed.as_ref()).await
                };
                many::run_found(running, context, &selection, found, run, |report| promotion.exit(report)).await
            }
        }
    }

    async fn run_one(&self, context: &Context, group: &GroupRef) -> Result<RunReport> {
        let settings = self.promotion.settings(group)?;
        let Some(file) = &self.reviewed.plan else { return full(context, &settings).await };
        let plan = ReviewedPlan::of(read_plan(file).await?, "promote full --dry-run --record plan.json")?;
        plan.refuse_older(self.reviewed.plan_max_age, SystemTime::now())?;
        full_as_planned(context, &settings, &plan).await
    }

    /// The plans of the groups of a pattern, if `--plan` is given.
    ///
    /// # Errors
    /// The file has no such plans, or they are too old.
    async fn reviewed_groups(&self) -> Result<Option<ReviewedGroups>> {
        let Some(file) = &self.reviewed.plan else { return Ok(None) };
        let plans = read_plan_of_groups(file).await?;
        plans.refuse_older(self.reviewed.plan_max_age, SystemTime::now())?;
        Ok(Some(plans))
    }
}

impl PromotionArgs {
    pub(super) fn context(&self) -> Context {
        let (source, target) = self.access();
        let context = Context::new(source, target).with_limits(self.copy.limits());
        context.with_record_secrets(self.record_secrets())
    }

    /// What the records have in place of secrets.
    pub(super) fn record_secrets(&self) -> RecordSecrets {
        self.register.record_secrets()
    }

    /// How the source and the target are accessed.
    pub(super) fn access(&self) -> (Access, Access) {
        let source = self.source.access(self.groups.region());
        self.buckets.access(source, self.writes.access(self.target.access()))
    }

    /// The name of the target group of a source group, if it is given.
    ///
    /// # Errors
    /// The name is too long.
    pub(super) fn target_of(&self, group: &GroupRef) -> Result<Option<GroupName>> {
        self.destination.in_bucket.group_of(group.name())
    }

    /// The groups that the flags select.
    ///
    /// # Errors
    /// A flag has no effect on them.
    pub(super) fn groups(&self) -> Result<Selected<'_>> {
        let mut selected = self.groups.select(self.destination.in_bucket.target_group.as_ref())?;
        if let Selected::Many(selection) = &mut selected {
            selection.created_tags = self.register.created_tags();
        }
        Ok(selected)
    }

    pub(super) fn exit(&self, report: &RunReport) -> Exit {
        match (Exit::of(report), report.outcome()) {
            (Exit::Done, Conclusion::NothingApproved) if self.fail_if_nothing_approved => Exit::NothingApproved,
            (exit, _) => exit,
        }
    }

    /// The settings of the promotion of a group.
    ///
    /// # Errors
    /// The name of the target group is too long.
    pub(super) fn settings(&self, group: &GroupRef) -> Result<FullSettings> {
        Ok(FullSettings {
            selection: Selection { group: group.clone(), version: self.groups.package_version },
            destination: self.destination.destination(group.name())?,
            overrides: self.overrides.overrides(),
            copy: self.copy.settings(),
            registration: self.register.settings(),
            no_withdraw: self.sync.no_withdraw,
            dry_run: self.output.dry_run,
        })
    }
}
