//! Refuses archived objects: S3 cannot copy them before they are restored.

use anyhow::{Result, bail};

use crate::model::failure::Failure;
use crate::plan::noted::Noted;

/// Why an archived object cannot be promoted, after `is` or `are`.
pub const ARCHIVED: &str = "archived, and S3 cannot copy archived objects";
/// What to do about archived objects.
pub const RESTORE: &str =
    "Restore archived objects with `aws s3api restore-object`, and run again when they are restored";

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
    let message = format!("{subject} {ARCHIVED}:\n  {}", named.join("\n  "));
    bail!(Failure::new(message).hint(RESTORE))
}
