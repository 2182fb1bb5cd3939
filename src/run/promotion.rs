//! The state that the steps of one promotion share.

mod copying;
pub(super) mod derived;
pub(super) mod holds;
pub(super) mod other_places;
pub(super) mod planned;
pub(super) mod preview;
pub(super) mod registering;
pub(super) mod source_version;
pub(super) mod target_group;

use std::sync::Arc;

use anyhow::{Result, ensure};
use futures_util::FutureExt;

use super::clock::Started;
use super::context::Context;
use super::event::{Event, Step};
use super::full::permitted::Permitted;
use super::settings::DestinationSettings;
use crate::aws::accounts::{SourceAccount, TargetAccount, target_group};
use crate::aws::session::Identity;
use crate::copy::{OpenUploads, There};
use crate::model::arn::{AccountId, GroupArn, KmsKeyArn, PackageArn, Region};
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::draft::{Draft, PackageOverrides};
use crate::plan::images::{ImageAccess, ImageRegistry, Images, PlannedImage, look_up};
use crate::plan::inventory::{Leniency, inventory};
use crate::plan::provenance::refuse_return;
use crate::plan::refusals::{about_the_package, together};
use crate::plan::{Checked, Plan, Warning, checked_references, plan};
use crate::record::files::Records;
use crate::record::signing::{Signer, refuse_alias};
use crate::record::{Conclusion, Record, ReviewedPlan, Source};
use other_places::OtherPlaces;

/// A promotion from a source group to a destination.
pub(crate) struct Promotion<'a> {
    pub context: &'a Context,
    pub started: Started,
    pub source: &'a SourceAccount,
    pub target: &'a TargetAccount,
    pub group: GroupArn,
    pub destination: Destination,
    pub overrides: &'a PackageOverrides,
    /// The ARN of the principal that reads the source.
    pub reader: String,
    /// Signs the records.
    pub signer: Option<Signer>,
    /// The multipart uploads of this run.
    pub uploads: OpenUploads,
    pub dry_run: bool,
    /// What this run may write.
    pub permitted: Permitted<'a>,
    /// The reviewed plan of this run, also if a hold permits less than it has.
    pub reviewed: Option<&'a ReviewedPlan>,
    /// Where else a hold is looked for. Nothing if the run promotes nothing.
    pub elsewhere: Option<Arc<OtherPlaces>>,
}

/// The outcome of a dry run: the current promotion of the version stays, or a new one is registered.
pub(crate) fn planned(current: Option<&PromotedVersion>) -> Conclusion {
    match current.is_some_and(|current| current.is_settled() && !current.is_withdrawn()) {
        true => Conclusion::AlreadyPromoted,
        false => Conclusion::Planned,
    }
}

impl DestinationSettings {
    /// The destination for versions of a source group.
    pub(crate) fn of(&self, group: &GroupArn, writer: &Identity) -> Result<Destination> {
        let name = self.group.as_ref().unwrap_or(group.name());
        Ok(Destination {
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            group: target_group(group, writer, name)?,
            caller: writer.arn.clone(),
        })
    }
}

