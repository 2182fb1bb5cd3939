//! The file of `--record`: checked before the run and written after the run.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

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
        opened.with_context(|| format!("`--record {}` cannot be written", path.display())).hint("Pass another file")?;
        Ok(Self { path: path.to_owned(), unused: AtomicBool::new(is_new) })
    }

    /// Replaces the content of the file. Until the document is complete, the file is empty, also if the process ends
    /// meanwhile. `done` is what the run has done, for the error if it cannot be written.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>, done: Option<String>) -> Result<()> {
        self.unused.store(false, Relaxed);
        let written = self.replace(write);
        if written.is_err() {
            // Half a document is no document. Ignore errors: the file may be a device.
            let _ = fs::OpenOptions::new().write(true).truncate(true).open(&self.path);
        }
        written
            .with_context(|| format!("the document could not be written to `--record {}`", self.path.display()))
            .hint(match done {
                Some(done) => format!("{done}. Free disk space or name another file, then run again"),
                None => "Free disk space or name another file, then run again".to_owned(),
            })
    }

    fn replace(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let file = fs::File::create(&self.path)?;
        let Some((mut beside, path)) = self.beside(&file) else { return write_to(file, write) };
        write_to(beside.as_file_mut(), write)?;
        beside.persist(path)?;
        Ok(())
    }

    /// A temporary file in the folder of the file, and the path that it gets. Nothing for devices and pipes, and in a folder
    /// that does not take new files.
    fn beside(&self, file: &fs::File) -> Option<(NamedTempFile, PathBuf)> {
        let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
        // The file may be named by a link.
        let path = fs::canonicalize(&self.path).ok()?;
        let beside = NamedTempFile::new_in(path.parent()?).ok()?;
        fs::set_permissions(beside.path(), metadata.permissions()).ok()?;
        Some((beside, path))
    }
}

fn write_to(file: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

impl Drop for RecordFile {
    fn drop(&mut self) {
        if self.unused.load(Relaxed) {
            // Ignore errors: an empty file does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and contents of the files in a folder.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let read =
            |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap());
        entries.map(read).collect()
    }

    #[test]
    fn a_document_is_in_the_file_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("record.json"), tempfile::tempdir().unwrap());
        fs::write(&path, "of an earlier run").unwrap();
        let link = link.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for name in [&path, &link] {
            let file = RecordFile::open(name).unwrap();
            let half = "a".repeat(1 << 16);
            let write = |out: &mut dyn Write| {
                out.write_all(half.as_bytes())?;
                assert_eq!(fs::read_to_string(&path).unwrap(), "");
                out.write_all(half.as_bytes())
            };
            file.write(write, None).unwrap();
            assert_eq!(files(folder.path()), [("record.json".to_owned(), half.repeat(2))]);
        }
        assert!(link.is_symlink());
    }

    #[test]
    fn of_half_a_document_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = RecordFile::open(&folder.path().join("record.json")).unwrap();
        let write = |out: &mut dyn Write| {
            out.write_all(&[b'a'; 1 << 16])?;
            Err(io::Error::other("it cannot be serialized"))
        };
        assert!(file.write(write, None).is_err());
        assert_eq!(files(folder.path()), [("record.json".to_owned(), String::new())]);
    }
}
