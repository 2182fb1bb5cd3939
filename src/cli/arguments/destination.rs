//! The destination that the flags name.

use anyhow::Result;

use super::DestinationArgs;
use super::groups::target_of;
use crate::model::arn::GroupName;
use crate::model::location::BucketName;
use crate::run::settings::DestinationSettings;

impl DestinationArgs {
    /// The destination in a bucket, for versions of a source group.
    ///
    /// # Errors
    /// The name of the target group is too long.
    pub fn destination(&self, bucket: &BucketName, source: &GroupName) -> Result<DestinationSettings> {
        Ok(DestinationSettings {
            bucket: bucket.clone(),
            prefix: self.target_prefix.clone().unwrap_or_default(),
            group: self.group_of(source)?,
        })
    }

    /// The name of the target group of a source group, if it is given.
    ///
    /// # Errors
    /// The name is too long.
    pub fn group_of(&self, source: &GroupName) -> Result<Option<GroupName>> {
        self.target_group.as_ref().map(|template| target_of(template, source)).transpose()
    }
}
