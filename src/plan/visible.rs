//! Finds what AWS would reject, as far as the request shows it.

use anyhow::Result;

use crate::model::layout::{Layout, MAX_KEY_BYTES};
use crate::model::package::Package;
use crate::plan::draft::Draft;
use crate::plan::findings::Obstacles;
use crate::plan::limits::{SHORTEN, rejected};
use crate::plan::provenance::add_provenance;
use crate::plan::rewriting::{Rewritten, Targets};
use crate::plan::rules::violated;
use crate::schema::references::{Reference, ReferenceKind, references};

/// The references of a draft.
pub struct Checked {
    /// The references, which can be looked up. None if one is malformed.
    pub references: Vec<Reference>,
    /// The error that names every field of the request that prevents the promotion.
    pub refused: Result<()>,
}

/// Lists the references of a draft, and what AWS would reject.
pub fn checked_references(package: &Package, draft: &Draft, layout: &Layout) -> Checked {
    let mut found = draft.findings().clone();
    found.extend(violated(&draft.request));
    match references(&draft.request) {
        Ok(references) => {
            let refused = rejected_copies(package, draft, &references, layout).and_then(|rejected| {
                found.extend(rejected);
                found.refuse(package.arn())
            });
            Checked { references, refused }
        }
        Err(malformed) => {
            found.add_malformed(&malformed);
            found.extend(rejected(&draft.clone().without_etags().request, package.text("SourceUri"), package));
            Checked { references: Vec::new(), refused: found.refuse(package.arn()) }
        }
    }
}

/// What AWS would reject of the references to the copies.
fn rejected_copies(package: &Package, draft: &Draft, references: &[Reference], layout: &Layout) -> Result<Obstacles> {
    let mut found = long_keys(references, layout);
    let rewritten = Rewritten::of(package, draft.clone(), &Targets::expected(references, layout))?;
    let mut request = rewritten.request;
    add_provenance(&mut request, package.arn());
    found.extend(rejected(&request, rewritten.source_uri.as_deref(), package));
    Ok(found)
}

/// The references that would be copied to keys that are too long for S3. Whether an environment variable is copied is
/// not known yet.
fn long_keys(references: &[Reference], layout: &Layout) -> Obstacles {
    let mut found = Obstacles::default();
    for reference in references.iter().filter(|reference| reference.kind != ReferenceKind::Environment) {
        let target = layout.copy_of(&reference.location);
        let bytes = target.key.len();
        if bytes > MAX_KEY_BYTES && reference.kind != ReferenceKind::Output {
            let field = &reference.field;
            let text =
                format!("{field} would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
            found.add(text, SHORTEN);
        }
    }
    found
}
