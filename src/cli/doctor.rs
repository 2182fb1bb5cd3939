//! `promote doctor`.

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{OutputArgs, Selected};
use super::exit::Exit;
use super::full::Full;
use super::many;
use super::running::Running;
use crate::model::arn::GroupRef;
use crate::run::doctor::Finding;
use crate::run::settings::DoctorSettings;
use crate::run::{Context, DoctorReport, doctor};

/// Ask for everything that a promotion needs, on both sides, and print the policies that allow what is denied
///
/// Takes the flags of `promote full`. Permissions to write are asked for with requests that AWS refuses for their values.
/// An upload to the target bucket is begun and aborted, and one to each target repository is begun, which Amazon ECR
/// forgets. Nothing else is written. A permission that a promotion does without is named as optional, and does not
/// change the exit code.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    full: Full,
    /// Only read: do not ask for permissions to write; --dry-run implies it
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
                let run = async |context: Context, group: GroupRef| doctor(&context, &self.settings(&group)?).await;
                many::run(running, context, &selection, run, exit).await
            }
        }
    }

    fn settings(&self, group: &GroupRef) -> Result<DoctorSettings> {
        let settings = self.full.settings(group)?;
        Ok(DoctorSettings {
            selection: settings.selection,
            destination: settings.destination,
            overrides: settings.overrides,
            create_group: settings.registration.create_group,
            group_tags: settings.registration.group_tags,
            sign_key: settings.registration.sign_key,
            probes: !self.no_probes && !self.full.output.dry_run,
        })
    }
}

fn exit(report: &DoctorReport) -> Exit {
    match report.result {
        Finding::Ok => Exit::Done,
        Finding::NotTestable => Exit::Unconfirmed,
        Finding::Missing | Finding::Denied => Exit::Failed,
    }
}
