//! Finds the existing promotions of a source version. A registry cannot be searched by metadata, but a promoted version
//! is always newer than its source.

use std::collections::HashSet;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::visibility::Visibility;
use crate::aws::registry::{Summary, TargetRegistry};
use crate::model::arn::{GroupName, PackageArn};
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;

/// Concurrent DescribeModelPackage calls of one step. SageMaker answers "Rate exceeded" at low rates, which AWS does not
/// document.
pub const DESCRIPTIONS_AT_ONCE: usize = 4;

/// The existing promotions of one source version.
#[derive(Debug, Clone, Default)]
pub struct ExistingPromotions {
    /// Each, lowest version first.
    versions: Vec<PromotedVersion>,
    /// Every version that was described. Versions are not described twice: their source never changes.
    seen: HashSet<PackageArn>,
}

impl ExistingPromotions {
    /// Describes every version of the target group that is newer than the source version.
    pub async fn find(registry: &TargetRegistry, group: &GroupName, package: &Package) -> Result<Self> {
        let newer = registry.list_created_after(group, &package.created()).await?;
        Self::default().with_listed(registry, newer, package).await
    }

    /// Adds the versions that were registered since, and `created`, which CreateModelPackage has just returned.
    /// `created` is described while the others are listed. It is left out if it was deleted or is not visible yet.
    pub(super) async fn with_created(
        self,
        registry: &TargetRegistry,
        group: &GroupName,
        package: &Package,
        created: &PackageArn,
        visibility: Visibility,
    ) -> Result<Self> {
        let since = package.created();
        let (newer, description) =
            tokio::join!(registry.list_created_after(group, &since), visibility.find(registry, created));
        let (newer, description) = (newer?, description?);
        let promoted = description.map(|description| PromotedVersion { arn: created.clone(), description });
        let mut existing = self;
        existing.add(vec![created.clone()], promoted.into_iter().collect(), package);
        existing.with_listed(registry, newer, package).await
    }

    /// Whether a version that CreateModelPackage has returned may be new. SageMaker does not reuse version numbers: a
    /// new version is higher than every version seen before.
    pub(super) fn is_newest(&self, created: &PackageArn) -> bool {
        self.seen.iter().all(|arn| arn.version() < created.version())
    }

    /// Whether this version is an existing promotion.
    pub(super) fn contains(&self, version: &PackageArn) -> bool {
        self.versions.iter().any(|known| known.arn == *version)
    }

    async fn with_listed(mut self, registry: &TargetRegistry, listed: Vec<Summary>, package: &Package) -> Result<Self> {
        let new = listed.into_iter().map(|summary| summary.arn).filter(|arn| !self.seen.contains(arn));
        let new: Vec<PackageArn> = new.collect();
        let described = describe_all(registry, &new).await?;
        self.add(new, described, package);
        Ok(self)
    }

    fn add(&mut self, seen: Vec<PackageArn>, described: Vec<PromotedVersion>, package: &Package) {
        self.versions.extend(described.into_iter().filter(|promoted| promoted.is_promotion_of(package.arn())));
        self.versions.sort_by_key(|promoted| promoted.arn.version());
        self.seen.extend(seen);
    }

    /// The current promotion of the source version: the first that was not abandoned.
    pub fn current(&self) -> Option<&PromotedVersion> {
        self.versions.iter().find(|promoted| !promoted.is_abandoned())
    }

    /// The number of abandoned promotions.
    pub fn abandoned(&self) -> usize {
        self.versions.iter().filter(|promoted| promoted.is_abandoned()).count()
    }
}

/// Describes versions of the target. Leaves out versions that were deleted meanwhile.
pub async fn describe_all(registry: &TargetRegistry, versions: &[PackageArn]) -> Result<Vec<PromotedVersion>> {
    let descriptions = versions.iter().cloned().map(|arn| describe(registry, arn));
    let described: Vec<Option<PromotedVersion>> =
        stream::iter(descriptions).buffer_unordered(DESCRIPTIONS_AT_ONCE).try_collect().await?;
    Ok(described.into_iter().flatten().collect())
}

/// Describes a version; nothing if it was deleted after it was listed.
async fn describe(registry: &TargetRegistry, arn: PackageArn) -> Result<Option<PromotedVersion>> {
    let description = Visibility::NONE.find(registry, &arn).await?;
    Ok(description.map(|description| PromotedVersion { arn, description }))
}
