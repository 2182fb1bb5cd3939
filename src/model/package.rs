//! Model package versions of the source account that can be promoted.

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

/// A described package version with the status Completed and artifacts that can be copied.
#[derive(Debug, Clone)]
pub struct Package {
    arn: PackageArn,
    group: GroupName,
    description: Document,
}

impl Package {
    /// Reads the response of DescribeModelPackage for `requested`.
    ///
    /// # Errors
    /// The response describes another package, or the package cannot be promoted. The message states the reason.
    pub fn from_description(requested: &PackageArn, description: Document) -> Result<Self> {
        let text = |member: &str| description.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(group) = text("ModelPackageGroupName") else {
            let message = format!("{requested} is an unversioned package; only versions of a group can be promoted");
            bail!(Failure::new(message).hint("Register the package as a version of a group"));
        };
        let arn = text("ModelPackageArn").unwrap_or_default();
        let is_requested = arn.parse().is_ok_and(|arn: PackageArn| arn == *requested);
        ensure!(is_requested, "the registry returned '{arn}' instead of {requested}");
        if let Some(storage) = text("ManagedStorageType") {
            let message = format!("{requested} stores its artifacts in {storage} storage, which cannot be copied");
            bail!(Failure::new(message).hint("Register a package that has its artifacts in your own bucket"));
        }
        let status = PackageStatus::of(&description);
        if status != PackageStatus::Completed {
            let reasons = failure_reasons(&description);
            let message = format!("{requested} is {status}; only a Completed package can be promoted{reasons}");
            bail!(Failure::new(message).hint(next_step(&status)));
        }
        let group = group.parse()?;
        Ok(Self { arn: requested.clone(), group, description })
    }

    /// The ARN of the package.
    pub fn arn(&self) -> &PackageArn {
        &self.arn
    }
    /// The name of the group, spelled as in the description.
    pub fn group(&self) -> &GroupName {
        &self.group
    }
    /// The complete description, as the registry returned it.
    pub fn description(&self) -> &Document {
        &self.description
    }
    /// The package with other values in its description.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Document)) -> Self {
        let mut package = self.clone();
        change(&mut package.description);
        package
    }
    /// The string in a top-level field. An empty string counts as absent.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.description.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
    /// The approval status. A package without one is pending.
    pub fn approval(&self) -> ApprovalStatus {
        ApprovalStatus::of(&self.description)
    }
    /// The status of the registration, which is Completed.
    pub fn status(&self) -> PackageStatus {
        PackageStatus::of(&self.description)
    }
    /// The time of the registration.
    pub fn created(&self) -> DateTime {
        time(self.description.get("CreationTime")).unwrap_or(DateTime::from_secs(0))
    }
    /// The time of the last change, if there was one.
    pub fn modified(&self) -> Option<DateTime> {
        time(self.description.get("LastModifiedTime"))
    }
    /// See [`changed_by`].
    pub fn changed_by(&self) -> Option<String> {
        changed_by(&self.description)
    }
    /// A digest of the complete description. It changes whenever the package changes.
    pub fn fingerprint(&self) -> String {
        digest(&without_case(&self.description, &["ModelPackageArn", "ModelPackageGroupName"]))
    }
}

/// The principal that has last changed a described version, or has registered it. SageMaker has no member for the
/// approver of a version.
pub fn changed_by(description: &Document) -> Option<String> {
    let text = |value: Option<&Value>| value?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    ["LastModifiedBy", "CreatedBy"].iter().find_map(|member| {
        let user = description.get(*member)?;
        text(user.get("UserProfileArn")).or_else(|| text(user.get("IamIdentity")?.get("Arn")))
    })
}

fn next_step(status: &PackageStatus) -> &'static str {
    match status {
        PackageStatus::Pending | PackageStatus::InProgress => "Run again when the registration is complete",
        PackageStatus::Completed | PackageStatus::Failed | PackageStatus::Deleting | PackageStatus::Other(_) => {
            "Reject this version or register the package again, so that another version is the latest Approved version"
        }
    }
}

/// The digest of a CreateModelPackage request. The spelling of the group's name does not matter.
pub fn request_digest(request: &Document) -> String {
    digest(&without_case(request, &["ModelPackageGroupName"]))
}

/// A document with the texts of some members in lower case.
fn without_case(document: &Document, members: &[&str]) -> Document {
    let mut document = document.clone();
    for member in members {
        if let Some(Value::String(text)) = document.get_mut(*member) {
            text.make_ascii_lowercase();
        }
    }
    document
}

/// The SHA-256 of a document in hexadecimal digits. The order of its members does not matter.
pub fn digest(document: &Document) -> String {
    let mut text = String::new();
    canonical(&Value::Object(document.clone()), &mut text);
    sha256(&text)
}

/// The SHA-256 of a text in hexadecimal digits.
pub fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The time in RFC 3339, in UTC, with the fractional seconds of the registry.
pub fn rfc3339(time: &DateTime) -> String {
    time.fmt(Format::DateTime).unwrap_or_else(|_| time.secs().to_string())
}

/// The reasons of a failed validation or image scan, as `: reason; reason`. Empty if there are none.
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

/// The time in a top-level field.
pub fn time_of(description: &Document, member: &str) -> Option<DateTime> {
    time(description.get(member))
}

fn time(value: Option<&Value>) -> Option<DateTime> {
    match value? {
        // SageMaker states milliseconds. A binary fraction may be less by a nanosecond, which would lose one.
        Value::Number(seconds) => {
            seconds.as_f64().map(|seconds| DateTime::from_millis((seconds * 1000.0).round() as i64))
        }
        Value::String(text) => DateTime::from_str(text, Format::DateTimeWithOffset).ok(),
        _ => None,
    }
}

/// Writes a value with sorted members, without white space.
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
        for millis in [1, 57, 123, 335, 999] {
            let package = described(json!({"CreationTime": 1_700_000_000.0 + f64::from(millis) / 1000.0})).unwrap();
            assert_eq!(package.created(), DateTime::from_millis(1_700_000_000_000 + i64::from(millis)), "{millis}");
        }
        assert_eq!(package.group().as_str(), "Churn");
    }

    #[test]
    fn a_package_that_cannot_be_promoted_is_refused_with_the_reason() {
        let failed = json!({"ModelPackageStatus": "Failed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [{"FailureReason": "no image"}]}});
        for (change, reason) in [
            (json!({"ModelPackageGroupName": ""}), "unversioned"),
            (json!({"ManagedStorageType": "Restricted"}), "Restricted storage"),
            (json!({"ModelPackageStatus": "InProgress"}), "is InProgress"),
            (failed, "is Failed; only a Completed package can be promoted: no image"),
            (json!({"ModelPackageArn": "arn:other"}), "returned 'arn:other'"),
        ] {
            let message = described(change).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn a_digest_depends_on_every_value_and_not_on_the_order_of_members() {
        let one = json!({"a": 1, "b": {"c": "x", "d": [1, 2]}});
        let same = json!({"b": {"d": [1, 2], "c": "x"}, "a": 1});
        let other = json!({"a": 1, "b": {"c": "x", "d": [2, 1]}});
        let digest = |value: &Value| digest(value.as_object().unwrap());
        assert_eq!(digest(&one), digest(&same));
        assert_ne!(digest(&one), digest(&other));
    }
}
