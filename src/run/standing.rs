//! How the versions of a source group stand in the target: both lists come in; source versions and their copies, side by
//! side, come out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::field::Document;
use crate::model::package::rfc3339;
use crate::model::promoted::PromotedVersion;

/// What a copy is to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The source has it, and the target does not.
    NotPromoted,
    /// It is Approved in the target, as at the source.
    Promoted,
    /// It waits for an approval in the target.
    Pending,
    /// It was taken back because its source was rejected.
    Withdrawn,
    /// Somebody in the target account has rejected it.
    Rejected,
    /// SageMaker did not complete it, or the run that made it gave it up.
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

/// A source version and its copy.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What the copy is.
    pub state: State,
    /// The version of the source; nothing when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Side>,
    /// Its copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Side>,
    /// Fields in which the copy is not as its source is now, where they were compared.
    pub drift: Vec<String>,
}

/// Joins both sides, the newest source version first. `copies` are described versions of the target.
pub fn rows(from: &GroupArn, sources: &[Summary], copies: Vec<PromotedVersion>) -> Vec<(Row, Option<PromotedVersion>)> {
    let mut by_version: BTreeMap<u32, (Option<Side>, Vec<PromotedVersion>)> = BTreeMap::new();
    for summary in sources {
        by_version.entry(summary.version).or_default().0 = Some(side(summary));
    }
    for own in copies {
        if let Some(source) = own.source().filter(|source| source.is_of(from)) {
            by_version.entry(source.version()).or_default().1.push(own);
        }
    }
    let mut rows = Vec::new();
    for (_, (source, copies)) in by_version.into_iter().rev() {
        if copies.is_empty() {
            rows.push((Row { state: State::NotPromoted, source, target: None, drift: Vec::new() }, None));
            continue;
        }
        for own in copies {
            let state = state(source.as_ref(), &own);
            let target = Some(copy(&own));
            rows.push((Row { state, source: source.clone(), target, drift: Vec::new() }, Some(own)));
        }
    }
    rows
}

fn state(source: Option<&Side>, own: &PromotedVersion) -> State {
    if own.is_abandoned() || !own.is_complete() {
        return State::Failed;
    }
    match own.approval() {
        ApprovalStatus::Approved => match source.map(|source| &source.approval_status) {
            None => State::Orphaned,
            Some(ApprovalStatus::Approved) => State::Promoted,
            Some(_) => State::Stale,
        },
        ApprovalStatus::Rejected if own.is_withdrawn() => State::Withdrawn,
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

fn copy(own: &PromotedVersion) -> Side {
    let time = |member: &str| crate::model::package::time_of(&own.description, member).as_ref().map(rfc3339);
    Side {
        model_package_arn: own.arn.clone(),
        version: own.arn.version(),
        approval_status: own.approval(),
        created: time("CreationTime").unwrap_or_default(),
        modified: time("LastModifiedTime"),
    }
}

/// The fields in which a described source differs from its copy, as far as both carry them over unchanged.
pub fn drift(source: &Document, own: &PromotedVersion) -> Vec<String> {
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
    let found = crate::schema::comparison::differences(&plain(source), &plain(&own.description));
    found.iter().map(|difference| difference.field().to_string()).collect()
}
