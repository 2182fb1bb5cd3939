//! The file of `--record`: opened before the run, written after it, and gone when there is nothing to write.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};

use crate::model::failure::Hint;

/// A file that can be written.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    /// Whether it is empty and was made by this run.
    unused: AtomicBool,
}

impl RecordFile {
    /// Makes sure that the file can be written; what is in it stays for now.
    pub fn open(path: &Path) -> Result<Self> {
        let is_new = !path.exists();
        let opened = fs::OpenOptions::new().append(true).create(true).open(path);
        opened.with_context(|| format!("--record {} cannot be written", path.display())).hint("Name another file")?;
        Ok(Self { path: path.to_owned(), unused: AtomicBool::new(is_new) })
    }

    /// Replaces what is in the file by what `write` writes.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        self.unused.store(false, Relaxed);
        let written = fs::File::create(&self.path).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        });
        written.with_context(|| format!("writing the record to {}", self.path.display()))
    }
}

impl Drop for RecordFile {
    fn drop(&mut self) {
        if self.unused.load(Relaxed) {
            // An empty file that stays does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}
