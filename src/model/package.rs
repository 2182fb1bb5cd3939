//! A model package version of the source account that can be promoted.

use anyhow::{Result, bail, ensure};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::package_status::PackageStatus;

/// A described package version, Completed and not in restricted storage.
#[derive(Debug, Clone)]
pub struct Package {
    arn: PackageArn,
    group: GroupName,
    description: Document,
}

impl Package {
    /// Reads the answer to DescribeModelPackage for `asked`.
    ///
    /// # Errors
    /// The answer is about something else, or the package cannot be promoted: the message says why.
    pub fn from_description(asked: &PackageArn, description: Document) -> Result<Self> {
        let text = |member: &str| description.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(group) = text("ModelPackageGroupName") else {
            let message = "is an unversioned package: it belongs to no group, and only versions of groups are promoted";
            bail!(Failure::new(format!("{asked} {message}")).hint("Register it as a version of a group"));
        };
        let arn = text("ModelPackageArn").unwrap_or_default();
        ensure!(arn == asked.as_str(), "the registry was asked for {asked} and answered with '{arn}'");
        if let Some(storage) = text("ManagedStorageType") {
            let message = format!("{asked} keeps its artifacts in {storage} storage, which cannot be copied");
            bail!(Failure::new(message).hint("Register a package with its artifacts in a bucket of your own"));
        }
        let status = PackageStatus::of(&description);
        if status != PackageStatus::Completed {
            let reasons = failure_reasons(&description);
            let message = format!("{asked} is {status}, and only a Completed package can be promoted{reasons}");
            bail!(Failure::new(message).hint(next_step(&status)));
        }
        let group = group.parse()?;
        Ok(Self { arn: asked.clone(), group, description })
    }

    /// The package's ARN.
    pub fn arn(&self) -> &PackageArn {
        &self.arn
    }
    /// The group's name as it was given, not in lower case as in the ARN.
    pub fn group(&self) -> &GroupName {
        &self.group
    }
    /// The whole description, as the registry returned it.
    pub fn description(&self) -> &Document {
        &self.description
    }
    /// Text of a top-level member; empty text counts as absent.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.description.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
    /// The approval status; a package without one is pending.
    pub fn approval(&self) -> ApprovalStatus {
        ApprovalStatus::of(&self.description)
    }
    /// The registration's status: Completed.
    pub fn status(&self) -> PackageStatus {
        PackageStatus::of(&self.description)
    }
    /// When the version was registered.
    pub fn created(&self) -> DateTime {
        time(self.description.get("CreationTime")).unwrap_or(DateTime::from_secs(0))
    }
    /// When the version was changed last, if it was.
    pub fn modified(&self) -> Option<DateTime> {
        time(self.description.get("LastModifiedTime"))
    }
    /// A digest of the whole description: it changes whenever the package does.
    pub fn fingerprint(&self) -> String {
        digest(&self.description)
    }
}

fn next_step(status: &PackageStatus) -> &'static str {
    match status {
        PackageStatus::Pending | PackageStatus::InProgress => "Wait until it is complete, then run again",
        PackageStatus::Completed | PackageStatus::Failed | PackageStatus::Deleting | PackageStatus::Other(_) => {
            "Reject it or register it again, so that another version is the latest Approved one"
        }
    }
}

/// The SHA-256 of a document, whatever the order of its members, in hexadecimal digits.
pub fn digest(document: &Document) -> String {
    let mut text = String::new();
    canonical(&Value::Object(document.clone()), &mut text);
    sha256(&text)
}

/// The SHA-256 of a text in hexadecimal digits.
pub fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// RFC 3339 in UTC, with the fraction that the registry gave.
pub fn rfc3339(time: &DateTime) -> String {
    time.fmt(Format::DateTime).unwrap_or_else(|_| time.secs().to_string())
}

/// Why validation or the image scan failed, as `: reason; reason`, or nothing.
pub fn failure_reasons(description: &Document) -> String {
    let details = description.get("ModelPackageStatusDetails");
    let items = ["ValidationStatuses", "ImageScanStatuses"]
        .iter()
        .filter_map(|list| details?.get(list)?.as_array())
        .flatten()
        .filter_map(|item| item.get("FailureReason")?.as_str());
    let reasons: Vec<&str> = items.filter(|reason| !reason.is_empty()).collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

/// The time that a top-level member holds.
pub fn time_of(description: &Document, member: &str) -> Option<DateTime> {
    time(description.get(member))
}

fn time(value: Option<&Value>) -> Option<DateTime> {
    match value? {
        Value::Number(seconds) => seconds.as_f64().map(DateTime::from_secs_f64),
        Value::String(text) => DateTime::from_str(text, Format::DateTimeWithOffset).ok(),
        _ => None,
    }
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            out.push('{');
            for name in names {
                out.push_str(&format!("{}:", Value::from(name.as_str())));
                canonical(&members[name], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        leaf => out.push_str(&leaf.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/3";

    fn described(change: Value) -> Result<Package> {
        let mut description = json!({
            "ModelPackageArn": ARN, "ModelPackageGroupName": "Churn", "ModelPackageVersion": 3,
            "ModelPackageStatus": "Completed", "CreationTime": 1700000000.5
        });
        for (name, value) in change.as_object().unwrap() {
            description[name] = value.clone();
        }
        Package::from_description(&ARN.parse().unwrap(), description.as_object().unwrap().clone())
    }

    #[test]
    fn a_completed_version_can_be_promoted() {
        let package = described(json!({})).unwrap();
        assert_eq!(rfc3339(&package.created()), "2023-11-14T22:13:20.5Z");
        assert_eq!(package.group().as_str(), "Churn");
    }

    #[test]
    fn what_cannot_be_promoted_is_refused_with_its_reason() {
        let failed = json!({"ModelPackageStatus": "Failed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [{"FailureReason": "no image"}]}});
        for (change, reason) in [
            (json!({"ModelPackageGroupName": ""}), "unversioned"),
            (json!({"ManagedStorageType": "Restricted"}), "Restricted storage"),
            (json!({"ModelPackageStatus": "InProgress"}), "is InProgress"),
            (failed, "is Failed, and only a Completed package can be promoted: no image"),
            (json!({"ModelPackageArn": "arn:other"}), "answered with 'arn:other'"),
        ] {
            let message = described(change).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn the_fingerprint_changes_with_any_value_and_not_with_the_order_of_members() {
        let one = json!({"a": 1, "b": {"c": "x", "d": [1, 2]}});
        let same = json!({"b": {"d": [1, 2], "c": "x"}, "a": 1});
        let other = json!({"a": 1, "b": {"c": "x", "d": [2, 1]}});
        let digest = |value: &Value| digest(value.as_object().unwrap());
        assert_eq!(digest(&one), digest(&same));
        assert_ne!(digest(&one), digest(&other));
    }
}
