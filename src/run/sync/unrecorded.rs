//! Follows promoted versions that no record at the destination names: promoted to another bucket or prefix, or left by
//! an interrupted run.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, stream};

use super::by_metadata::ByMetadata;
use super::follow::{AT_ONCE, Following, SourceState, not_followed};
use super::followed::FollowedVersions;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::package::Package;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::record::Record;
use crate::record::recorded::{Look, Recorded, recorded};
use crate::register::existing::describe;
use crate::run::promotion::Promotion;

/// The newest versions of the target that are always described. Older ones are described only if they are newer than a
/// Rejected source version.
const NEWEST: usize = 16;

impl Following<'_> {
    /// Follows the versions of the target group that no record names and that were promoted from the source group.
    /// `current`: the promoted version of each source version, as far as it is recorded.
    pub(super) async fn unrecorded(
        &self,
        listed: &[Summary],
        current: &HashMap<PackageArn, PackageArn>,
    ) -> FollowedVersions {
        let known: HashSet<&PackageArn> = current.values().collect();
        let since = self.rejected.iter().map(|summary| summary.created).min();
        // A promoted version is always newer than its source.
        let may_follow_rejected = |summary: &Summary| {
            summary.approval != ApprovalStatus::Rejected && since.is_some_and(|since| summary.created >= since)
        };
        let is_candidate = |(index, summary): &(usize, &Summary)| *index < NEWEST || may_follow_rejected(summary);
        let unknown = listed.iter().filter(|summary| !known.contains(&summary.arn));
        let complete = unknown.clone().filter(|summary| summary.status == PackageStatus::Completed);
        let failed = listed.iter().filter(|summary| summary.status == PackageStatus::Failed);
        let failed = failed.filter(|summary| may_follow_rejected(summary)).take(NEWEST);
        let (mut arns, mut versions) = (Vec::new(), Vec::new());
        for (_, summary) in complete.enumerate().filter(is_candidate) {
            arns.push(summary.arn.as_str());
            versions.push(self.follow_unrecorded(&summary.arn, current).boxed());
        }
        for summary in failed {
            arns.push(summary.arn.as_str());
            versions.push(self.failed(&summary.arn).boxed());
        }
        let versions = stream::iter(versions).buffered(AT_ONCE).map(|one| one.unwrap_or_else(FollowedVersions::failed));
        let versions: Vec<FollowedVersions> = versions.collect().await;
        all_of(&arns, versions)
    }

    async fn follow_unrecorded(
        &self,
        arn: &PackageArn,
        current: &HashMap<PackageArn, PackageArn>,
    ) -> Result<FollowedVersions> {
        let Promotion { source: account, target, group, .. } = self.promotion;
        let none = FollowedVersions::default();
        let Some(promoted) = describe(target.registry(), arn.clone()).await? else { return Ok(none) };
        let Some(source) = promoted.source().filter(|source| source.is_of(group)) else { return Ok(none) };
        if promoted.is_abandoned() || !promoted.is_complete() {
            return Ok(none);
        }
        let by_metadata = ByMetadata::of(self.promotion, self.policy, &source, &promoted);
        // A second version of a promotion follows its source only if that is Rejected.
        let is_rejected = self.rejected.iter().any(|summary| summary.arn == source);
        if let Some(current) = current.get(&source).filter(|_| !is_rejected) {
            let warnings = second(&promoted, &source, current).into_iter().collect();
            return Ok(FollowedVersions { warnings, ..none });
        }
        if Some(&source) == self.except {
            return Ok(none);
        }
        let described = account.registry().describe(&source).await;
        let (synced, package) = match self.source_of(&source, &promoted, described)? {
            SourceState::Described(package) => (by_metadata.sync(&package).await, Some(package)),
            SourceState::Listed(package) => (by_metadata.withdraw(&package).await, None),
            SourceState::Unclear(unclear) => return Ok(unclear),
        };
        let (record, warnings) = match synced {
            Ok(synced) => synced,
            Err(error) => return Ok(not_followed(&promoted, &source, error)),
        };
        let Some((record, recorded)) = record else { return Ok(FollowedVersions { warnings, ..none }) };
        let changed = package.filter(|package| recorded && describes_older(&record, package));
        let mut followed = self.done(&promoted, record, recorded);
        if let Some(package) = changed {
            let synced = self.sync_recorded(&package).await;
            followed.add(synced.unwrap_or_else(|error| not_followed(&promoted, &source, error)));
        }
        followed.warnings.extend(warnings);
        Ok(followed)
    }

    /// Syncs a version whose promotion was just recorded as it was requested.
    async fn sync_recorded(&self, package: &Package) -> Result<FollowedVersions> {
        let Promotion { target, destination, .. } = self.promotion;
        match recorded(target, destination, package.arn(), Look::AtRecords).await? {
            Some(Recorded { history, promoted, .. }) => self.sync(package, &history, &promoted).await,
            None => Ok(FollowedVersions::default()),
        }
    }

    /// A version that SageMaker could not complete is not withdrawn: nobody can deploy it.
    async fn failed(&self, arn: &PackageArn) -> Result<FollowedVersions> {
        let mut followed = FollowedVersions::default();
        let Some(promoted) = describe(self.promotion.target.registry(), arn.clone()).await? else {
            return Ok(followed);
        };
        let rejected = |source: &PackageArn| self.rejected.iter().any(|summary| summary.arn == *source);
        if let Some(source) = promoted.source().filter(rejected) {
            let (status, approval) = (promoted.status(), promoted.approval());
            let remark = format!(
                "its source {source} is Rejected; the version is {status} and cannot be deployed, so it stays {approval}"
            );
            followed.warnings.push(Warning { field: arn.to_string(), remark });
        }
        Ok(followed)
    }
}

/// What was done with all versions. A run can report a second version twice: by itself, and in the record of its promotion,
/// which may have discarded it. Then only the warning of the record is kept.
fn all_of(arns: &[&str], versions: Vec<FollowedVersions>) -> FollowedVersions {
    let of_others = |(arn, one): (&&str, &FollowedVersions)| -> Vec<String> {
        one.warnings.iter().map(|warning| warning.field.clone()).filter(|field| field != arn).collect()
    };
    let told: HashSet<String> = arns.iter().zip(&versions).flat_map(of_others).collect();
    let mut all = FollowedVersions::default();
    for (arn, mut one) in arns.iter().zip(versions) {
        one.warnings.retain(|warning| warning.field != *arn || !told.contains(*arn));
        all.add(one);
    }
    all
}

/// Names a second version of a source version that has a promotion. Whoever registered it may serve it.
pub(in crate::run) fn second(promoted: &PromotedVersion, source: &PackageArn, first: &PackageArn) -> Option<Warning> {
    let remark = format!(
        "its metadata names {source}, whose promoted version is {first}; this version was not changed. Reject it, not \
         {first}, if nobody needs it"
    );
    let is_rejected = promoted.approval() == ApprovalStatus::Rejected;
    (!is_rejected).then(|| Warning { field: promoted.arn.to_string(), remark })
}

/// Whether a record of a promotion describes an older state of the source version.
fn describes_older(record: &Record, package: &Package) -> bool {
    let recorded = record.source.package.as_ref().filter(|_| record.request.is_some());
    recorded.is_some_and(|recorded| recorded.fingerprint != package.fingerprint())
}
