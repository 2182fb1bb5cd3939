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
    /// The references, which can be looked up.
    pub references: Vec<Reference>,
    /// The error that names every field of the request that prevents the promotion.
    pub refused: Result<()>,
}

/// Lists the references of a draft, and what AWS would reject.
///
/// # Errors
/// References are malformed. The message names every field that prevents the promotion.
pub fn checked_references(package: &Package, draft: &Draft, layout: &Layout) -> Result<Checked> {
    let mut found = draft.findings().clone();
    found.extend(violated(&draft.request));
    match references(&draft.request) {
        Ok(references) => {
            found.extend(long_keys(&references, layout));
            let rewritten = Rewritten::of(package, draft.clone(), &Targets::expected(&references, layout))?;
            let mut request = rewritten.request;
            add_provenance(&mut request, package.arn());
            found.extend(rejected(&request, rewritten.source_uri.as_deref(), package));
            Ok(Checked { references, refused: found.refuse(package.arn()) })
        }
        Err(refused) => {
            found.add_malformed(&refused);
            found.extend(rejected(&draft.clone().without_etags().request, package.text("SourceUri"), package));
            found.refuse(package.arn()).map(|()| Checked { references: Vec::new(), refused: Ok(()) })
        }
    }
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
