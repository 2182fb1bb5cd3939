//! `promote doctor`.

use anyhow::{Error, Result};
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{OutputArgs, Selected};
use super::exit::Exit;
use super::full::PromotionArgs;
use super::many;
use super::running::Running;
use crate::aws::error::CallError;
use crate::model::arn::GroupRef;
use crate::model::failure::cause;
use crate::run::doctor::{Finding, doctor_without_groups};
use crate::run::many::{GroupSelection, find_groups};
use crate::run::settings::DoctorSettings;
use crate::run::{Context, DoctorReport, doctor};

/// Check everything that a promotion needs in both accounts, and print the policies that are missing
///
/// Takes the flags of `promote full` except those of a plan. To test permissions to write, doctor sends requests with
/// invalid values, which AWS rejects. It begins a multipart upload to the target bucket and aborts it. It begins a layer
/// upload to each target repository, which Amazon ECR discards. It writes nothing else. If nothing is denied or missing,
/// doctor also runs `promote full --dry-run` and reports why it would fail. Missing optional permissions do not change
/// the exit code. With a pattern, neither do groups without versions.
#[derive(Debug, Args)]
#[command(mut_arg("fail_if_nothing_approved", |flag| flag.hide(true)))]
pub(super) struct Doctor {
    #[command(flatten)]
    full: PromotionArgs,
    /// Do not test permissions to write; --dry-run implies this
    #[arg(long, env = "PROMOTE_NO_PROBES", value_parser = BoolishValueParser::new(), help_heading = "Doctor")]
    no_probes: bool,
}

impl Doctor {
    pub(super) fn context(&self) -> Context {
        self.full.context()
    }

    pub(super) fn output(&self) -> &OutputArgs {
        &self.full.output
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        match self.full.groups()? {
            Selected::One(group) => {
                let report = doctor(context, &self.settings(group)?).await?;
                running.printer.document(&report)?;
                Ok(exit(&report))
            }
            Selected::Many(selection) => {
                let found = match find_groups(context, &selection).await {
                    Ok(found) => found,
                    Err(error) => return self.without_groups(context, running, &selection, error).await,
                };
                let run = async |context: Context, group: GroupRef| doctor(&context, &self.settings(&group)?).await;
                many::run_found(running, context, &selection, found, run, exit_of_many).await
            }
        }
    }

    /// Reports what can be asked although the groups cannot be listed.
    ///
    /// # Errors
    /// The groups are not known for another reason than a call that failed.
    async fn without_groups(
        &self,
        context: &Context,
        running: &Running,
        selection: &GroupSelection,
        error: Error,
    ) -> Result<Exit> {
        let Some(failed) = cause::<CallError>(&error) else { return Err(error) };
        let none = GroupRef::Name("none".parse().expect("it is a valid name"));
        let report = doctor_without_groups(context, &self.settings(&none)?, selection, failed).await;
        running.printer.document(&report)?;
        Ok(exit(&report))
    }

    fn settings(&self, group: &GroupRef) -> Result<DoctorSettings> {
        let promotion = self.full.settings(group)?;
        Ok(DoctorSettings { promotion, probes: !self.no_probes && !self.full.output.dry_run })
    }
}

/// A group without a version is no failure of a pattern, as with `promote full`.
fn exit_of_many(report: &DoctorReport) -> Exit {
    if report.lacks_only_a_version() { Exit::Done } else { exit(report) }
}

fn exit(report: &DoctorReport) -> Exit {
    match report.result {
        Finding::Ok => Exit::Done,
        Finding::NotTestable => Exit::Unconfirmed,
        Finding::Missing | Finding::Denied => Exit::Failed,
    }
}
