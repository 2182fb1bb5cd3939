//! Renders documents as text. `--output json` prints the same documents as JSON.

use anyhow::Result;
use serde::Serialize;

mod doctor;
mod headline;
mod holding;
mod images;
mod many;
mod page;
mod promotions;
mod record;
mod status;
mod verify;

pub(super) use headline::{next_step, unconfirmed};

/// The maximum number of lines in a list. JSON has all items.
const LINES_SHOWN: usize = 20;

/// A document that can be printed as text or JSON.
pub(super) trait Rendered: Serialize {
    /// The document as text.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    fn text(&self) -> Result<String>;

    /// The document as an HTML file; nothing if the verb has none.
    fn html(&self) -> Option<String> {
        None
    }

    /// What has been done although the document cannot be written to a file, if anything.
    fn done(&self) -> Option<String> {
        None
    }
}
