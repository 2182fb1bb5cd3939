//! Where the promotions to a group are.

use anyhow::Result;

use crate::aws::accounts::TargetAccount;
use crate::aws::objects::Encryption;
use crate::aws::session::Identity;
use crate::copy::Holds;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::layout::{Layout, TargetPrefix};
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::run::promotion::target_group::versions;
use crate::run::settings::HoldSettings;

/// Where the promotions to a group are.
pub(in crate::run) struct Place {
    pub destination: Destination,
    /// The versions of the group, the newest first.
    pub versions: Vec<PromotedVersion>,
    /// The folders of all promotions to the group: that of the destination, and those that versions name.
    pub folders: Vec<Location>,
    /// What makes it doubtful that runs look for a hold at the destination.
    pub warnings: Vec<String>,
}

impl Place {
    /// The bucket and the prefix of the settings; otherwise those of the group's newest promoted version.
    ///
    /// # Errors
    /// No bucket is given, and no promoted version names one.
    pub async fn find(target: &TargetAccount, settings: &HoldSettings, identity: Identity) -> Result<Self> {
        let group = identity.group(&settings.target_group);
        let versions = versions(target, &settings.target_group).await?;
        let unknown = || "unknown".parse().expect("it is a valid bucket name");
        let given = Destination {
            bucket: settings.bucket.clone().unwrap_or_else(unknown),
            prefix: settings.prefix.clone().unwrap_or_default(),
            group,
            caller: identity.arn,
        };
        let mut named = versions.iter().filter_map(|version| given.of(version, &version.source()?));
        let fits = |place: &Destination| settings.bucket.as_ref().is_none_or(|bucket| *bucket == place.bucket);
        let found = match (named.find(fits), &settings.bucket) {
            (Some(found), _) => found,
            (None, Some(_)) => given.clone(),
            (None, None) => {
                let message = format!(
                    "the bucket of the promotions is not known: no promoted version of {} names it",
                    given.group
                );
                let hint = "Pass the `--target-bucket` of the promotions, and their `--target-prefix` if they have one";
                return Err(Failure::new(message).hint(hint).into());
            }
        };
        let prefix = settings.prefix.clone().unwrap_or(found.prefix);
        let destination = Destination { bucket: found.bucket, prefix, ..given };
        let (own, named) = (destination.promotions(), Destination::promotions_of(destination.group.name(), &versions));
        let is_named = named.contains(&own);
        let warnings = (!is_named).then(|| format!("no version of the group was promoted to {own}"));
        let others = named.into_iter().filter(|folder| *folder != own);
        let folders = std::iter::once(own.clone()).chain(others).collect();
        Ok(Self { destination, versions, folders, warnings: warnings.into_iter().collect() })
    }

    /// Adds the root of a bucket that is given without a prefix: the group may have been held there before it had versions.
    pub fn with_root(mut self, settings: &HoldSettings) -> Self {
        if let (Some(bucket), None) = (&settings.bucket, &settings.prefix) {
            let root = Layout::promotions(bucket, &TargetPrefix::default(), self.destination.group.name());
            if !self.folders.contains(&root) {
                self.folders.push(root);
            }
        }
        self
    }

    /// Where a version was promoted to: versions of one group may be in several buckets or prefixes.
    pub fn of(&self, version: &PromotedVersion) -> Destination {
        let found = version.source().and_then(|source| self.destination.of(version, &source));
        found.unwrap_or_else(|| self.destination.clone())
    }

    pub fn holds<'a>(&'a self, target: &'a TargetAccount, settings: &HoldSettings, folder: &Location) -> Holds<'a> {
        Holds {
            target: target.objects(),
            group: &self.destination.group,
            promotions: folder.clone(),
            encryption: Encryption { kms_key: settings.kms_key.clone() },
        }
    }
}

/// The Approved versions newer than `than` that others have registered, the newest first.
pub(super) fn approved_by_others<'a>(
    versions: &'a [PromotedVersion],
    than: &PackageArn,
) -> impl Iterator<Item = &'a PackageArn> {
    let newer = versions.iter().filter(|version| version.arn.version() > than.version());
    let others = newer.filter(|version| {
        version.source().is_none() && version.is_complete() && version.approval() == ApprovalStatus::Approved
    });
    others.map(|version| &version.arn)
}
