//! Refuses to write the digest that a record has in place of a secret.

use anyhow::{Result, bail};

use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::{Document, each_leaf};
use crate::model::secrets::is_sealed;

/// Why a digest in place of a secret is refused.
pub(crate) const SEALED: &str = "is the digest that promote records in place of a secret";
/// What to do about it.
pub(super) const SET_THE_VALUE: &str = "Set the value itself in the source version, then run again";

/// The fields that have such a digest.
pub(crate) fn sealed_fields(request: &Document) -> Vec<String> {
    let mut found = Vec::new();
    each_leaf(request, &mut |field, value| {
        let field = field.to_string();
        if is_sealed(&field, value) {
            found.push(field);
        }
    });
    found
}

/// Refuses an Update with such a digest.
///
/// # Errors
/// The message names the first field.
pub fn refuse_sealed(update: &Document, source: &PackageArn) -> Result<()> {
    if let Some(field) = sealed_fields(update).first() {
        bail!(Failure::new(format!("{field} of {source} {SEALED}")).hint(SET_THE_VALUE));
    }
    Ok(())
}
