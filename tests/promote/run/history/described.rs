//! What the accounts have: descriptions and records in the terms of the model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::step::{Status, source};
use crate::support::Cloud;
use crate::world::*;

/// The fields and the approval with its reason.
pub(super) type Verified = (Fields, Value, Value);

/// The approval of a promoted version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approval {
    Approved,
    Pending,
    /// Rejected because its source is.
    Withdrawn {
        was_pending: bool,
    },
    Rejected,
}

impl Approval {
    /// Whether the target account withholds its approval.
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::Pending | Self::Rejected | Self::Withdrawn { was_pending: true })
    }
}

/// The fields by name; what an update replaces as a whole is one field.
pub(super) type Fields = BTreeMap<String, Value>;

/// The fields of a described version that the histories change.
pub(super) fn fields(described: &Value) -> Fields {
    let specifications = described["AdditionalInferenceSpecifications"].as_array();
    let second = specifications.into_iter().flatten().any(|one| one["Name"] == "second");
    let mut fields = Fields::from([
        ("ModelLifeCycle".to_owned(), described["ModelLifeCycle"].clone()),
        ("ModelCard".to_owned(), described["ModelCard"].clone()),
        ("Domain".to_owned(), described["Domain"].clone()),
        ("second".to_owned(), second.into()),
    ]);
    for key in ["team", "new"] {
        fields.insert(format!("{{{key}}}"), described["CustomerMetadataProperties"][key].clone());
    }
    fields
}

pub(super) fn status(described: &Value) -> Status {
    match described["ModelApprovalStatus"].as_str() {
        Some("Approved") => Status::Approved,
        Some("Rejected") => Status::Rejected,
        _ => Status::Pending,
    }
}

pub(super) fn approval(described: &Value) -> Approval {
    approval_of(&described["ModelApprovalStatus"], &described["ApprovalDescription"])
}

/// The approval that a status and its description are.
pub(super) fn approval_of(is: &Value, text: &Value) -> Approval {
    let text = text.as_str().unwrap_or_default();
    match status(&json!({"ModelApprovalStatus": is})) {
        Status::Approved => Approval::Approved,
        Status::Pending => Approval::Pending,
        Status::Rejected if text.starts_with("promote: withdrawn: ") => {
            Approval::Withdrawn { was_pending: text.starts_with("promote: withdrawn: while pending: ") }
        }
        Status::Rejected => Approval::Rejected,
    }
}

pub(super) fn at_source(cloud: &Cloud, version: u32) -> Value {
    cloud.package(&source(version)).expect("it is registered")
}

/// The promoted version of a source version, with its description.
pub(super) fn promoted_from(cloud: &Cloud, version: u32) -> Option<(String, Value)> {
    let is_from = |one: &Value| one["CustomerMetadataProperties"]["promote:source-arn"] == source(version);
    let described = promoted(cloud).into_iter().find(is_from)?;
    Some((described["ModelPackageArn"].as_str().expect("an ARN").to_owned(), described))
}

/// Whether a record describes a promotion of a source version.
pub(super) fn has_record(cloud: &Cloud, version: u32, arn: &str) -> bool {
    records(cloud, version, arn).iter().any(|key| read(cloud, key)["request"].is_object())
}

/// A record; null if it does not exist.
pub(super) fn read(cloud: &Cloud, key: &str) -> Value {
    let text = cloud.object(SERVING, key).map(|object| object.body.bytes().to_vec()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The keys of the records of a promoted version.
pub(super) fn records(cloud: &Cloud, version: u32, arn: &str) -> Vec<String> {
    let prefix = FOLDER.replace("-v1/", &format!("-v{version}/promotion"));
    let is_of = |key: &String| key.ends_with(".json") && read(cloud, key)["target"]["model_package_arn"] == arn;
    cloud.keys(SERVING).into_iter().filter(|key| key.starts_with(&prefix)).filter(is_of).collect()
}

/// Whether the newest record of a promotion says that the target account has withheld its approval: a deletion does not
/// lift that.
pub(super) fn is_withheld(cloud: &Cloud, version: u32) -> bool {
    let prefix = FOLDER.replace("-v1/", &format!("-v{version}/promotion"));
    let is_record = |key: &String| key.starts_with(&prefix) && key.ends_with(".json");
    let records = cloud.keys(SERVING).into_iter().filter(is_record).map(|key| read(cloud, &key));
    let decided = records.filter(|record| record["target"]["approval_status"].is_string());
    let Some(newest) = decided.max_by_key(|record| record["ended"].as_str().unwrap_or_default().to_owned()) else {
        return false;
    };
    let target = &newest["target"];
    match (status(&json!({"ModelApprovalStatus": target["approval_status"]})), target["decided_by"].as_str()) {
        (Status::Approved, _) | (_, Some("source")) => false,
        (Status::Pending, _) | (Status::Rejected, Some("target")) => true,
        (Status::Rejected, _) => {
            let text = target["approval_description"].as_str().unwrap_or_default();
            text.starts_with("promote: withdrawn: while pending: ")
        }
    }
}

/// What `verify` compares of a described version.
pub(super) fn verified(described: &Value) -> Verified {
    let member = |name: &str| described[name].clone();
    (fields(described), member("ModelApprovalStatus"), member("ApprovalDescription"))
}
