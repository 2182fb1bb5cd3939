//! `promote hold`, `promote release` and `promote rollback`.

use anyhow::Result;
use clap::Args;

use super::arguments::{BucketAndPrefixArgs, BucketArgs, OutputArgs, TargetArgs, WriteArgs, key, number};
use super::exit::Exit;
use super::known::Known;
use super::printer::{Printer, failed, say};
use crate::model::arn::{GroupName, KmsKeyArn};
use crate::run::settings::{HoldSettings, RollbackSettings};
use crate::run::{Context, hold, release, rollback};

/// Stop promotions into a target group until it is released
///
/// `promote full` and the pipeline then report what they would promote, and promote nothing. They still withdraw
/// versions that the source rejects. The hold is written to every bucket and prefix that versions of the group were
/// promoted to.
#[derive(Debug, Args)]
pub(super) struct HoldArgs {
    #[command(flatten)]
    pub(super) group: GroupFlags,
    /// Reason for the hold, which every run prints
    #[arg(long, env = "PROMOTE_REASON", value_name = "TEXT", help_heading = "Target")]
    reason: String,
}

/// Release a held target group, so that promotions go on
///
/// Ends the hold in every bucket and prefix that versions of the group were promoted to.
#[derive(Debug, Args)]
#[command(
    mut_arg("target_bucket", |flag| flag.help("Additional bucket in which to end the hold, even if nothing was promoted to it yet")),
    mut_arg("target_prefix", |flag| flag.help("Additional prefix at which to end the hold, in `--target-bucket` or in the bucket of the newest promoted version"))
)]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    pub(super) group: GroupFlags,
    /// Reason for the release
    #[arg(long, env = "PROMOTE_REASON", value_name = "TEXT", help_heading = "Target")]
    reason: Option<String>,
}

/// Go back to an older promoted version, and hold the target group
///
/// Verifies the older version and holds the group, then rejects every newer promoted version. Nothing is promoted into
/// the group until `promote release`.
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    pub(super) group: GroupFlags,
    /// Promoted version to go back to [default: the newest Approved version that is older than the live one and matches its record]
    #[arg(long, env = "PROMOTE_TO", value_name = "N", value_parser = number(1..=u32::MAX), help_heading = "Target")]
    to: Option<u32>,
    /// Reason for the rollback; it is added to the approval descriptions of rejected versions, and every run prints it
    #[arg(long, env = "PROMOTE_REASON", value_name = "TEXT", help_heading = "Target")]
    reason: String,
    /// Seconds to wait before newer versions are rejected once more, in case a concurrent run has approved one
    #[arg(long, env = "PROMOTE_SETTLE_SECONDS", value_name = "SECONDS", default_value_t = 60, value_parser = number(0..=3600u64), help_heading = "Target")]
    settle_seconds: u64,
    /// Asymmetric KMS key that signs the records, each with a DSSE envelope around an in-toto statement
    #[arg(long, alias = "signing-key-arn", env = "PROMOTE_SIGN_KEY", value_name = "ARN", value_parser = key, help_heading = "Records")]
    sign_key: Option<KmsKeyArn>,
}

/// The flags that name the group and where its promotions are.
#[derive(Debug, Args)]
#[command(
    mut_arg("target_bucket", |flag| flag.help("Additional bucket to write the hold to, even if nothing was promoted to it yet")),
    mut_arg("target_prefix", |flag| flag.help("Additional prefix to write the hold to, in `--target-bucket` or in the bucket of the newest promoted version")),
    mut_arg("source_request_payer", |flag| flag.hide(true))
)]
pub(super) struct GroupFlags {
    /// Target model package group
    #[arg(
        long,
        alias = "target-model-package-group-name",
        env = "PROMOTE_TARGET_GROUP",
        value_name = "NAME",
        help_heading = "Target"
    )]
    target_group: GroupName,
    #[command(flatten)]
    promoted_to: BucketAndPrefixArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    writes: WriteArgs,
    /// KMS key in the target account that encrypts what is written [default: the bucket's default encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN", help_heading = "Records")]
    kms_key_arn: Option<KmsKeyArn>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl GroupFlags {
    pub(super) fn context(&self) -> Context {
        let (source, target) = self.buckets.access(self.target.access(), self.writes.access(self.target.access()));
        Context::new(source, target)
    }

    fn settings(&self, reason: Option<&String>) -> HoldSettings {
        HoldSettings {
            target_group: self.target_group.clone(),
            bucket: self.promoted_to.target_bucket.clone(),
            prefix: self.promoted_to.target_prefix.clone(),
            reason: reason.cloned(),
            kms_key: self.kms_key_arn.clone(),
            dry_run: self.output.dry_run,
        }
    }
}

impl HoldArgs {
    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let settings = self.group.settings(Some(&self.reason));
        settings.refuse_no_reason()?;
        printer.document(&hold(context, &settings).await?)?;
        Ok(Exit::Done)
    }
}

impl ReleaseArgs {
    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        printer.document(&release(context, &self.group.settings(self.reason.as_ref())).await?)?;
        Ok(Exit::Done)
    }
}

impl RollbackArgs {
    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let hold = self.group.settings(Some(&self.reason));
        hold.refuse_no_reason()?;
        let (settle_seconds, sign_key) = (self.settle_seconds, self.sign_key.clone());
        let report = rollback(context, &RollbackSettings { hold, to: self.to, settle_seconds, sign_key }).await?;
        printer.document(&report)?;
        for failure in &report.failures {
            failed(failure, &Known::default());
        }
        for other in &report.approved_by_others {
            say(&format!(
                "warning: {other}, registered by others, stays Approved: reject it if it must not be deployed"
            ));
        }
        let is_confirmed = report.unconfirmed.is_empty() && report.approved_by_others.is_empty();
        Ok(match (report.failures.is_empty(), is_confirmed) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::Unconfirmed,
            (true, true) => Exit::Done,
        })
    }
}
