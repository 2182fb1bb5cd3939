//! The error of a temporary file that cannot be written.

use std::sync::Arc;

use anyhow::Error;

use crate::model::failure::Failure;

/// Attaches the next step to an error of a temporary file. The most likely cause is a full disk.
pub(super) fn without_space(error: Error) -> Error {
    Failure::from(Arc::new(error)).hint("If the disk is full, set TMPDIR to a folder with more space").into()
}
