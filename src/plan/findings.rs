//! Collects what prevents a promotion, so that one message names everything.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::schema::references::{Reference, references};
use crate::schema::shapes::Violation;

/// The next step for a field that only the source can change.
pub(super) const CORRECT: &str = "Correct the fields in the source, or register a package without them";

/// What prevents the promotion of a version, each with the next step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Obstacles(Vec<(String, String)>);

impl Obstacles {
    /// Adds a finding. `text` begins with the field; `hint` is the next step.
    pub fn add(&mut self, text: impl Into<String>, hint: impl Into<String>) {
        let finding = (text.into(), hint.into());
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Adds fields with a URL that is not an S3 URL, or with a data type that cannot be promoted.
    pub(super) fn add_malformed(&mut self, refused: &[Violation]) {
        for violation in refused {
            let is_type = violation.field.name() == Some("S3DataType");
            let hint = if is_type { "Register a package with the data type S3Object or S3Prefix" } else { CORRECT };
            self.add(violation.to_string(), hint);
        }
    }

    /// Adds the findings of another list.
    pub fn extend(&mut self, others: Self) {
        others.0.into_iter().for_each(|(text, hint)| self.add(text, hint));
    }

    /// Refuses the version if there are findings.
    ///
    /// # Errors
    /// The message names every finding.
    pub fn refuse(&self, source: &PackageArn) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut message = format!("{source} cannot be promoted:");
        let mut hints: Vec<&str> = Vec::new();
        for (text, hint) in &self.0 {
            let _ = write!(message, "\n  {text}");
            if !hints.contains(&hint.as_str()) {
                hints.push(hint);
            }
        }
        bail!(hints.into_iter().fold(Failure::new(message), Failure::hint))
    }
}

/// Lists the S3 references of a document, in document order.
///
/// # Errors
/// The message names every field with a URL that is not an S3 URL, or with a data type that cannot be promoted.
pub fn references_of(source: &PackageArn, document: &Document) -> Result<Vec<Reference>> {
    references(document).or_else(|refused| {
        let mut found = Obstacles::default();
        found.add_malformed(&refused);
        found.refuse(source).map(|()| Vec::new())
    })
}
