//! Finds the version to promote: the latest Approved version of a group.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::aws::registry::{SourceRegistry, Summary};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::model::package_status::PackageStatus;
use crate::plan::warning::Warning;

/// The result of a search for the version to promote.
#[derive(Debug, Clone)]
pub enum Latest {
    /// The version to promote.
    Version(Summary),
    /// No version is approved.
    NoneApproved(Versions),
}

/// The result of a search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The version to promote.
    pub latest: Latest,
    /// Approved versions that are newer than the version to promote, and that SageMaker could not complete.
    pub passed_over: Vec<Warning>,
}

/// The numbers of versions of a group, by approval status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(pub BTreeMap<ApprovalStatus, u64>);

impl Versions {
    /// The number of all versions.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let states: Vec<String> = self.0.iter().map(|(status, count)| format!("{count} {status}")).collect();
        match self.count() {
            0 => f.write_str("no version"),
            1 => write!(f, "1 version ({})", states.join(", ")),
            count => write!(f, "{count} versions ({})", states.join(", ")),
        }
    }
}

/// Finds the Approved version with the highest number. Versions that SageMaker could not complete are passed over, unless
/// there is no other.
///
/// # Errors
/// The group does not exist, or cannot be read.
pub async fn latest_approved(registry: &SourceRegistry, group: &GroupArn) -> Result<Search> {
    let approved = registry.list(group, Some(ApprovalStatus::Approved)).await?;
    match latest_of(&approved) {
        Some(search) => Ok(search),
        None => none_approved(registry, group, &registry.list(group, None).await?).await,
    }
}

/// As [`latest_approved`], among all versions of the group.
///
/// # Errors
/// The group does not exist, or cannot be read.
pub async fn latest_approved_of(registry: &SourceRegistry, group: &GroupArn, all: &[Summary]) -> Result<Search> {
    match latest_of(all) {
        Some(search) => Ok(search),
        None => none_approved(registry, group, all).await,
    }
}

/// The latest Approved version of a list, which is sorted by creation time; the highest version number counts.
fn latest_of(listed: &[Summary]) -> Option<Search> {
    let candidates = listed.iter().filter(|summary| summary.approval == ApprovalStatus::Approved);
    let latest = candidates.clone().max_by_key(|summary| (!is_failed(summary), summary.version)).cloned()?;
    let failed = candidates.filter(|summary| summary.version > latest.version);
    let passed_over = failed.map(|failed| passed_over(failed, &latest)).collect();
    Some(Search { latest: Latest::Version(latest), passed_over })
}

/// The result for a group without an Approved version.
async fn none_approved(registry: &SourceRegistry, group: &GroupArn, all: &[Summary]) -> Result<Search> {
    if all.is_empty() {
        refuse_absent(registry, group).await?;
    }
    let mut versions = Versions::default();
    for summary in all {
        *versions.0.entry(summary.approval.clone()).or_default() += 1;
    }
    Ok(Search { latest: Latest::NoneApproved(versions), passed_over: Vec::new() })
}

/// Whether a version has failed or is being deleted, so that it is passed over.
pub fn is_failed(summary: &Summary) -> bool {
    matches!(summary.status, PackageStatus::Failed | PackageStatus::Deleting)
}

fn passed_over(failed: &Summary, latest: &Summary) -> Warning {
    let remark = format!(
        "this version is Approved, but {}, and was passed over: version {} is promoted",
        failed.status, latest.version
    );
    Warning { field: failed.arn.to_string(), remark }
}

/// Finds a version by its number, regardless of its approval status.
///
/// # Errors
/// The group has no such version. The hint names the highest version.
pub async fn version(registry: &SourceRegistry, group: &GroupArn, version: u32) -> Result<Search> {
    let all = registry.list(group, None).await?;
    let highest = all.iter().map(|summary| summary.version).max();
    match (all.iter().find(|summary| summary.version == version).cloned(), highest) {
        (Some(summary), _) => Ok(Search { latest: Latest::Version(summary), passed_over: Vec::new() }),
        (None, Some(highest)) => {
            let message = format!("{group} has no version {version}");
            bail!(Failure::new(message).hint(format!("The highest version is {highest}")))
        }
        (None, None) => {
            refuse_absent(registry, group).await?;
            bail!(Failure::new(format!("{group} has no versions")).hint("Register a version in the source group"))
        }
    }
}

/// Refuses a group that does not exist. The registry returns an empty list for it.
///
/// # Errors
/// The group does not exist or cannot be read.
pub async fn refuse_absent(registry: &SourceRegistry, group: &GroupArn) -> Result<()> {
    let found = registry.find_group(group).await?;
    found.with_context(|| format!("there is no group {group}")).hint("Check the name, the account and the region")?;
    Ok(())
}
