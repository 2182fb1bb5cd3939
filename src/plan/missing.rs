//! Refuses references to objects that do not exist.

use anyhow::{Result, bail};

use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::model::words::listed;
use crate::plan::noted::Noted;
use crate::schema::references::{Reference, ReferenceKind};

/// Refuses references to nothing.
///
/// # Errors
/// The message names everything that is missing, and the first 20 objects that manifests list.
pub(super) fn refuse_missing(
    references: &[Reference],
    in_manifests: &Noted,
    is_missing: impl Fn(&Reference) -> bool,
) -> Result<()> {
    let missing: Vec<&Reference> = references.iter().filter(|reference| is_missing(reference)).collect();
    let mut lines: Vec<String> = Vec::new();
    for reference in &missing {
        let location = &reference.location;
        let line = format!("{}: {location} ({})", what(reference), refer_to_it(location, references));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let (count, listed) = in_manifests.lines();
    let count = count + lines.len();
    lines.extend(listed);
    let message = match lines.as_slice() {
        [] => return Ok(()),
        [line] => line.clone(),
        lines => format!("{count} references name objects that do not exist:\n  {}", lines.join("\n  ")),
    };
    let restore = "Restore what is missing, or register a package that does not refer to it";
    let mut failure = Failure::new(message).hint(restore);
    if missing.iter().any(|reference| reference.is_report()) {
        failure = failure.hint("Pass `--ignore-missing-reports` to carry the URLs of missing reports over unchanged");
    }
    if missing.iter().any(|reference| reference.kind == ReferenceKind::Environment) {
        failure = failure.hint("Pass `--environment-urls none` to carry environment variables over unchanged");
    }
    bail!(failure)
}

fn what(reference: &Reference) -> &'static str {
    match reference.kind {
        _ if reference.is_bucket_without_object() => "this is a whole bucket, not an object",
        ReferenceKind::Prefix => "no object has this prefix",
        ReferenceKind::Environment => "there is no such object or folder",
        ReferenceKind::Object | ReferenceKind::CsvManifest | ReferenceKind::JsonManifest | ReferenceKind::Output => {
            "there is no such object"
        }
    }
}

/// All fields that refer to a location.
pub(super) fn fields_of(at: &Location, references: &[Reference]) -> String {
    let fields = references.iter().filter(|reference| reference.location == *at);
    let fields: Vec<String> = fields.map(|reference| reference.field.to_string()).collect();
    listed(&fields)
}

fn refer_to_it(at: &Location, references: &[Reference]) -> String {
    let is_one = references.iter().filter(|reference| reference.location == *at).count() == 1;
    format!("{} {} to it", fields_of(at, references), if is_one { "refers" } else { "refer" })
}
