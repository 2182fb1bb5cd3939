//! `promote status`.

use anyhow::Result;
use clap::Args;

use super::arguments::{ManyArgs, OutputArgs, Selected, SourceArgs, TargetArgs};
use super::exit::Exit;
use super::many;
use super::running::Running;
use crate::model::arn::{GroupRef, GroupTemplate, Groups};
use crate::run::settings::StatusSettings;
use crate::run::{Context, status};

/// Show the versions of a source group and their promoted versions side by side
///
/// Shows for each version whether it is promoted, pending, withdrawn, rejected or not promoted, and which promoted
/// versions differ from their source as it is now. Without --group, or if the source may not be read, shows the promoted
/// versions of --target-group with their source versions. Reads only.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Source model package group: its ARN, or its name in the account and region of the source credentials. `*` and `?`
    /// in the name select every group that matches
    #[arg(
        long,
        alias = "source-model-package-group-arn",
        env = "PROMOTE_GROUP",
        value_name = "ARN|NAME",
        help_heading = "Model package",
        required_unless_present = "target_group"
    )]
    group: Option<Groups>,
    #[command(flatten)]
    many: ManyArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Target model package group; {group} in it stands for the source group's name [default: the source group's name]
    #[arg(
        long,
        alias = "target-model-package-group-name",
        env = "PROMOTE_TARGET_GROUP",
        value_name = "NAME",
        help_heading = "Target"
    )]
    target_group: Option<GroupTemplate>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Status {
    pub(super) fn context(&self) -> Context {
        Context::new(self.source.access(self.group.as_ref().and_then(Groups::region)), self.target.access())
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        let Some(groups) = &self.group else {
            let target_group = self.target_group.as_ref().and_then(GroupTemplate::fixed);
            running.printer.document(&status(context, &StatusSettings { group: None, target_group }).await?)?;
            return Ok(Exit::Done);
        };
        match self.many.select(groups, self.target_group.as_ref())? {
            Selected::One(group) => running.printer.document(&status(context, &self.settings(group)?).await?)?,
            Selected::Many(selection) => {
                let run = async |context: Context, group: GroupRef| status(&context, &self.settings(&group)?).await;
                return many::run(running, context, &selection, run, |_| Exit::Done).await;
            }
        }
        Ok(Exit::Done)
    }

    fn settings(&self, group: &GroupRef) -> Result<StatusSettings> {
        let target_group = self.target_group.as_ref().map(|template| template.target_of(group.name())).transpose()?;
        Ok(StatusSettings { group: Some(group.clone()), target_group })
    }
}
