//! Refuses objects below a promoted prefix that the source does not have. SageMaker would deploy them with the model.

use anyhow::{Result, bail};

use super::folder::Folder;
use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::plan::Plan;
use crate::schema::references::ReferenceKind;

/// The objects that the message names.
const NAMED: usize = 20;

/// Refuses a plan if one of its prefixes has other objects at the target. Such an object was copied before the source
/// deleted it, or is not a copy.
///
/// # Errors
/// There is such an object. The message names the first 20.
pub(super) fn refuse_unexpected(folder: &Folder, plan: &Plan) -> Result<()> {
    let prefixes: Vec<&str> = prefixes(plan).map(|prefix| prefix.key.as_str()).collect();
    if prefixes.is_empty() || folder.unexpected().next().is_none() {
        return Ok(());
    }
    folder.expect_all(plan.artifacts.iter().map(|artifact| Ok(artifact?.target.key)))?;
    let below = |key: &str| prefixes.iter().any(|prefix| key.starts_with(prefix));
    let named = folder.unexpected().filter(|listed| listed.as_ref().map_or(true, |listed| below(&listed.key)));
    let bucket = plan.layout.folder().bucket;
    let named = named.take(NAMED).map(|listed| Ok(format!("  {}", Location::new(&bucket, listed?.key))));
    let named = named.collect::<Result<Vec<_>>>()?;
    if named.is_empty() {
        return Ok(());
    }
    let message = format!("a promoted prefix has objects that the source does not have:\n{}", named.join("\n"));
    bail!(Failure::new(message).hint("Delete these objects at the target, or choose another `--target-prefix`"))
}

fn prefixes(plan: &Plan) -> impl Iterator<Item = &Location> {
    let prefixes = plan.references.iter().filter(|resolved| resolved.reference.kind == ReferenceKind::Prefix);
    prefixes.filter_map(|resolved| resolved.target.as_ref())
}
