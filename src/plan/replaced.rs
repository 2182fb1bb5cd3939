//! Refuses objects that have changed since the package was registered.

use anyhow::{Result, ensure};

use crate::model::failure::Failure;
use crate::plan::artifact::SourceObject;
use crate::schema::references::Reference;

/// Compares objects with the ETags at the time of the registration, which a package may state.
///
/// # Errors
/// The message names every object that has changed.
pub(super) fn refuse_replaced<'a>(found: impl Iterator<Item = (&'a Reference, &'a SourceObject)>) -> Result<()> {
    let lines = found.filter_map(|(reference, object)| {
        let (registered, now) = (reference.etag.as_deref()?, object.etag.as_str());
        let line = || {
            format!(
                "{} has changed since the package was registered: the ETag in {} was {registered}, and is {now} now",
                object.location, reference.field
            )
        };
        (registered != now).then(line)
    });
    let lines: Vec<String> = lines.collect();
    ensure!(
        lines.is_empty(),
        Failure::new(lines.join("\n")).hint("Restore the object that was registered, or register the package again")
    );
    Ok(())
}
