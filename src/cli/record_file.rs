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

    /// Replaces the content of the file. `done` is what the run has done, for the error if it cannot be written.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>, done: Option<String>) -> Result<()> {
        self.unused.store(false, Relaxed);
        let written = fs::File::create(&self.path).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        });
        if written.is_err() {
            // Half a document is no document. Ignore errors: the file may be a device.
            let _ = fs::OpenOptions::new().write(true).truncate(true).open(&self.path);
        }
        written.with_context(|| format!("the document could not be written to --record {}", self.path.display())).hint(
            match done {
                Some(done) => format!("{done}. Free disk space or name another file, then run again"),
                None => "Free disk space or name another file, then run again".to_owned(),
            },
        )
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
