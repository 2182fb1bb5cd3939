//! Finds the existing promotions of a source version. A registry cannot be searched by metadata, but a promoted version
//! is always newer than its source.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::services::Registry;
use super::visibility::Visibility;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::field::Document;
use crate::model::package::Package;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::plan::provenance::marked;
use crate::schema::comparison::differences;

/// Concurrent DescribeModelPackage calls of one step. SageMaker answers "Rate exceeded" at low rates, which AWS does
/// not document.
pub const DESCRIPTIONS_AT_ONCE: usize = 4;

/// The existing promotions of one source version.
#[derive(Debug, Clone)]
pub struct ExistingPromotions {
    /// Each, lowest version first.
    versions: Vec<PromotedVersion>,
    /// Versions that name the source version, and that no promotion has made: they have no digest of a request, or
    /// somebody has derived them from a promoted version.
    others: Vec<PackageArn>,
    /// What a reader should know of versions that do not exist any more.
    deleted: Vec<Warning>,
    /// Every version that was described. Versions are not described twice: their source never changes.
    seen: HashSet<PackageArn>,
    /// When the last listing began.
    listed: Instant,
}

impl ExistingPromotions {
    /// Describes every version of the target group that is newer than the source version.
    pub async fn find(registry: &impl Registry, group: &GroupName, package: &Package) -> Result<Self> {
        let (versions, others, deleted, seen) = (Vec::new(), Vec::new(), Vec::new(), HashSet::new());
        let none = Self { versions, others, deleted, seen, listed: registry.now() };
        none.refreshed(registry, group, package).await
    }

    /// One version of the target group.
    pub fn of(promoted: PromotedVersion) -> Self {
        let seen = HashSet::from([promoted.arn.clone()]);
        Self { versions: vec![promoted], others: Vec::new(), deleted: Vec::new(), seen, listed: Instant::now() }
    }

    /// Adds the versions that were registered since.
    pub(super) async fn refreshed(
        mut self,
        registry: &impl Registry,
        group: &GroupName,
        package: &Package,
    ) -> Result<Self> {
        self.listed = registry.now();
        let newer = registry.list_created_after(group, &package.created()).await?;
        self.with_listed(registry, newer, package).await
    }

    /// Adds the versions that were registered since, and `created`, which CreateModelPackage has just returned.
    /// `created` is described while the others are listed. It is left out if it was deleted or is not visible yet.
    pub(super) async fn with_created(
        mut self,
        registry: &impl Registry,
        group: &GroupName,
        package: &Package,
        created: &PackageArn,
        visibility: Visibility,
    ) -> Result<Self> {
        self.listed = registry.now();
        let since = package.created();
        let (newer, description) =
            tokio::join!(registry.list_created_after(group, &since), visibility.find(registry, created));
        let (newer, description) = (newer?, description?);
        self.add(description.map(|description| PromotedVersion { arn: created.clone(), description }), package);
        let newer = newer.into_iter().filter(|summary| summary.arn != *created).collect();
        self.with_listed(registry, newer, package).await
    }

    /// Adds the promotion that a record names: somebody may have removed its metadata.
    pub fn with_recorded(mut self, recorded: Option<PromotedVersion>) -> Self {
        if let Some(recorded) = recorded.filter(|recorded| !self.contains(&recorded.arn)) {
            self.seen.insert(recorded.arn.clone());
            self.versions.push(recorded);
            self.versions.sort_by_key(|promoted| promoted.arn.version());
        }
        self
    }

    /// Leaves out versions that somebody has derived from a promoted version: they are no promotions.
    pub fn without_derived(mut self, is_derived: impl Fn(&PromotedVersion) -> bool) -> Self {
        let derived = self.versions.extract_if(.., |promoted| is_derived(promoted));
        self.others.extend(derived.map(|promoted| promoted.arn));
        self
    }

