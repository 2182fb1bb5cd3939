//! `promote withdraw`.

use anyhow::Result;
use clap::Args;

use super::arguments::{
    BucketArgs, DestinationArgs, GroupArgs, ManyArgs, OutputArgs, Selected, SourceArgs, TargetArgs, WriteArgs, key,
};
use super::exit::Exit;
use super::many;
use super::running::Running;
use crate::model::arn::{GroupRef, KmsKeyArn};
use crate::run::settings::WithdrawSettings;
use crate::run::{Context, withdraw};

/// Reject every promoted version whose source version is Rejected, and promote nothing
///
/// `promote full` withdraws them too. Use this where a promotion waits for a review and a withdrawal must not.
#[derive(Debug, Args)]
#[command(mut_arg("target_bucket", |flag| flag.help("Bucket in the target account that has the artifacts")))]
pub(super) struct Withdraw {
    #[command(flatten)]
    groups: GroupArgs,
    #[command(flatten)]
    many: ManyArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    writes: WriteArgs,
    /// KMS key in the target account that encrypts the records [default: the bucket's default encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN", help_heading = "Records")]
    kms_key_arn: Option<KmsKeyArn>,
    /// Asymmetric KMS key that signs the records, each with a DSSE envelope around an in-toto statement
    #[arg(long, alias = "signing-key-arn", env = "PROMOTE_SIGN_KEY", value_name = "ARN", value_parser = key, help_heading = "Records")]
    sign_key: Option<KmsKeyArn>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Withdraw {
    pub(super) fn context(&self) -> Context {
        let source = self.source.access(self.groups.group.region());
        let (source, target) = self.buckets.access(source, self.writes.access(self.target.access()));
        Context::new(source, target)
    }

    pub(super) async fn run(&self, context: &Context, running: &Running) -> Result<Exit> {
        match self.many.select(&self.groups.group, self.destination.in_bucket.target_group.as_ref())? {
            Selected::One(group) => running.printer.conclude(&withdraw(context, &self.settings(group)?).await?),
            Selected::Many(selection) => {
                let run = async |context: Context, group: GroupRef| withdraw(&context, &self.settings(&group)?).await;
                many::run(running, context, &selection, run, Exit::of).await
            }
        }
    }

    fn settings(&self, group: &GroupRef) -> Result<WithdrawSettings> {
        Ok(WithdrawSettings {
            group: group.clone(),
            destination: self.destination.destination(group.name())?,
            kms_key: self.kms_key_arn.clone(),
            sign_key: self.sign_key.clone(),
            dry_run: self.output.dry_run,
        })
    }
}
