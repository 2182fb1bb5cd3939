//! The plan of a dry run, with the settings that it depends on.

use anyhow::Result;
use serde_json::{Value, json};

use crate::aws::objects::BucketAccess;
use crate::model::field::Document;
use crate::model::secrets::RecordSecrets;
use crate::run::context::Context;
use crate::run::report::RunReport;
use crate::run::settings::{CopySettings, FullSettings, RegistrationSettings};

impl RunReport {
    /// Adds the settings and the digest of the plan to the report of a dry run in which nothing has failed. The digest is
    /// that of the whole document, so nothing may be added to the document afterwards.
    pub(in crate::run) fn with_plan(self, context: &Context, settings: &FullSettings) -> Result<Self> {
        if !settings.dry_run || !self.failures.is_empty() {
            return Ok(self);
        }
        let deciding = settings.deciding(&context.target_access().buckets, context.record_secrets)?;
        Ok(Self { document: self.document.with_digest(deciding)?, ..self })
    }
}

impl FullSettings {
    /// The settings that decide what a run writes, besides the version and the destination.
    fn deciding(&self, target: &BucketAccess, secrets: RecordSecrets) -> Result<Document> {
        let Self { selection: _, destination: _, overrides, copy, registration, no_withdraw, dry_run: _ } = self;
        let CopySettings { mode, verify, part_size: _, stall_seconds: _ } = copy;
        let RegistrationSettings { approval, create_group, into_existing_group, group_tags, sign_key, wait_seconds: _ } =
            registration;
        let BucketAccess { owner, writes, requester_pays: _ } = target;
        let settings = json!({
            "overrides": overrides,
            "target_bucket_owner": owner,
            "target_writes": writes,
            "copy_mode": mode,
            "verify": verify,
            "approval": approval,
            "create_group": create_group,
            "into_existing_group": into_existing_group,
            "group_tags": group_tags,
            "sign_key": sign_key,
            "no_withdraw": no_withdraw,
            "record_secrets": secrets == RecordSecrets::InFull,
        });
        match settings {
            Value::Object(settings) => Ok(settings),
            other => anyhow::bail!("the settings are {other}"),
        }
    }
}
