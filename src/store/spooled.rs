//! Documents that may exceed memory. A document above 4 MiB is stored in an unnamed temporary file.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::{Error, Result};
use bytes::Bytes;
use tempfile::{SpooledData, SpooledTempFile};

use super::full::without_space;

/// The largest document in memory, in bytes: a record of about 10,000 objects.
const IN_MEMORY: usize = 4 << 20;

/// A document that is being written.
#[derive(Debug)]
pub struct Spooling {
    file: SpooledTempFile,
    length: u64,
}

/// A complete document. Clones share its data.
#[derive(Debug, Clone)]
pub struct Spooled {
    data: Data,
    length: u64,
}

#[derive(Debug, Clone)]
enum Data {
    Memory(Bytes),
    File(Arc<File>),
}

impl Default for Spooling {
    fn default() -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), length: 0 }
    }
}

impl Spooling {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(cannot_write)
    }

    /// Ends the document.
    pub fn end(self) -> Spooled {
        let data = match self.file.into_inner() {
            SpooledData::InMemory(bytes) => Data::Memory(bytes.into_inner().into()),
            SpooledData::OnDisk(file) => Data::File(file.into()),
        };
        Spooled { data, length: self.length }
    }
}

impl Write for Spooling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Spooled {
    /// Serializes a document as JSON.
    ///
    /// # Errors
    /// As [`Spooling::append`].
    pub fn json(document: &impl serde::Serialize) -> Result<Self> {
        let mut out = io::BufWriter::with_capacity(64 << 10, Spooling::default());
        serde_json::to_writer_pretty(&mut out, document).map_err(cannot_write)?;
        Ok(out.into_inner().map_err(io::IntoInnerError::into_error).map_err(cannot_write)?.end())
    }

    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A reader from the beginning.
    pub fn reader(&self) -> impl Read + Send + Sync + 'static {
        BufReader::with_capacity(64 << 10, SpooledReader { data: self.data.clone(), at: 0 })
    }
}

impl From<Vec<u8>> for Spooled {
    fn from(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, data: Data::Memory(bytes.into()) }
    }
}

struct SpooledReader {
    data: Data,
    at: u64,
}

impl Read for SpooledReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &self.data {
            Data::Memory(bytes) => (&bytes[usize::try_from(self.at).unwrap_or(usize::MAX)..]).read(into)?,
            Data::File(file) => file.read_at(into, self.at)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

fn cannot_write(error: impl Into<Error>) -> Error {
    let folder = std::env::temp_dir();
    without_space(error.into().context(format!("writing to the temporary folder {}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_can_be_read_repeatedly_from_memory_and_from_a_file() {
        for lines in [0, 3, 100_000] {
            let all: String = (0..lines).map(|n| format!("{n:>99}\n")).collect();
            let mut spooling = Spooling::default();
            all.as_bytes().chunks(1 << 16).for_each(|chunk| spooling.append(chunk).unwrap());
            let spooled = spooling.end();
            assert_eq!((spooled.length(), matches!(spooled.data, Data::File(_))), (all.len() as u64, lines > 50_000));
            for _ in 0..2 {
                let mut read = String::new();
                spooled.reader().read_to_string(&mut read).unwrap();
                assert!(read == all, "{lines}");
            }
        }
    }
}
