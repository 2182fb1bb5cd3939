//! The flags for the destination.

use anyhow::Result;
use clap::Args;

use super::groups::target_of;
use crate::model::arn::{GroupName, GroupTemplate};
use crate::model::layout::TargetPrefix;
use crate::model::location::BucketName;
use crate::run::settings::DestinationSettings;

/// The flags for the destination.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct DestinationArgs {
    /// Bucket in the target account for the artifacts
    #[arg(long, alias = "target-bucket-name", env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET")]
    target_bucket: BucketName,
    #[command(flatten)]
    pub in_bucket: GroupAndPrefixArgs,
}

/// The flags for the destination, except the bucket.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct GroupAndPrefixArgs {
    /// Target model package group; {group} in it stands for the source group's name [default: the source group's name]
    #[arg(long, alias = "target-model-package-group-name", env = "PROMOTE_TARGET_GROUP", value_name = "NAME")]
    pub target_group: Option<GroupTemplate>,
    /// Prefix of every key that is written to the target bucket [default: none]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX")]
    pub target_prefix: Option<TargetPrefix>,
}

/// The flags for the bucket and the prefix that versions of a group were promoted to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct BucketAndPrefixArgs {
    /// Bucket of records and holds [default: the bucket of each promoted version's artifacts]
    #[arg(long, alias = "target-bucket-name", env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET")]
    pub target_bucket: Option<BucketName>,
    /// Key prefix that the versions were promoted with [default: the prefix of each promoted version's artifacts]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX")]
    pub target_prefix: Option<TargetPrefix>,
}

impl DestinationArgs {
    /// The destination of promotions from a source group.
    ///
    /// # Errors
    /// The name of the target group is too long.
    pub fn destination(&self, source: &GroupName) -> Result<DestinationSettings> {
        Ok(DestinationSettings {
            bucket: self.target_bucket.clone(),
            prefix: self.in_bucket.target_prefix.clone().unwrap_or_default(),
            group: self.in_bucket.group_of(source)?,
        })
    }
}

impl GroupAndPrefixArgs {
    /// The name of the target group of a source group, if it is given.
    ///
    /// # Errors
    /// The name is too long.
    pub fn group_of(&self, source: &GroupName) -> Result<Option<GroupName>> {
        self.target_group.as_ref().map(|template| target_of(template, source)).transpose()
    }
}
