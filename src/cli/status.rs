//! `promote status`.

use anyhow::Result;
use clap::Args;
use clap::builder::EnumValueParser;

use super::arguments::{
    BucketAndPrefixArgs, BucketArgs, Format, ManyArgs, OutputArgs, PageArgs, Selected, SourceArgs, TargetArgs,
    WriteArgs,
};
use super::exit::Exit;
use super::many;
use super::printer::say;
use super::render::Rendered;
use super::running::Running;
use crate::model::arn::{GroupName, GroupRef, GroupTemplate, Groups};
use crate::model::failure::Failure;
use crate::run::many::find_groups;
use crate::run::settings::{LineageSettings, StatusSettings};
use crate::run::{Context, StatusReport, put_page, status};

/// Promoted versions of a group with their lineage, on a page.
const ON_A_PAGE: usize = 50;

/// The same with `--verbose`, without a page.
const WITH_VERBOSE: usize = 10;

/// The same of all groups of a pattern together. Each group has at least two.
const OF_ALL_GROUPS: usize = 400;

/// Show the versions of a source group and their promoted versions side by side
///
/// Shows for each version whether it is promoted, pending, withdrawn, rejected or not promoted, and which promoted
/// versions differ from their source as it is now. Without --group, or if reading the source is denied, shows the
/// promoted versions of --target-group with their source versions; with a pattern, a group whose source cannot be read
/// fails. Shows who holds the target group, since when and why. --verbose adds the images of the newest promoted versions, and in JSON their
/// lineage. --output html writes one page, with the lineage of the newest promoted versions. Writes nothing but the
/// object of --page.
#[derive(Debug, Args)]
#[command(mut_arg("output", |output| output.value_parser(EnumValueParser::<Format>::new())))]
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
    promoted_to: BucketAndPrefixArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    writes: WriteArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Status {
    pub(super) fn context(&self) -> Context {
        let source = self.source.access(self.group.as_ref().and_then(Groups::region));
        let (source, target) = self.buckets.access(source, self.writes.access(self.target.access()));
        Context::new(source, target).reading_only()
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        let Some(groups) = &self.group else {
            let target_group = self.target_group.as_ref().map(fixed).transpose()?;
            let settings = StatusSettings { group: None, target_group, lineage: self.lineage(1) };
            return self.conclude(context, running, status(context, &settings).await?).await;
        };
        match self.many.select(groups, self.target_group.as_ref())? {
            Selected::One(group) => {
                self.conclude(context, running, status(context, &self.settings(group, 1)?).await?).await
            }
            Selected::Many(selection) => {
                let found = find_groups(context, &selection).await?;
                let groups = found.groups.len();
                let run =
                    async |context: Context, group: GroupRef| status(&context, &self.settings(&group, groups)?).await;
                let (document, exit) = many::document(running, context, &selection, found, run, exit_of_many).await;
                running.printer.document(&document)?;
                let is_whole = document.groups.iter().all(|group| group.result.as_ref().is_ok_and(is_whole));
                self.keep_page(context, is_whole.then(|| document.html()).flatten()).await?;
                Ok(exit)
            }
        }
    }

    async fn conclude(&self, context: &Context, running: &Running, report: StatusReport) -> Result<Exit> {
        running.printer.document(&report)?;
        self.keep_page(context, is_whole(&report).then(|| report.html()).flatten()).await?;
        Ok(Exit::Done)
    }

    /// Writes the page to the object of `--page`. The object stays if there is no page, because a
    /// group could not be read.
    async fn keep_page(&self, context: &Context, page: Option<String>) -> Result<()> {
        let Some(at) = &self.page.page else { return Ok(()) };
        let Some(page) = page else {
            say(&format!("warning: {at} was not replaced, because not every group could be read"));
            return Ok(());
        };
        if self.output.dry_run {
            return Ok(());
        }
        put_page(context, at, page, self.page.kms_key_arn.clone()).await
    }

    fn settings(&self, group: &GroupRef, groups: usize) -> Result<StatusSettings> {
        let target_group = self.target_group.as_ref().map(|template| template.target_of(group.name())).transpose()?;
        Ok(StatusSettings { group: Some(group.clone()), target_group, lineage: self.lineage(groups) })
    }

    /// `groups`: how many groups the run has.
    fn lineage(&self, groups: usize) -> LineageSettings {
        let (output, has_page) = (self.output.output, self.output.output == Format::Html || self.page.page.is_some());
        // The table of several groups has no versions.
        let is_table = matches!(self.group, Some(Groups::Matching(_))) && output == Format::Text;
        let most = match (has_page, self.output.told.verbose && !is_table) {
            (true, _) => ON_A_PAGE,
            (false, true) => WITH_VERBOSE,
            (false, false) => 0,
        };
        let versions = most.min((OF_ALL_GROUPS / groups.max(1)).max(2));
        LineageSettings {
            versions,
            bucket: self.promoted_to.target_bucket.clone(),
            prefix: self.promoted_to.target_prefix.clone(),
        }
    }
}

/// The name of a target group that no source group is given for.
///
/// # Errors
/// It depends on the source group.
fn fixed(template: &GroupTemplate) -> Result<GroupName> {
    let failure = || {
        Failure::new(format!(
            "`--target-group {template}` depends on the name of the source group, and `--group` is not given"
        ))
        .hint("Pass `--group`, or the name of one target group")
        .wrong_arguments()
    };
    Ok(template.fixed().ok_or_else(failure)?)
}

/// With a pattern, a group whose source could not be read has failed. With one group, the caller may be permitted to read the
/// target only.
fn exit_of_many(report: &StatusReport) -> Exit {
    if is_whole(report) { Exit::Done } else { Exit::Failed }
}

/// Whether both sides of a group were read.
fn is_whole(report: &StatusReport) -> bool {
    report.source_unread.is_none()
}
