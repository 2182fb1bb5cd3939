//! `promote status`.

use anyhow::Result;
use clap::Args;

use super::arguments::{OutputArgs, SourceArgs, TargetArgs};
use super::exit::Exit;
use super::printer::Printer;
use crate::model::arn::{GroupName, GroupRef};
use crate::run::settings::StatusSettings;
use crate::run::{Context, status};

/// Show the versions of a source group and their promoted versions side by side
///
/// Shows for each version whether it is promoted, pending, withdrawn, rejected or not promoted, and which promoted
/// versions differ from their source as it is now. Without --group, or if the source may not be read, shows the promoted
/// versions of --target-group with their source versions. Reads only.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Source model package group: its ARN, or its name in the account and region of the source credentials
    #[arg(
        long,
        alias = "source-model-package-group-arn",
        env = "PROMOTE_GROUP",
        value_name = "ARN|NAME",
        help_heading = "Model package",
        required_unless_present = "target_group"
    )]
    group: Option<GroupRef>,
    #[command(flatten)]
    source: SourceArgs,
    /// Target model package group [default: the source group's name]
    #[arg(
        long,
        alias = "target-model-package-group-name",
        env = "PROMOTE_TARGET_GROUP",
        value_name = "NAME",
        help_heading = "Target"
    )]
    target_group: Option<GroupName>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Status {
    pub(super) fn context(&self) -> Context {
        Context::new(self.source.access(self.group.as_ref().and_then(GroupRef::region)), self.target.access())
    }

    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let settings = StatusSettings { group: self.group.clone(), target_group: self.target_group.clone() };
        printer.document(&status(context, &settings).await?)?;
        Ok(Exit::Done)
    }
}
