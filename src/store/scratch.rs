//! Bytes of any length: they are written once, and read from any place as often as needed. What is more than a few MiB
//! lies in an unnamed temporary file, so that memory stays flat, and nothing stays behind however the process ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

/// Bytes that stay in memory: what about 10,000 objects take.
const IN_MEMORY: usize = 4 << 20;
/// Bytes that are read from the file, or written to it, at once.
pub const CHUNK: usize = 64 << 10;

/// Bytes: the first in memory or in a file, the last ones, which are not in the file yet, in memory.
#[derive(Debug, Default)]
pub struct Scratch {
    file: Option<File>,
    filed: u64,
    last: Vec<u8>,
}

impl Scratch {
    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.filed + self.last.len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).with_context(cannot_write)
    }

    /// Adds a document as JSON at the end.
    ///
    /// # Errors
    /// As [`Scratch::append`].
    pub fn append_json(&mut self, document: &impl serde::Serialize) -> Result<()> {
        serde_json::to_writer_pretty(self, document).with_context(cannot_write)
    }

    /// At most `most` bytes from `offset` on; none at the end only.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn read(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        match &self.file {
            Some(file) if offset < self.filed => {
                let mut bytes = vec![0; most.min(usize::try_from(self.filed - offset).unwrap_or(most))];
                file.read_exact_at(&mut bytes, offset)?;
                Ok(bytes)
            }
            _ => {
                let from = usize::try_from(offset - self.filed).unwrap_or(usize::MAX).min(self.last.len());
                Ok(self.last[from..(from + most).min(self.last.len())].to_vec())
            }
        }
    }

    /// All bytes from the beginning, a chunk at a time.
    pub fn chunks(&self) -> Chunks<&Self> {
        Chunks::of(self)
    }

    /// Reads all bytes from the beginning.
    pub fn reader(&self) -> impl Read + '_ {
        Reader { chunks: self.chunks(), chunk: Vec::new(), at: 0 }
    }
}

fn cannot_write() -> String {
    format!("writing to the temporary folder {}; set TMPDIR to one with room", std::env::temp_dir().display())
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.last.extend_from_slice(bytes);
        let room = if self.file.is_some() { CHUNK } else { IN_MEMORY };
        if self.last.len() >= room {
            let file = match &self.file {
                Some(file) => file,
                None => self.file.insert(tempfile::tempfile()?),
            };
            file.write_all_at(&self.last, self.filed)?;
            self.filed += self.last.len() as u64;
            self.last = Vec::with_capacity(CHUNK);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<Vec<u8>> for Scratch {
    fn from(bytes: Vec<u8>) -> Self {
        Self { last: bytes, ..Self::default() }
    }
}

/// The bytes of a borrowed or shared [`Scratch`], a chunk at a time.
pub struct Chunks<S> {
    scratch: S,
    offset: u64,
}

impl<S: Deref<Target = Scratch>> Chunks<S> {
    /// All of them, from the beginning.
    pub fn of(scratch: S) -> Self {
        Self { scratch, offset: 0 }
    }

    /// How many bytes are still to come.
    pub fn left(&self) -> u64 {
        self.scratch.len() - self.offset
    }
}

impl<S: Deref<Target = Scratch>> Iterator for Chunks<S> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        let chunk = self.scratch.read(self.offset, CHUNK);
        self.offset += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        chunk.map(|chunk| (!chunk.is_empty()).then_some(chunk)).transpose()
    }
}

struct Reader<'a> {
    chunks: Chunks<&'a Scratch>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            (self.chunk, self.at) = (self.chunks.next().transpose()?.unwrap_or_default(), 0);
        }
        let taken = into.len().min(self.chunk.len() - self.at);
        into[..taken].copy_from_slice(&self.chunk[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_from_memory_and_from_the_file() {
        for (pieces, filed) in [(0, false), (3, false), (100_000, true)] {
            let mut scratch = Scratch::default();
            let piece = |n: usize| format!("{n:>99}\n");
            (0..pieces).for_each(|n| scratch.append(piece(n).as_bytes()).unwrap());
            assert_eq!(scratch.file.is_some(), filed, "{pieces}");
            let all: String = (0..pieces).map(piece).collect();
            let mut read = String::new();
            scratch.reader().read_to_string(&mut read).unwrap();
            assert!(read == all, "{pieces}");
            assert_eq!(scratch.len(), all.len() as u64);
            assert!(scratch.chunks().map(Result::unwrap).collect::<Vec<_>>().concat() == all.as_bytes());
        }
    }
}
