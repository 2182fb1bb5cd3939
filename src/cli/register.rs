//! `promote register`: a version whose artifacts are at the target comes in, a registered version goes out.

use anyhow::{Context, Result};
use clap::Args;

use super::copy_artifacts::{described, source_group};
use super::exit::Exit;
use super::output::Printer;
use super::registering::{Registering, create_group, is_missing};
use super::settings::{CarryArgs, OutputArgs, PackageArgs, PlaceArgs, RegisterArgs, SourceArgs, TargetArgs};
use super::signing::Signer;
use super::steps::{Clock, Copying, Place, look, make_plan};
use crate::aws::accounts::{SourceAccount, TargetAccount, callers, target_group};
use crate::aws::session::Identity;
use crate::copy::{OpenUploads, Tuning};
use crate::model::arn::GroupArn;
use crate::model::location::BucketName;
use crate::record::{Conclusion, Record, Source};
use crate::register::earlier::Earlier;

/// Register a version whose artifacts were copied
///
/// Confirms that every artifact is at the target, creates the version pending approval, compares it with what was
/// asked for, and gives it its final status last.
#[derive(Debug, Args)]
pub struct Register {
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Bucket of the target account with the artifacts [default: as in the document of the step before]
    #[arg(long, env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET", help_heading = "Target")]
    target_bucket: Option<BucketName>,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    carry: CarryArgs,
    #[command(flatten)]
    register: RegisterArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Register {
    pub(super) async fn run(&self, printer: &Printer) -> Result<Exit> {
        let clock = Clock::start();
        let (arn, before) = self.package.resolve().await?;
        let source = SourceAccount::open(self.source.access(), Some(arn.region())).await?;
        let target = TargetAccount::open(self.target.access()).await?;
        let (callers, signer, package) = tokio::join!(
            callers(&source, &target, arn.account()),
            Signer::open(&target, self.register.sign_key.as_ref()),
            described(&source, &arn, before.as_ref())
        );
        let ((reader, identity), signer, package) = (callers?, signer?, package?);
        let group = source_group(&package);
        let place = self.place(&group, identity, before.as_ref())?;
        let carrying = self.carry.carrying();
        let (plan, there, earlier, missing) = tokio::try_join!(
            make_plan(&source, &place, &package, &carrying),
            look(&target, &place, &arn),
            Earlier::find(target.registry(), place.group.name(), &package),
            is_missing(&target, &place, &self.register),
        )?;
        let (uploads, tuning) = (&OpenUploads::default(), Tuning::default());
        let copying = Copying { source: &source, target: &target, tuning, carrying: &carrying, uploads, printer };
        let copied = copying.confirm(plan, there).await?;
        let facts = Source::of(&package, Some(reader.arn));
        if self.output.dry_run {
            let own = earlier.usable();
            let outcome = if own.is_some_and(|own| own.is_settled() && !own.is_withdrawn()) {
                Conclusion::AlreadyPromoted
            } else {
                Conclusion::Planned
            };
            let mut record = clock.record(outcome, facts).with_copied(&copied)?;
            record.target = Some(place.target(&arn, own.map(|own| (&own.arn, own.approval()))));
            return printer.conclude(&record);
        }
        if missing {
            create_group(&source, &target, &group, &place, &self.register, printer).await?;
        }
        let settings = &self.register;
        let registering = Registering {
            source: &source,
            target: &target,
            place: &place,
            carrying: &carrying,
            settings,
            signer: signer.as_ref(),
        };
        let record = registering.run(&package, &copied, earlier, (&clock, facts), async { Ok(Vec::new()) }).await?;
        printer.conclude(&record)
    }

    /// Flags win over the document of the step before.
    fn place(&self, source: &GroupArn, identity: Identity, before: Option<&Record>) -> Result<Place> {
        let copied = before.and_then(|record| record.target.as_ref());
        let name = self.place.target_group.as_ref().or(copied.map(|t| &t.group)).unwrap_or(source.name());
        let bucket = self.target_bucket.as_ref().or(copied.map(|t| &t.bucket));
        let prefix = self.place.target_prefix.as_ref().or(copied.map(|t| &t.prefix));
        Ok(Place {
            bucket: bucket.context("name the bucket of the artifacts with --target-bucket")?.clone(),
            prefix: prefix.cloned().unwrap_or_default(),
            group: target_group(source, &identity, name)?,
            identity,
        })
    }
}