    /// When the last listing began.
    pub(super) fn listed(&self) -> Instant {
        self.listed
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

    /// Whether this version names the source version and is no promotion of it.
    pub(super) fn is_other(&self, version: &PackageArn) -> bool {
        self.others.contains(version)
    }

    /// This version, if SageMaker has failed to complete it.
    pub(super) fn failed(&self, version: &PackageArn) -> Option<&PromotedVersion> {
        self.versions.iter().find(|known| known.arn == *version && known.status() == PackageStatus::Failed)
    }

    /// Replaces what is known of a version; nothing if the version was deleted.
    pub(super) fn update(&mut self, version: &PackageArn, description: Option<Document>) {
        match description {
            None => self.versions.retain(|known| known.arn != *version),
            Some(description) => {
                let known = self.versions.iter_mut().find(|known| known.arn == *version);
                known.into_iter().for_each(|known| known.description = description.clone());
            }
        }
    }

    async fn with_listed(mut self, registry: &impl Registry, listed: Vec<Summary>, package: &Package) -> Result<Self> {
        let new = listed.into_iter().map(|summary| summary.arn).filter(|arn| !self.seen.contains(arn));
        let described = describe_all(registry, &new.collect::<Vec<_>>()).await?;
        self.add(described, package);
        Ok(self)
    }

    /// Adds described versions. One that Describe did not find is not among them, so that the next listing describes it
    /// again: it may not be visible yet.
    fn add(&mut self, described: impl IntoIterator<Item = PromotedVersion>, package: &Package) {
        for promoted in described {
            if !self.seen.insert(promoted.arn.clone()) || !promoted.is_promotion_of(package.arn()) {
                continue;
            }
            match marked(&promoted.description) {
                Some(_) => self.versions.push(promoted),
                None => self.others.push(promoted.arn),
            }
        }
        self.versions.sort_by_key(|promoted| promoted.arn.version());
    }

    /// The current promotion of the source version: the first that was not abandoned.
    pub fn current(&self) -> Option<&PromotedVersion> {
        self.versions.iter().find(|promoted| !promoted.is_abandoned())
    }

    /// The versions besides `promoted` that may be the same promotion: they have the digest of its request.
    pub(super) fn duplicates_of<'a>(
        &'a self,
        promoted: &'a PackageArn,
        request: &'a Document,
    ) -> impl Iterator<Item = &'a PackageArn> {
        let others = self.versions.iter().filter(|other| other.arn != *promoted && !other.is_abandoned());
        others.filter(|other| marked(&other.description) == marked(request)).map(|other| &other.arn)
    }

    /// The duplicates that a run deletes or rejects, if the promotion has this approval then.
    pub fn to_be_discarded<'a>(
        &'a self,
        promoted: &'a PackageArn,
        approval: &'a ApprovalStatus,
        request: &'a Document,
    ) -> impl Iterator<Item = &'a PackageArn> {
        let described = |arn: &&PackageArn| self.versions.iter().find(|version| version.arn == **arn);
        let is_discarded = move |other: &PromotedVersion| {
            let status = other.approval();
            status != ApprovalStatus::Rejected
                && is_of_request(&other.description, request)
                && !is_kept(&status, approval)
        };
        self.duplicates_of(promoted, request).filter(move |arn| described(arn).is_some_and(is_discarded))
    }

    /// Adds what a reader should know of a version that was deleted.
    pub fn with_warning(mut self, warning: Warning) -> Self {
        self.deleted.push(warning);
        self
    }

    /// Warns of the versions that only claim to be promotions of the source version, and of those that were deleted.
    pub fn warnings(&self) -> impl Iterator<Item = Warning> + '_ {
        let others = self.others.iter().map(|arn| Warning {
            field: arn.to_string(),
            remark:
                "its metadata names the source version, but promote has no record of this version; it was not changed"
                    .into(),
        });
        others.chain(self.deleted.iter().cloned())
    }

    /// The complete promotions besides this one that were not abandoned.
    pub fn besides(&self, promotion: &PackageArn) -> impl Iterator<Item = &PromotedVersion> {
        let others = self.versions.iter().filter(move |one| one.arn != *promotion);
        others.filter(|one| one.is_complete() && !one.is_abandoned())
    }

    /// The number of abandoned promotions.
    pub fn abandoned(&self) -> usize {
        self.versions.iter().filter(|promoted| promoted.is_abandoned()).count()
    }
}

/// Whether a version was registered with this request: it has the request's digest and equals the request in every
/// field. A version that somebody has derived from a promoted version has the digest only.
pub(super) fn is_of_request(described: &Document, request: &Document) -> bool {
    marked(described) == marked(request) && differences(request, described).is_empty()
}

/// Whether a duplicate stays, by its approval and that of the promotion: somebody has rejected the promotion, or may have
/// approved the duplicate in its place.
pub(super) fn is_kept(duplicate: &ApprovalStatus, promotion: &ApprovalStatus) -> bool {
    *promotion == ApprovalStatus::Rejected
        || *duplicate == ApprovalStatus::Approved && *promotion != ApprovalStatus::Approved
}

/// Describes versions of the target. Leaves out versions that were deleted meanwhile.
pub async fn describe_all(registry: &impl Registry, versions: &[PackageArn]) -> Result<Vec<PromotedVersion>> {
    let descriptions = versions.iter().cloned().map(|arn| describe(registry, arn));
    let described: Vec<Option<PromotedVersion>> =
        stream::iter(descriptions).buffer_unordered(DESCRIPTIONS_AT_ONCE).try_collect().await?;
    Ok(described.into_iter().flatten().collect())
}

/// Describes a version; nothing if it was deleted after it was listed.
pub async fn describe(registry: &impl Registry, arn: PackageArn) -> Result<Option<PromotedVersion>> {
    let description = Visibility::NONE.find(registry, &arn).await?;
    Ok(description.map(|description| PromotedVersion { arn, description }))
}
