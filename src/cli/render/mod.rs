//! Documents for people. The same documents are printed as JSON with `--output json`.

use anyhow::Result;
use serde::Serialize;

mod record;
mod status;
mod verify;

/// Lines of one kind that the text shows; JSON shows all.
const LINES_SHOWN: usize = 20;

/// A document that a verb ends with.
pub(super) trait Rendered: Serialize {
    /// The document for people.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    fn text(&self) -> Result<String>;
}
