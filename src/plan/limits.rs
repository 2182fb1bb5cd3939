//! The limits of AWS that a plan has to keep: members of requests, and keys of S3.

use anyhow::{Result, ensure};

use crate::model::arn::PackageArn;
use crate::model::field::{Document, Field};
use crate::model::layout::MAX_KEY_BYTES;
use crate::model::package::Package;
use crate::model::promoted::{REQUEST_KEY, SOURCE_KEY};
use crate::plan::artifact::Artifact;
use crate::plan::artifacts::Artifacts;
use crate::schema::shapes::{Root, Violation, violations};

/// Refuses a request or copies that AWS would refuse.
///
/// # Errors
/// Every offending field is named, with its rule.
pub fn refuse_violations(
    request: &Document,
    source_uri: Option<&str>,
    package: &Package,
    artifacts: &Artifacts,
) -> Result<()> {
    let mut found = violations(Root::Create, request);
    let metadata = Field::top("CustomerMetadataProperties");
    for violation in found.iter_mut().filter(|violation| violation.field == metadata) {
        violation.reason += &format!(", and {SOURCE_KEY} and {REQUEST_KEY} are added to the source's");
    }
    let mut update = Document::new();
    let update_members = [("SourceUri", source_uri), ("ApprovalDescription", package.text("ApprovalDescription"))];
    update.insert("ModelPackageArn".into(), package.arn().as_str().into());
    update.extend(update_members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    found.extend(violations(Root::Update, &update));
    found.extend(artifacts.with_long_keys()?.into_iter().map(long_key));
    ensure!(found.is_empty(), refusal(package.arn(), &found));
    Ok(())
}

fn refusal(source: &PackageArn, violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("  {} {}", v.field, v.reason)).collect();
    format!(
        "{source} cannot be promoted as it is; AWS would refuse the copy:\n{}\nShorten the target prefix or group name \
         where a location is too long; correct the rest in the source, or register a package without it",
        lines.join("\n")
    )
}

fn long_key(artifact: Artifact) -> Violation {
    let Artifact { target, fields, .. } = artifact;
    let bytes = target.key.len();
    let reason = format!("would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
    Violation::new(fields[0].clone(), reason)
}
