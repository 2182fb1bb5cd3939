//! Finds the version to promote: the latest Approved version of a group.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use crate::aws::registry::{SourceRegistry, Summary};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::GroupArn;

/// What a group has to offer.
#[derive(Debug, Clone)]
pub enum Latest {
    /// The version to promote.
    Version(Summary),
    /// No version is approved.
    NoneApproved(Versions),
}

/// How many versions a group has, by approval status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(pub BTreeMap<ApprovalStatus, u64>);

impl Versions {
    /// How many there are in all.
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

/// Finds the highest Approved version of a group. Answers with it what was listed on the way: every Approved version,
/// or every version when none is.
///
/// # Errors
/// The group does not exist, or cannot be read.
pub async fn latest_approved(registry: &SourceRegistry, group: &GroupArn) -> Result<(Latest, Vec<Summary>)> {
    // The list is sorted by time of creation; the number decides.
    let approved = registry.list(group, Some(ApprovalStatus::Approved)).await?;
    if let Some(latest) = approved.iter().filter(|s| s.approval == ApprovalStatus::Approved).max_by_key(|s| s.version) {
        return Ok((Latest::Version(latest.clone()), approved));
    }
    let all = registry.list(group, None).await?;
    if all.is_empty() {
        refuse_absent(registry, group).await?;
    }
    let mut versions = Versions::default();
    for summary in &all {
        *versions.0.entry(summary.approval.clone()).or_default() += 1;
    }
    Ok((Latest::NoneApproved(versions), all))
}

/// Finds one version of a group, whatever its approval status. Answers with it every version.
///
/// # Errors
/// The group has no such version; the message names the highest.
pub async fn version(registry: &SourceRegistry, group: &GroupArn, version: u32) -> Result<(Latest, Vec<Summary>)> {
    let all = registry.list(group, None).await?;
    let highest = all.iter().map(|summary| summary.version).max();
    match (all.iter().find(|summary| summary.version == version).cloned(), highest) {
        (Some(summary), _) => Ok((Latest::Version(summary), all)),
        (None, Some(highest)) => bail!("{group} has no version {version}; its highest is {highest}"),
        (None, None) => {
            refuse_absent(registry, group).await?;
            bail!("{group} has no version at all")
        }
    }
}

/// An absent group lists like an empty one.
async fn refuse_absent(registry: &SourceRegistry, group: &GroupArn) -> Result<()> {
    ensure!(
        registry.find_group(group).await?.is_some(),
        "there is no group {group}. Check the name, the account and the region"
    );
    Ok(())
}