impl Promotion<'_> {
    /// Plans the promotion of a version.
    ///
    /// # Errors
    /// An object that the version refers to is missing or cannot be read, or AWS would reject the request.
    pub async fn plan(&self, package: &Package) -> Result<Plan> {
        self.plan_with(package, self.overrides.images).await
    }

    /// The same, and copies images or keeps them.
    pub(super) async fn plan_with(&self, package: &Package, images: Images) -> Result<Plan> {
        if let Some(key) = &self.overrides.kms_key {
            refuse_key(
                key,
                self.destination.group.region(),
                self.destination.group.account(),
                Some(self.group.account()),
            )?;
        }
        refuse_return(package, &self.destination.group)?;
        let draft = Draft::of(package, self.destination.group.name(), self.overrides);
        let layout = self.destination.layout(package.arn());
        let Checked { references, refused } = checked_references(package, &draft, &layout);
        let leniency = Leniency {
            ignore_missing_reports: self.overrides.ignore_missing_reports,
            environment_urls: self.overrides.environment_urls,
        };
        let count = Arc::default();
        self.context.notice(Event::Counting { step: Step::Listing, count: &count });
        let objects = inventory(references, self.source.objects(), &layout, leniency, &count).map(about_the_package);
        let images = self.images(package, &draft, images).map(about_the_package);
        let looked_up = tokio::try_join!(objects, images);
        self.context.notice(Event::Counted(Step::Listing));
        let (inventory, images) = looked_up?;
        match (refused, inventory, images) {
            (Ok(()), Ok(inventory), Ok(images)) => {
                let mut plan = plan(package, draft, inventory, images, &layout)?;
                plan.warnings.extend(self.key_warning());
                Ok(plan)
            }
            (refused, inventory, images) => {
                Err(together([refused.err(), inventory.err(), images.err()].into_iter().flatten().collect()))
            }
        }
    }

    /// Looks up the images, if they are copied.
    async fn images(&self, package: &Package, draft: &Draft, images: Images) -> Result<Vec<PlannedImage>> {
        if images == Images::Keep {
            return Ok(Vec::new());
        }
        let registry = &ImageRegistry {
            account: self.destination.group.account().clone(),
            region: self.destination.group.region().clone(),
            prefix: self.overrides.image_repository_prefix.clone(),
        };
        let access = ImageAccess { source: self.source.images(), target: self.target.images(), registry };
        look_up(&draft.request, package.arn(), &access).await
    }

    /// A key of a third account, which may be the account of an organization's keys.
    fn key_warning(&self) -> Option<Warning> {
        let (key, target) = (self.overrides.kms_key.as_ref()?, self.destination.group.account());
        let remark = format!(
            "the key belongs to account {}, not to the target account {target}: its key policy must allow every role of {target} \
             that deploys the version to decrypt with it",
            key.account()
        );
        (key.account() != target).then(|| Warning { field: format!("--kms-key-arn {key}"), remark })
    }

    /// Lists the objects in the folder of a version's promotion.
    pub async fn list_folder(&self, version: &PackageArn) -> Result<There> {
        let (target, layout) = (self.target.objects(), self.destination.layout(version));
        There::look(target, &layout).await?.with_claim(target, &layout).await
    }

    /// A record of this run about a version.
    pub fn record(&self, outcome: Conclusion, package: &Package) -> Record {
        self.record_of(outcome, Source::of(package, Some(self.reader.clone())))
    }

    /// A record of this run.
    pub fn record_of(&self, outcome: Conclusion, source: Source) -> Record {
        let mut record = self.started.record(outcome, source, self.context.build.as_ref());
        record.secrets = self.context.record_secrets;
        record.reviewed_plan = self.reviewed.map(ReviewedPlan::reviewed);
        record
    }

    /// Where the records of promotions to a destination are written.
    pub fn records<'a>(&'a self, destination: &'a Destination) -> Records<'a> {
        Records {
            target: self.target,
            destination,
            kms_key: self.overrides.kms_key.as_ref(),
            signer: self.signer.as_ref(),
        }
    }
}

/// Refuses a key for the copies that S3 or their readers cannot use. `source`: the account of the source group, if it is
/// known.
pub(super) fn refuse_key(
    key: &KmsKeyArn,
    region: &Region,
    target: &AccountId,
    source: Option<&AccountId>,
) -> Result<()> {
    ensure!(
        key.region() == region,
        Failure::new(format!(
            "`--kms-key-arn {key}` is not in the target's region {region}, and S3 encrypts with keys of the bucket's region \
             only"
        ))
        .hint(format!("Pass a key in {region}"))
    );
    refuse_alias("--kms-key-arn", key)?;
    ensure!(
        Some(key.account()) != source || key.account() == target,
        Failure::new(format!(
            "`--kms-key-arn {key}` is a key of the source account, which could make the promoted artifacts unreadable"
        ))
        .hint(format!("Pass a key of account {target}"))
    );
    Ok(())
}

/// Describes a version of the source.
pub(crate) async fn describe(source: &SourceAccount, version: &PackageArn) -> Result<Package> {
    let description = source.registry().describe(version).await?;
    Package::from_description(version, description)
}

/// The group of a version, spelled as the registry describes it.
pub(crate) fn source_group(package: &Package) -> GroupArn {
    let arn = package.arn();
    GroupArn::new(arn.partition(), arn.region(), arn.account(), package.group())
}
