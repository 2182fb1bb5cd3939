//! Joins the versions of a source group with their promoted versions, and states the state of each promotion.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use serde::Serialize;

use super::lineage::Lineage;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::field::Document;
use crate::model::package::rfc3339;
use crate::model::promoted::{PromotedVersion, is_own_key};

/// The state of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The version was not promoted.
    NotPromoted,
    /// The version is Approved in both accounts.
    Promoted,
    /// The promoted version is pending approval.
    Pending,
    /// The promoted version was withdrawn, because its source was Rejected.
    Withdrawn,
    /// Somebody in the target account has rejected the promoted version.
    Rejected,
    /// SageMaker is still creating the promoted version.
    BeingCreated,
    /// SageMaker could not complete the promoted version, or a run abandoned it.
    Failed,
    /// The promoted version is Approved. The source was not read.
    Approved,
    /// The promoted version is Approved, and its source is not. The next `promote full` withdraws the promoted version if
    /// the source is Rejected.
    Stale,
    /// The promoted version is Approved, and its source was deleted. Another version may have the ARN of the source now.
    Orphaned,
}

/// One version on one side.
#[derive(Debug, Clone, Serialize)]
pub struct SideVersion {
    /// The ARN of the version.
    pub model_package_arn: PackageArn,
    /// The number of the version.
    pub version: u32,
    /// The approval status.
    pub approval_status: ApprovalStatus,
    /// When the version was registered.
    pub created: String,
    /// When the version was last changed, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// A source version and its promoted version.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The state of the promotion.
    pub state: State,
    /// The source version; nothing if it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SideVersion>,
    /// The promoted version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<SideVersion>,
    /// The source version that the promoted version names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted_from: Option<PackageArn>,
    /// Whether the promoted version is the newest Approved version of the target group.
    pub live: bool,
    /// The fields in which the promoted version differs from the current source version.
    pub drift: Vec<String>,
    /// The lineage of the promoted version, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

impl Row {
    /// Sorts versions whose lineage is shown before others: the live version, those that drift, and the newest.
    pub fn importance(&self) -> impl Ord + use<> {
        (!self.live, self.drift.is_empty())
    }
}

/// Promoted versions with the source versions that they name, newest promoted version first, if the source is not read.
pub fn without_sources(promoted: Vec<PromotedVersion>) -> Vec<(Row, Option<PromotedVersion>)> {
    let rows =
        promoted.into_iter().map(|promoted| (row(state_alone(&promoted), None, Some(&promoted)), Some(promoted)));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(row, _)| std::cmp::Reverse(row.target.as_ref().map(|side| side.version)));
    rows
}

/// Joins source versions with their promoted versions, newest source version first.
pub fn rows(sources: &[Summary], promoted: Vec<PromotedVersion>) -> Vec<(Row, Option<PromotedVersion>)> {
    let mut by_version: BTreeMap<u32, (Option<SideVersion>, Vec<PromotedVersion>)> = BTreeMap::new();
    for summary in sources {
        by_version.entry(summary.version).or_default().0 = Some(side(summary));
    }
    let created: BTreeMap<u32, DateTime> = sources.iter().map(|summary| (summary.version, summary.created)).collect();
    for promoted in promoted {
        if let Some(source) = promoted.source() {
            by_version.entry(source.version()).or_default().1.push(promoted);
        }
    }
    let mut rows = Vec::new();
    for (version, (source, promotions)) in by_version.into_iter().rev() {
        // The source group was deleted and made again.
        let is_of_former =
            |promoted: &PromotedVersion| created.get(&version).is_some_and(|at| promoted.is_older_than(*at));
        let (former, promotions): (Vec<_>, Vec<_>) = promotions.into_iter().partition(is_of_former);
        if promotions.is_empty() && source.is_some() {
            rows.push((row(State::NotPromoted, source.clone(), None), None));
        }
        for promoted in promotions {
            let state = state(source.as_ref(), &promoted);
            rows.push((row(state, source.clone(), Some(&promoted)), Some(promoted)));
        }
        rows.extend(former.into_iter().map(|promoted| (without_source(&promoted), Some(promoted))));
    }
    rows
}

/// The row of a promoted version whose source version was deleted.
pub fn without_source(promoted: &PromotedVersion) -> Row {
    row(state(None, promoted), None, Some(promoted))
}

fn row(state: State, source: Option<SideVersion>, promoted: Option<&PromotedVersion>) -> Row {
    let (target, promoted_from) = (promoted.map(promoted_side), promoted.and_then(PromotedVersion::source));
    Row { state, source, target, promoted_from, live: false, drift: Vec::new(), lineage: None }
}

fn state(source: Option<&SideVersion>, promoted: &PromotedVersion) -> State {
    match (state_alone(promoted), source.map(|source| &source.approval_status)) {
        (State::Approved, None) => State::Orphaned,
        (State::Approved, Some(ApprovalStatus::Approved)) => State::Promoted,
        (State::Approved, Some(_)) => State::Stale,
        (state, _) => state,
    }
}

/// The state that the promoted version alone tells.
fn state_alone(promoted: &PromotedVersion) -> State {
    if promoted.is_abandoned() {
        return State::Failed;
    }
    if !promoted.is_complete() {
        return State::BeingCreated;
    }
    match promoted.approval() {
        ApprovalStatus::Approved => State::Approved,
        ApprovalStatus::Rejected if promoted.is_withdrawn() => State::Withdrawn,
        ApprovalStatus::Rejected => State::Rejected,
        ApprovalStatus::PendingManualApproval | ApprovalStatus::Other(_) => State::Pending,
    }
}

fn side(summary: &Summary) -> SideVersion {
    SideVersion {
        model_package_arn: summary.arn.clone(),
        version: summary.version,
        approval_status: summary.approval.clone(),
        created: rfc3339(&summary.created),
        modified: None,
    }
}

fn promoted_side(promoted: &PromotedVersion) -> SideVersion {
    let time = |member: &str| crate::model::package::time_of(&promoted.description, member).as_ref().map(rfc3339);
    SideVersion {
        model_package_arn: promoted.arn.clone(),
        version: promoted.arn.version(),
        approval_status: promoted.approval(),
        created: time("CreationTime").unwrap_or_default(),
        modified: time("LastModifiedTime"),
    }
}

/// The fields in which a promoted version differs from its source. Compares the fields that are carried over unchanged.
pub fn drift(source: &Document, promoted: &PromotedVersion) -> Vec<String> {
    const PLAIN: [&str; 6] = [
        "ModelPackageDescription",
        "Domain",
        "Task",
        "ModelLifeCycle",
        "MetadataProperties",
        "CustomerMetadataProperties",
    ];
    let plain = |document: &Document| -> Document {
        let members = PLAIN.iter().filter_map(|name| Some(((*name).to_owned(), document.get(*name)?.clone())));
        let mut plain: Document = members.collect();
        if let Some(serde_json::Value::Object(metadata)) = plain.get_mut("CustomerMetadataProperties") {
            metadata.retain(|key, _| !is_own_key(key));
        }
        plain
    };
    let found = crate::schema::comparison::differences(&plain(source), &plain(&promoted.description));
    found.iter().map(|difference| difference.field().to_string()).collect()
}
