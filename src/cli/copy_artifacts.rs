//! `promote copy-artifacts`: a version comes in, its artifacts are at the target.

use anyhow::{Context, Result};
use clap::Args;

use super::exit::Exit;
use super::output::Printer;
use super::settings::{CarryArgs, CopyArgs, OutputArgs, PackageArgs, PlaceArgs, SourceArgs, TargetArgs};
use super::steps::{Clock, Copying, Place, describe, look, make_plan, read_document, refuse_change};
use crate::aws::accounts::{SourceAccount, TargetAccount, callers, target_group};
use crate::copy::OpenUploads;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::location::BucketName;
use crate::model::package::Package;
use crate::record::{Conclusion, Record, Source};

/// Copy and verify the artifacts of a version
///
/// Registers nothing. What is at the target already is not copied again.
#[derive(Debug, Args)]
pub struct CopyArtifacts {
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Bucket of the target account for the artifacts
    #[arg(long, env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET", help_heading = "Target")]
    target_bucket: BucketName,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    carry: CarryArgs,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl CopyArtifacts {
    pub(super) async fn run(&self, printer: &Printer, uploads: &OpenUploads) -> Result<Exit> {
        let clock = Clock::start();
        let (arn, before) = self.package.resolve().await?;
        let source = SourceAccount::open(self.source.access(), Some(arn.region())).await?;
        let target = TargetAccount::open(self.target.access()).await?;
        let (callers, package) =
            tokio::join!(callers(&source, &target, arn.account()), described(&source, &arn, before.as_ref()));
        let ((reader, identity), package) = (callers?, package?);
        let group = source_group(&package);
        let name = self.place.target_group.as_ref().unwrap_or(group.name());
        let place = Place {
            bucket: self.target_bucket.clone(),
            prefix: self.place.target_prefix.clone().unwrap_or_default(),
            group: target_group(&group, &identity, name)?,
            identity,
        };
        let carrying = self.carry.carrying();
        let (plan, there) =
            tokio::try_join!(make_plan(&source, &place, &package, &carrying), look(&target, &place, package.arn()),)?;
        let copying = Copying {
            source: &source,
            target: &target,
            tuning: self.copy.tuning(),
            carrying: &carrying,
            uploads,
            printer,
        };
        let mut record = match self.output.dry_run {
            true => {
                let preview = copying.preview(plan, there).await?;
                clock.record(Conclusion::Planned, Source::of(&package, Some(reader.arn))).with_preview(&preview)?
            }
            false => {
                let copied = copying.copy(plan, there).await?;
                clock.record(Conclusion::Copied, Source::of(&package, Some(reader.arn))).with_copied(&copied)?
            }
        };
        record.target = Some(place.target(package.arn(), None));
        printer.conclude(&record)
    }
}

impl PackageArgs {
    /// The version that was named, and the document that named it.
    pub(super) async fn resolve(&self) -> Result<(PackageArn, Option<Record>)> {
        match (&self.model_package, &self.from) {
            (Some(arn), _) => Ok((arn.clone(), None)),
            (None, Some(from)) => {
                let record = read_document(from).await?;
                let package = record.source.package.as_ref();
                let package =
                    package.context("the document of the step before names no version; nothing was approved")?;
                Ok((package.model_package_arn.clone(), Some(record)))
            }
            (None, None) => anyhow::bail!("name the version with --model-package or --from"),
        }
    }
}

/// Describes a version and holds it against what the step before has seen.
pub(super) async fn described(source: &SourceAccount, arn: &PackageArn, before: Option<&Record>) -> Result<Package> {
    let package = describe(source, arn).await?;
    if let Some(before) = before {
        refuse_change(&package, before)?;
    }
    Ok(package)
}

/// The group of a version, with its name as it was given.
pub(super) fn source_group(package: &Package) -> GroupArn {
    let arn = package.arn();
    GroupArn::new(arn.partition(), arn.region(), arn.account(), package.group())
}
