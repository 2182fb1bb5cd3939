//! The flags that select source groups.

use anyhow::{Result, bail, ensure};
use clap::Args;

use super::values::{number, tag};
use crate::model::arn::{GroupName, GroupRef, GroupTemplate, Groups, Region};
use crate::model::failure::Failure;
use crate::run::many::{GroupSelection, JOBS};

/// The flag that selects source groups.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model package")]
pub struct GroupArgs {
    /// Source model package group: its ARN, or its name in the account and region of the source credentials. `*` and
    /// `?` in the name select every group that matches
    #[arg(long, alias = "source-model-package-group-arn", env = "PROMOTE_GROUP", value_name = "ARN|NAME")]
    pub group: Groups,
}

/// The flags that select a source version, or several source groups.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model package")]
pub struct GroupsArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Source version, whatever its approval status [default: the latest Approved version]
    #[arg(long, env = "PROMOTE_PACKAGE_VERSION", value_name = "N", value_parser = number(1..=u32::MAX))]
    pub package_version: Option<u32>,
    #[command(flatten)]
    many: ManyArgs,
}

/// The flags for verbs that can run for several groups.
#[derive(Debug, Args)]
#[command(next_help_heading = "Several groups")]
pub struct ManyArgs {
    /// Select only source groups with this tag; can be repeated, or separated by commas
    #[arg(long, env = "PROMOTE_SOURCE_TAG", value_name = "KEY=VALUE", value_parser = tag, value_delimiter = ',')]
    source_tag: Vec<(String, String)>,
    /// Source group that is processed first, before all others
    #[arg(long, env = "PROMOTE_FIRST", value_name = "ARN|NAME")]
    first: Option<GroupRef>,
    /// Maximum number of groups at a time
    #[arg(long, env = "PROMOTE_JOBS", value_name = "N", default_value_t = JOBS, value_parser = number(1..=256usize))]
    jobs: usize,
}

impl GroupsArgs {
    /// The region in the ARN, if an ARN is given.
    pub fn region(&self) -> Option<&Region> {
        self.group.group.region()
    }

    /// The groups that the flags select.
    ///
    /// # Errors
    /// A version or tags are given that have no effect, or the name of the target group is too long.
    pub fn select(&self, target_group: Option<&GroupTemplate>) -> Result<Selected<'_>> {
        let Self { group: GroupArgs { group }, package_version, many } = self;
        if let (Groups::Matching(pattern), Some(_)) = (group, package_version) {
            let message = format!("`--package-version` requires one group, and `--group {pattern}` is a pattern");
            bail!(Failure::new(message).hint("Name one group with `--group`").wrong_arguments());
        }
        many.select(group, target_group)
    }
}

impl ManyArgs {
    /// The groups that the flags select.
    ///
    /// # Errors
    /// Tags are given for one group, or the name of its target group is too long.
    pub fn select<'a>(&self, groups: &'a Groups, target_group: Option<&GroupTemplate>) -> Result<Selected<'a>> {
        match groups {
            Groups::One(group) => {
                ensure!(
                    self.source_tag.is_empty(),
                    Failure::new("`--source-tag` has no effect on a group that is given by its name or ARN")
                        .hint("Pass a pattern such as `--group '*'`, or leave out `--source-tag`")
                        .wrong_arguments()
                );
                target_group.map(|template| target_of(template, group.name())).transpose()?;
                Ok(Selected::One(group))
            }
            Groups::Matching(pattern) => Ok(Selected::Many(Box::new(GroupSelection {
                pattern: pattern.clone(),
                tags: self.source_tag.clone(),
                first: self.first.clone(),
                target_group: target_group.cloned(),
                created_tags: None,
                jobs: self.jobs,
            }))),
        }
    }
}

/// The groups that flags select.
#[derive(Debug)]
pub enum Selected<'a> {
    /// One group.
    One(&'a GroupRef),
    /// The groups of a pattern.
    Many(Box<GroupSelection>),
}

/// The name of the target group of a source group.
///
/// # Errors
/// The name is too long.
pub fn target_of(template: &GroupTemplate, source: &GroupName) -> Result<GroupName> {
    let failure = |error| Failure::new(format!("the target group of {source}: {error}"));
    Ok(template.target_of(source).map_err(|error| failure(error).hint("Shorten `--target-group`").wrong_arguments())?)
}
