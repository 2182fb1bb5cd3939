//! `promote status`.

use anyhow::Result;
use clap::Args;
use clap::builder::EnumValueParser;

use super::arguments::{Format, ManyArgs, OutputArgs, Selected, SourceArgs, TargetArgs};
use super::exit::Exit;
use super::many;
use super::running::Running;
use crate::model::arn::{GroupRef, GroupTemplate, Groups};
use crate::run::settings::{LineageSettings, StatusSettings};
use crate::run::{Context, status};

/// Promoted versions with their lineage on the page: of one group, and of each of several.
const LINEAGES: (usize, usize) = (10, 2);

/// Show the versions of a source group and their promoted versions side by side
///
/// Shows for each version whether it is promoted, pending, withdrawn, rejected or not promoted, and which promoted
/// versions differ from their source as it is now. Without --group, or if the source may not be read, shows the
/// promoted versions of --target-group with their source versions. --output html writes one page, with the lineage of
/// the newest promoted versions. Reads only.
#[derive(Debug, Args)]
#[command(mut_arg("output", |output| output.value_parser(EnumValueParser::<Format>::new())))]
#[command(mut_arg("dry_run", |dry_run| dry_run.hide(true)))]
pub(super) struct Status {
    /// Source model package group: its ARN, or its name in the account and region of the source credentials. `*` and
    /// `?` in the name select every group that matches
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
            running.printer.document(
                &status(context, &StatusSettings { group: None, target_group, lineage: self.lineage() }).await?,
            )?;
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
        Ok(StatusSettings { group: Some(group.clone()), target_group, lineage: self.lineage() })
    }

    /// A page has the lineage of the newest versions.
    fn lineage(&self) -> LineageSettings {
        let of_page = if matches!(self.group, Some(Groups::Matching(_))) { LINEAGES.1 } else { LINEAGES.0 };
        let versions = if self.output.output == Format::Html { of_page } else { 0 };
        LineageSettings { versions, ..LineageSettings::default() }
    }
}
