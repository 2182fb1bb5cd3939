//! Earlier promotions of a source version: the target's registry comes in, the packages that were made from the
//! version come out. A registry cannot be searched by metadata, but a copy is always younger than its source.

use std::collections::HashSet;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::arn::{GroupName, PackageArn};
use super::field::Document;
use super::package::Package;
use super::plan::SOURCE_KEY;
use super::registration::{DISCARDED, Visibility};
use super::withdrawal::WITHDRAWN;
use crate::aws::registry::{Summary, TargetRegistry};

/// Descriptions under way at once.
const DESCRIPTIONS_AT_ONCE: usize = 16;

/// A target package that was made from the source version.
#[derive(Debug, Clone)]
pub struct Own {
    /// Its ARN.
    pub arn: PackageArn,
    /// Its description.
    pub description: Document,
}

/// All of them, by version.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    own: Vec<Own>,
    /// Every version that was looked at; what a version was made from never changes.
    seen: HashSet<PackageArn>,
}

impl Earlier {
    /// Describes every version of the target group that is younger than the source version.
    pub async fn find(registry: &TargetRegistry, group: &GroupName, package: &Package) -> Result<Self> {
        let younger = registry.list_created_after(group, &package.created()).await?;
        Self::default().and_those(registry, younger, package).await
    }

    /// Adds the versions that were registered since, `created` among them, which Create has just answered with: it is
    /// described while the others are listed. Answers without it when it was removed, or is not visible yet.
    pub(super) async fn and_created(
        self,
        registry: &TargetRegistry,
        group: &GroupName,
        package: &Package,
        created: &PackageArn,
        visibility: Visibility,
    ) -> Result<Self> {
        let since = package.created();
        let (younger, description) =
            tokio::join!(registry.list_created_after(group, &since), visibility.find(registry, created));
        let (younger, description) = (younger?, description?);
        let own = description.map(|description| Own { arn: created.clone(), description });
        let mut earlier = self;
        earlier.add(vec![created.clone()], own.into_iter().collect(), package);
        earlier.and_those(registry, younger, package).await
    }

    /// Whether a version that Create has answered with may be new. SageMaker does not give out the number of a deleted
    /// version again: a new version is higher than every version seen before.
    pub(super) fn is_newest(&self, created: &PackageArn) -> bool {
        self.seen.iter().all(|arn| arn.version() < created.version())
    }

    /// Whether this is one of them.
    pub(super) fn contains(&self, version: &PackageArn) -> bool {
        self.own.iter().any(|own| own.arn == *version)
    }

    async fn and_those(mut self, registry: &TargetRegistry, listed: Vec<Summary>, package: &Package) -> Result<Self> {
        let new = listed.into_iter().map(|summary| summary.arn).filter(|arn| !self.seen.contains(arn));
        let new: Vec<PackageArn> = new.collect();
        let described = describe_all(registry, &new).await?;
        self.add(new, described, package);
        Ok(self)
    }

    fn add(&mut self, seen: Vec<PackageArn>, described: Vec<Own>, package: &Package) {
        self.own.extend(described.into_iter().filter(|own| own.is_copy_of(package.arn())));
        self.own.sort_by_key(|own| own.arn.version());
        self.seen.extend(seen);
    }

    /// The promotion of the source version: the first that was not given up.
    pub fn usable(&self) -> Option<&Own> {
        self.own.iter().find(|own| !own.is_given_up())
    }

    /// How many attempts were given up.
    pub fn given_up(&self) -> usize {
        self.own.iter().filter(|own| own.is_given_up()).count()
    }
}

/// Describes versions of the target, those left out that were removed meanwhile.
pub async fn describe_all(registry: &TargetRegistry, versions: &[PackageArn]) -> Result<Vec<Own>> {
    let descriptions = versions.iter().map(|arn| describe(registry, arn.clone()));
    let described: Vec<Option<Own>> =
        stream::iter(descriptions).buffer_unordered(DESCRIPTIONS_AT_ONCE).try_collect().await?;
    Ok(described.into_iter().flatten().collect())
}

/// A version that was removed between list and description is not there.
async fn describe(registry: &TargetRegistry, arn: PackageArn) -> Result<Option<Own>> {
    let description = Visibility::NONE.find(registry, &arn).await?;
    Ok(description.map(|description| Own { arn, description }))
}

impl Own {
    /// Whether the package says that it was promoted from `source`.
    pub fn is_copy_of(&self, source: &PackageArn) -> bool {
        self.provenance() == Some(source.as_str())
    }

    /// The version that the package says it was promoted from.
    pub fn source(&self) -> Option<PackageArn> {
        self.provenance()?.parse().ok()
    }

    fn provenance(&self) -> Option<&str> {
        self.description.get("CustomerMetadataProperties")?.get(SOURCE_KEY)?.as_str()
    }

    /// Whether it was approved, and then withdrawn because its source was rejected. What somebody in the target
    /// account has rejected by hand does not say so.
    pub fn is_withdrawn(&self) -> bool {
        self.approval() == "Rejected"
            && self.text("ApprovalDescription").is_some_and(|text| text.starts_with(WITHDRAWN))
    }

    /// Its approval status.
    pub fn approval(&self) -> &str {
        self.text("ModelApprovalStatus").unwrap_or("PendingManualApproval")
    }

    /// Whether it is complete and its approval is decided.
    pub fn is_settled(&self) -> bool {
        self.is_complete() && self.approval() != "PendingManualApproval"
    }

    /// Whether SageMaker has completed it.
    pub fn is_complete(&self) -> bool {
        self.text("ModelPackageStatus") == Some("Completed")
    }

    /// Whether an attempt ended here: it failed, is going away, or was discarded by the run that made it.
    pub fn is_given_up(&self) -> bool {
        let discarded = self.text("ApprovalDescription").is_some_and(|text| text.starts_with(DISCARDED));
        matches!(self.text("ModelPackageStatus"), Some("Failed" | "Deleting"))
            || self.approval() == "Rejected" && discarded
    }

    /// Text of a top-level member.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.description.get(member).and_then(Value::as_str)
    }
}
