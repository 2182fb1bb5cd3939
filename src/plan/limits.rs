//! Checks a plan against the limits of AWS: fields of requests, and the length of S3 keys.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::{Document, Field};
use crate::model::layout::MAX_KEY_BYTES;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::promoted::{REQUEST_KEY, SOURCE_KEY};
use crate::plan::artifact::Artifact;
use crate::plan::artifacts::Artifacts;
use crate::schema::shapes::{Root, Violation, violations};

/// Refuses a plan with a request or with keys that AWS would reject.
///
/// # Errors
/// The message names every offending field and the violated rule.
pub fn refuse_violations(
    request: &Document,
    source_uri: Option<&str>,
    package: &Package,
    artifacts: &Artifacts,
) -> Result<()> {
    let mut found = violations(Root::Create, request);
    let metadata = Field::top("CustomerMetadataProperties");
    for violation in found.iter_mut().filter(|violation| violation.field == metadata) {
        violation.reason += &format!("; promote adds {SOURCE_KEY} and {REQUEST_KEY}");
    }
    let mut update = Document::new();
    let update_members = [("SourceUri", source_uri), ("ApprovalDescription", package.text("ApprovalDescription"))];
    update.insert("ModelPackageArn".into(), package.arn().as_str().into());
    update.extend(update_members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    found.extend(violations(Root::Update, &update));
    let fields = found.iter().any(|violation| !is_location(request, &violation.field));
    found.extend(artifacts.with_long_keys()?.into_iter().map(long_key));
    let hint = hint(fields, found.iter().any(|violation| is_location(request, &violation.field)));
    ensure!(found.is_empty(), Failure::new(refusal(package.arn(), &found)).hint(hint));
    Ok(())
}

fn refusal(source: &PackageArn, violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("  {} {}", v.field, v.reason)).collect();
    format!("{source} cannot be promoted, because AWS would reject the promoted version:\n{}", lines.join("\n"))
}

/// Whether a field holds a location, which the target prefix and group name can make too long.
fn is_location(request: &Document, field: &Field) -> bool {
    field.get(request).and_then(Value::as_str).is_some_and(Location::is_claimed_by)
}

/// The next step for violations by locations and by other fields.
fn hint(fields: bool, locations: bool) -> &'static str {
    match (fields, locations) {
        (_, false) => "Correct the fields in the source, or register a package without them",
        (false, true) => "Shorten the target prefix or group name",
        (true, true) => {
            "Shorten the target prefix or group name for the long locations, and correct the other fields in the source"
        }
    }
}

fn long_key(artifact: Artifact) -> Violation {
    let Artifact { target, fields, .. } = artifact;
    let bytes = target.key.len();
    let reason = format!("would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
    Violation::new(fields[0].clone(), reason)
}
