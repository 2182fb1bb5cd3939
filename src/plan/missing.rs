//! Refuses references to objects that do not exist.

use anyhow::{Result, bail};

use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::model::words::listed;
use crate::schema::references::{Reference, ReferenceKind};

/// Refuses references to nothing.
///
/// # Errors
/// The message names everything that is missing.
pub(super) fn refuse_missing(references: &[Reference], is_missing: impl Fn(&Reference) -> bool) -> Result<()> {
    let missing: Vec<&Reference> = references.iter().filter(|reference| is_missing(reference)).collect();
    let mut lines: Vec<String> = Vec::new();
    for reference in &missing {
        let location = &reference.location;
        let line = format!("{}: {location} ({})", what(reference), fields_that_refer_to(location, references, "it"));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let message = match lines.as_slice() {
        [] => return Ok(()),
        [line] => line.clone(),
        lines => format!("{} references name objects that do not exist:\n  {}", lines.len(), lines.join("\n  ")),
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

/// A text with all fields that refer to a location, which the text calls `location`.
pub(super) fn fields_that_refer_to(at: &Location, references: &[Reference], location: &str) -> String {
    let fields = references.iter().filter(|reference| reference.location == *at);
    let fields: Vec<String> = fields.map(|reference| reference.field.to_string()).collect();
    let refer = if fields.len() == 1 { "refers" } else { "refer" };
    format!("{} {refer} to {location}", listed(&fields))
}
