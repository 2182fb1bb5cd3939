//! Joins the versions of a source group with their promoted versions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::field::Document;
use crate::model::package::rfc3339;
use crate::model::promoted::PromotedVersion;

/// The state of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The source has it, and the target does not.
    NotPromoted,
    /// It is Approved in the target, as at the source.
    Promoted,
    /// It waits for an approval in the target.
    Pending,
    /// It was withdrawn because its source was rejected.
    Withdrawn,
    /// Somebody in the target account has rejected it.
    Rejected,
    /// SageMaker did not complete it, or the run that registered it abandoned it.
    Failed,
    /// The target offers it, and the source does not approve it: the next `promote full` withdraws it, if the source is
    /// Rejected.
    Stale,
    /// The target offers it, and the source has no such version any more.
    Orphaned,
}

/// One version on one side.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Its ARN.
    pub model_package_arn: PackageArn,
    /// Its number.
    pub version: u32,
    /// Its approval status.
    pub approval_status: ApprovalStatus,
    /// When it was registered.
    pub created: String,
    /// When it was changed last, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// A source version and its promoted version.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The state of the promotion.
    pub state: State,
    /// The version of the source; nothing when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Side>,
    /// Its promoted version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Side>,
    /// Fields in which the promoted version differs from its source as it is now, where they were compared.
    pub drift: Vec<String>,
}

/// Joins both sides, the newest source version first. `promoted` are described versions of the target.
pub fn rows(
    from: &GroupArn,
    sources: &[Summary],
    promoted: Vec<PromotedVersion>,
) -> Vec<(Row, Option<PromotedVersion>)> {
    let mut by_version: BTreeMap<u32, (Option<Side>, Vec<PromotedVersion>)> = BTreeMap::new();
    for summary in sources {
        by_version.entry(summary.version).or_default().0 = Some(side(summary));
    }
    for promoted in promoted {
        if let Some(source) = promoted.source().filter(|source| source.is_of(from)) {
            by_version.entry(source.version()).or_default().1.push(promoted);
        }
    }
    let mut rows = Vec::new();
    for (_, (source, copies)) in by_version.into_iter().rev() {
        if copies.is_empty() {
            rows.push((Row { state: State::NotPromoted, source, target: None, drift: Vec::new() }, None));
            continue;
        }
        for promoted in copies {
            let state = state(source.as_ref(), &promoted);
            let target = Some(promoted_side(&promoted));
            rows.push((Row { state, source: source.clone(), target, drift: Vec::new() }, Some(promoted)));
        }
    }
    rows
}

fn state(source: Option<&Side>, promoted: &PromotedVersion) -> State {
    if promoted.is_abandoned() || !promoted.is_complete() {
        return State::Failed;
    }
    match promoted.approval() {
        ApprovalStatus::Approved => match source.map(|source| &source.approval_status) {
            None => State::Orphaned,
            Some(ApprovalStatus::Approved) => State::Promoted,
            Some(_) => State::Stale,
        },
        ApprovalStatus::Rejected if promoted.is_withdrawn() => State::Withdrawn,
        ApprovalStatus::Rejected => State::Rejected,
        ApprovalStatus::PendingManualApproval | ApprovalStatus::Other(_) => State::Pending,
    }
}

fn side(summary: &Summary) -> Side {
    Side {
        model_package_arn: summary.arn.clone(),
        version: summary.version,
        approval_status: summary.approval.clone(),
        created: rfc3339(&summary.created),
        modified: None,
    }
}

fn promoted_side(promoted: &PromotedVersion) -> Side {
    let time = |member: &str| crate::model::package::time_of(&promoted.description, member).as_ref().map(rfc3339);
    Side {
        model_package_arn: promoted.arn.clone(),
        version: promoted.arn.version(),
        approval_status: promoted.approval(),
        created: time("CreationTime").unwrap_or_default(),
        modified: time("LastModifiedTime"),
    }
}

/// The fields in which a promoted version differs from its described source, of those that are carried over unchanged.
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
            metadata.retain(|key, _| !key.starts_with("promote:"));
        }
        plain
    };
    let found = crate::schema::comparison::differences(&plain(source), &plain(&promoted.description));
    found.iter().map(|difference| difference.field().to_string()).collect()
}
