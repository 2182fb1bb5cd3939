//! Checks requests and S3 keys against the limits of AWS.

use anyhow::Result;
use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::model::layout::MAX_KEY_BYTES;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::promoted::is_own_key;
use crate::plan::artifact::Artifact;
use crate::plan::artifacts::Artifacts;
use crate::plan::findings::{CORRECT, Obstacles};
use crate::schema::shapes::{Root, Violation, violations};

/// The next step for a location that is too long because of the destination.
pub(super) const SHORTEN: &str = "Shorten the target prefix or group name";

const MAKE_ROOM: &str = "Remove entries from the source version with `aws sagemaker update-model-package \
                         --customer-metadata-properties-to-remove`";

/// What AWS would reject in the request of CreateModelPackage, and in the Update that follows it.
pub(super) fn rejected(request: &Document, source_uri: Option<&str>, package: &Package) -> Obstacles {
    let mut found = violations(Root::Create, request);
    let metadata = Field::top("CustomerMetadataProperties");
    for violation in found.iter_mut().filter(|violation| violation.field == metadata) {
        let own = metadata.get(request).and_then(Value::as_object);
        let own: Vec<&str> =
            own.into_iter().flatten().map(|(key, _)| key.as_str()).filter(|key| is_own_key(key)).collect();
        violation.reason += &format!(", of which promote needs {}: {}", own.len(), own.join(", "));
    }
    let mut update = Document::new();
    let update_members = [("SourceUri", source_uri), ("ApprovalDescription", package.text("ApprovalDescription"))];
    update.insert("ModelPackageArn".into(), package.arn().as_str().into());
    update.extend(update_members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    let mut findings = Obstacles::default();
    for (request, violations) in [(request, found), (&update, violations(Root::Update, &update))] {
        for violation in violations {
            findings.add(violation.to_string(), hint(&violation, request, package));
        }
    }
    findings
}

/// A location that the destination has made invalid needs a shorter destination; all else is the source's.
fn hint(violation: &Violation, request: &Document, package: &Package) -> &'static str {
    if violation.field == Field::top("CustomerMetadataProperties") {
        return MAKE_ROOM;
    }
    let value = violation.field.get(request);
    let rewritten = value != violation.field.get(package.description());
    if rewritten && value.and_then(Value::as_str).is_some_and(Location::is_claimed_by) { SHORTEN } else { CORRECT }
}

/// Artifacts whose target keys are too long for S3.
///
/// # Errors
/// A temporary file cannot be read.
pub(super) fn long_keys(artifacts: &Artifacts) -> Result<Obstacles> {
    let mut findings = Obstacles::default();
    for Artifact { target, fields, .. } in artifacts.with_long_keys()? {
        let (field, bytes) = (&fields[0], target.key.len());
        let text = format!("{field} would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
        findings.add(text, SHORTEN);
    }
    Ok(findings)
}
