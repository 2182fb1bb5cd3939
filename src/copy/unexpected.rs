//! Objects of a promotion's folder that the plan does not have. Below a promoted prefix they are refused: SageMaker would
//! deploy them with the model. Elsewhere they stay.

use anyhow::{Result, bail};

use super::folder::Folder;
use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::model::words::counted;
use crate::plan::{Plan, Warning};
use crate::schema::references::ReferenceKind;
use crate::store::List;

/// The objects that a message names.
const NAMED: usize = 20;

/// Refuses a plan if one of its prefixes has other objects at the target. Such an object was copied before the source
/// deleted it, or is not a copy. Returns the other objects of the folder, in key order.
///
/// # Errors
/// There is such an object. The message names the first 20.
pub(super) fn refuse_unexpected(folder: &Folder, plan: &Plan) -> Result<List<Location>> {
    let (mut named, mut others) = (Vec::new(), List::default());
    if folder.unexpected().next().is_none() {
        return Ok(others);
    }
    folder.expect_all(plan.artifacts.iter().map(|artifact| Ok(artifact?.target.key)))?;
    let prefixes: Vec<&str> = prefixes(plan).map(|prefix| prefix.key.as_str()).collect();
    for listed in folder.unexpected() {
        let location = Location::new(folder.bucket(), listed?.key);
        if prefixes.iter().any(|prefix| location.key.starts_with(prefix)) {
            named.push(format!("  {location}"));
        } else if !plan.layout.is_own(&location.key) {
            others.push(&location)?;
        }
        if named.len() == NAMED {
            break;
        }
    }
    if named.is_empty() {
        return Ok(others);
    }
    let message = format!("a promoted prefix has objects that the source does not have:\n{}", named.join("\n"));
    bail!(Failure::new(message).hint("Delete these objects at the target, or choose another `--target-prefix`"))
}

/// Tells the number and the first 20 of the other objects.
///
/// # Errors
/// A temporary file cannot be read.
pub(super) fn warning(others: &List<Location>, plan: &Plan) -> Result<Option<Warning>> {
    let named = others.iter().take(NAMED).map(|location| Ok(location?.to_string())).collect::<Result<Vec<_>>>()?;
    let objects = match others.len() {
        0 => return Ok(None),
        count => counted(count, "object"),
    };
    let more = if others.len() > NAMED { ", …" } else { "" };
    let remark = format!("the folder has {objects} that the promotion does not have: {}{more}", named.join(", "));
    Ok(Some(Warning { field: plan.layout.folder().to_string(), remark }))
}

fn prefixes(plan: &Plan) -> impl Iterator<Item = &Location> {
    let prefixes = plan.references.iter().filter(|resolved| resolved.reference.kind == ReferenceKind::Prefix);
    prefixes.filter_map(|resolved| resolved.target.as_ref())
}
