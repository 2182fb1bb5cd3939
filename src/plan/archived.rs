//! Refuses archived objects: S3 cannot copy them before they are restored.

use anyhow::{Result, bail};

use crate::model::failure::Failure;
use crate::plan::noted::Noted;

/// Refuses archived objects.
///
/// # Errors
/// An object is archived. The message names the first 20.
pub(super) fn refuse_archived(archived: &Noted) -> Result<()> {
    let (count, named) = archived.lines();
    let subject = match count {
        0 => return Ok(()),
        1 => "1 object is".to_owned(),
        count => format!("{count} objects are"),
    };
    let message = format!("{subject} archived, and S3 cannot copy archived objects:\n  {}", named.join("\n  "));
    bail!(
        Failure::new(message)
            .hint("Restore them with `aws s3api restore-object`, and run again when they are restored")
    )
}
