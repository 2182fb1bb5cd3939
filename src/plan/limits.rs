//! The limits of AWS that a plan has to keep: members of requests, and keys of S3.

use anyhow::{Result, ensure};

use crate::model::arn::PackageArn;
use crate::model::field::{Document, Field};
use crate::model::layout::MAX_KEY_BYTES;
use crate::model::package::Package;
use crate::model::promoted::{REQUEST_KEY, SOURCE_KEY};
use crate::plan::artifacts::{Artifact, Artifacts};
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
    found.extend(long_keys(artifacts.iter())?);
    ensure!(found.is_empty(), refusal(package.arn(), &found));
    Ok(())
}

/// Says why a version cannot be promoted.
pub fn refusal(source: &PackageArn, violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("  {} {}", v.field, v.reason)).collect();
    format!(
        "{source} cannot be promoted as it is; AWS would refuse the copy:\n{}\nShorten the target prefix or group name \
         where a location is too long; correct the rest in the source, or register a package without it",
        lines.join("\n")
    )
}

/// The first artifacts with keys that are too long for S3: with a long prefix, all of them are.
///
/// # Errors
/// A temporary file cannot be read.
pub fn long_keys(artifacts: impl Iterator<Item = Result<Artifact>>) -> Result<Vec<Violation>> {
    const NAMED: usize = 20;
    let is_long = |artifact: &Result<Artifact>| match artifact {
        Ok(artifact) => artifact.has_long_key(),
        Err(_) => true,
    };
    let violation = |artifact: Result<Artifact>| {
        let Artifact { target, fields, .. } = artifact?;
        let bytes = target.key.len();
        let reason = format!("would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
        Ok(Violation::new(fields[0].clone(), reason))
    };
    artifacts.filter(is_long).take(NAMED).map(violation).collect()
}
