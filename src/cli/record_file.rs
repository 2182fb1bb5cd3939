//! The file of `--record`: checked before the run and written after the run.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};

use crate::model::failure::Hint;

/// The file of `--record`.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    /// Whether this run has created the file and written nothing to it.
    unused: AtomicBool,
}

impl RecordFile {
    /// Checks that the file can be written. Does not change its content.
    pub fn open(path: &Path) -> Result<Self> {
        let is_new = !path.exists();
        let opened = fs::OpenOptions::new().append(true).create(true).open(path);
        opened.with_context(|| format!("--record {} cannot be written", path.display())).hint("Pass another file")?;
        Ok(Self { path: path.to_owned(), unused: AtomicBool::new(is_new) })
    }

    /// Replaces the content of the file.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        self.unused.store(false, Relaxed);
        let written = fs::File::create(&self.path).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        });
        written
            .with_context(|| format!("writing the record to {}", self.path.display()))
            .hint("The run itself is complete. Run again with another file to write the record")
    }
}

impl Drop for RecordFile {
    fn drop(&mut self) {
        if self.unused.load(Relaxed) {
            // Ignore errors: an empty file does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}
