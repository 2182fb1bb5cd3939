//! The settings that a plan depends on.

use anyhow::Result;
use serde_json::{Value, json};

use super::settings::FullSettings;
use crate::aws::objects::BucketAccess;
use crate::model::field::Document;

impl FullSettings {
    /// The settings that decide what a run writes, besides the version and the destination.
    pub(super) fn deciding(&self, target: &BucketAccess) -> Result<Document> {
        let Self { selection: _, destination: _, overrides, copy, registration, no_withdraw, dry_run: _ } = self;
        let settings = json!({
            "overrides": overrides,
            "target_bucket_owner": target.owner,
            "target_writes": target.writes,
            "copy_mode": copy.mode,
            "verify": copy.verify,
            "approval": registration.approval,
            "create_group": registration.create_group,
            "into_existing_group": registration.into_existing_group,
            "group_tags": registration.group_tags,
            "sign_key": registration.sign_key,
            "no_withdraw": no_withdraw,
        });
        match settings {
            Value::Object(settings) => Ok(settings),
            other => anyhow::bail!("the settings are {other}"),
        }
    }
}
