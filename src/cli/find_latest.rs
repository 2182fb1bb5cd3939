//! `promote find-latest`.

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{GroupsArgs, OutputArgs, Selected, SourceArgs, WaitArgs};
use super::exit::Exit;
use super::many::run_found;
use super::running::Running;
use crate::aws::session::Access;
use crate::model::arn::GroupRef;
use crate::record::Conclusion;
use crate::run::many::find_source_groups;
use crate::run::settings::Selection;
use crate::run::step_settings::FindLatestSettings;
use crate::run::{Context, RunReport, find_latest};

/// Find the latest Approved version of a group
///
/// Reads the source account only. Exits 4 if the group has no approved version. With a pattern, such a group is listed
/// and does not change the exit code.
#[derive(Debug, Args)]
#[command(mut_arg("dry_run", |dry_run| dry_run.hide(true)))]
pub(super) struct FindLatest {
    #[command(flatten)]
    groups: GroupsArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Continue if the package has unknown fields
    #[arg(long, env = "PROMOTE_IGNORE_UNKNOWN_FIELDS", value_parser = BoolishValueParser::new(), help_heading = "Model package")]
    ignore_unknown_fields: bool,
    #[command(flatten, next_help_heading = "Model package")]
    wait: WaitArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl FindLatest {
    pub(super) fn context(&self) -> Context {
        Context::new(self.source.access(self.groups.region()), Access::default())
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        match self.groups.select(None)? {
            Selected::One(group) => {
                let report = find_latest(context, &self.settings(group)).await?;
                running.printer.conclude(&report)?;
                Ok(exit(&report))
            }
            Selected::Many(selection) => {
                let found = find_source_groups(context, &selection).await?;
                let verb =
                    async |context: Context, group: GroupRef| find_latest(&context, &self.settings(&group)).await;
                run_found(running, context, &selection, found, verb, Exit::of).await
            }
        }
    }

    fn settings(&self, group: &GroupRef) -> FindLatestSettings {
        let selection = Selection { group: group.clone(), version: self.groups.package_version };
        let wait_seconds = self.wait.wait_seconds;
        FindLatestSettings { selection, ignore_unknown_fields: self.ignore_unknown_fields, wait_seconds }
    }
}

fn exit(report: &RunReport) -> Exit {
    match report.outcome() {
        Conclusion::NothingApproved => Exit::NothingApproved,
        _ => Exit::of(report),
    }
}
