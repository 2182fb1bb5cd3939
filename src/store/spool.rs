//! Sequences of any length: items go in, the same items come out in the same order, and memory stays flat for a prefix
//! of a million objects.

use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use anyhow::{Context, Result};
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::store::scratch::{CHUNK, Scratch};

/// More than most items take.
const LINE: usize = 512;

/// A sequence: a line of JSON for each item. It can be read while it grows.
pub struct Spool<T> {
    lines: RwLock<Scratch>,
    items: AtomicUsize,
    kind: PhantomData<fn() -> T>,
}

/// Where an item lies in its sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub(crate) u64);

impl<T> Default for Spool<T> {
    fn default() -> Self {
        Self { lines: RwLock::default(), items: AtomicUsize::new(0), kind: PhantomData }
    }
}

impl<T> fmt::Debug for Spool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items", self.len())
    }
}

impl<T> Spool<T> {
    /// How many items it has.
    pub fn len(&self) -> usize {
        self.items.load(Ordering::Acquire)
    }
    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The place after the last item.
    pub fn end(&self) -> Place {
        Place(self.lines().len())
    }

    fn lines(&self) -> RwLockReadGuard<'_, Scratch> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Serialize + DeserializeOwned> Spool<T> {
    /// Adds an item at the end.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn push(&self, item: &T) -> Result<Place> {
        let mut line = serde_json::to_vec(item)?;
        line.push(b'\n');
        let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        let place = Place(lines.len());
        lines.append(&line)?;
        self.items.fetch_add(1, Ordering::Release);
        Ok(place)
    }

    /// The item at a place.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn get(&self, place: Place) -> Result<T> {
        Items { spool: self, offset: place.0, end: self.end().0, read: Vec::new(), at: 0, chunk: LINE }.item()
    }

    /// Every item that is there by now, in the order they came.
    pub fn iter(&self) -> Items<'_, T> {
        self.between(Place::default(), self.end())
    }

    /// The items from one place on, up to another one.
    pub fn between(&self, Place(offset): Place, Place(end): Place) -> Items<'_, T> {
        Items { spool: self, offset, end, read: Vec::new(), at: 0, chunk: CHUNK }
    }
}

impl<'a, T: Serialize + DeserializeOwned> IntoIterator for &'a Spool<T> {
    type Item = Result<T>;
    type IntoIter = Items<'a, T>;
    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

/// The items of a sequence, one after the other.
pub struct Items<'a, T> {
    spool: &'a Spool<T>,
    /// Where to read on.
    offset: u64,
    /// Where to stop.
    end: u64,
    read: Vec<u8>,
    at: usize,
    /// How much to read at once.
    chunk: usize,
}

impl<T: DeserializeOwned> Items<'_, T> {
    fn item(&mut self) -> Result<T> {
        loop {
            if let Some(end) = self.read[self.at..].iter().position(|byte| *byte == b'\n') {
                let line = &self.read[self.at..self.at + end];
                self.at += end + 1;
                return serde_json::from_slice(line).context("the temporary file was damaged");
            }
            self.read.drain(..self.at);
            self.at = 0;
            let left = usize::try_from(self.end - self.offset).unwrap_or(self.chunk);
            let more =
                self.spool.lines().read(self.offset, self.chunk.min(left)).context("reading the temporary file")?;
            anyhow::ensure!(!more.is_empty(), "the temporary file was cut off");
            self.offset += more.len() as u64;
            self.read.extend_from_slice(&more);
        }
    }
}

impl<T: DeserializeOwned> Iterator for Items<'_, T> {
    type Item = Result<T>;
    fn next(&mut self) -> Option<Result<T>> {
        let ended = self.at == self.read.len() && self.offset == self.end;
        (!ended).then(|| self.item())
    }
}

impl<T: Serialize + DeserializeOwned> Serialize for Spool<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.len()))?;
        for item in self {
            sequence.serialize_element(&item.map_err(S::Error::custom)?)?;
        }
        sequence.end()
    }
}

impl<'de, T: Serialize + DeserializeOwned> Deserialize<'de> for Spool<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sequence<T>(PhantomData<T>);
        impl<'de, T: Serialize + DeserializeOwned> Visitor<'de> for Sequence<T> {
            type Value = Spool<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Spool<T>, A::Error> {
                let spool = Spool::default();
                while let Some(item) = items.next_element::<T>()? {
                    spool.push(&item).map_err(serde::de::Error::custom)?;
                }
                Ok(spool)
            }
        }
        deserializer.deserialize_seq(Sequence(PhantomData))
    }
}

/// Items that come in any order, and are read in the order of their numbers.
#[derive(Debug)]
pub struct Numbered<T> {
    items: Spool<T>,
    places: Places,
}

/// Numbers whose places stay in memory: 64 KiB.
const PLACES_IN_MEMORY: usize = 8 << 10;

/// Where the item of each number lies.
#[derive(Debug)]
enum Places {
    Memory(Vec<u64>),
    File(File),
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { items: Spool::default(), places: Places::Memory(Vec::new()) }
    }
}

impl<T: Serialize + DeserializeOwned> Numbered<T> {
    /// Keeps the item of a number.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn insert(&mut self, number: usize, item: &T) -> Result<()> {
        let Place(place) = self.items.push(item)?;
        self.places.set(number, place).context("writing the temporary file")
    }

    /// The item of a number that was inserted.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn get(&self, number: usize) -> Result<T> {
        let place = match &self.places {
            Places::Memory(places) => places[number],
            Places::File(file) => {
                let mut place = [0; 8];
                file.read_exact_at(&mut place, number as u64 * 8).context("reading the temporary file")?;
                u64::from_le_bytes(place)
            }
        };
        self.items.get(Place(place))
    }
}

impl Places {
    fn set(&mut self, number: usize, place: u64) -> io::Result<()> {
        match self {
            Self::Memory(places) if number < PLACES_IN_MEMORY => {
                places.resize(places.len().max(number + 1), 0);
                places[number] = place;
            }
            Self::Memory(places) => {
                let file = tempfile::tempfile()?;
                let bytes: Vec<u8> = places.iter().flat_map(|place| place.to_le_bytes()).collect();
                file.write_all_at(&bytes, 0)?;
                *self = Self::File(file);
                return self.set(number, place);
            }
            Self::File(file) => file.write_all_at(&place.to_le_bytes(), number as u64 * 8)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(items: usize, length: usize) -> Spool<String> {
        let spool = Spool::default();
        (0..items).for_each(|n| drop(spool.push(&format!("{n}\n{}", "x".repeat(length)))));
        spool
    }

    #[test]
    fn what_went_in_comes_out_in_order_from_memory_and_from_the_file() {
        for (items, length) in [(0, 0), (3, 10), (3, 200_000), (100_000, 100)] {
            let spool = of(items, length);
            let mut count = 0;
            for (n, item) in spool.iter().enumerate() {
                assert!(item.unwrap().starts_with(&format!("{n}\n")));
                count += 1;
            }
            assert_eq!((count, spool.len()), (items, items));
        }
    }

    #[test]
    fn an_item_is_found_at_its_place() {
        let spool = of(50_000, 100);
        let place = spool.push(&"this one".to_owned()).unwrap();
        spool.push(&"another".to_owned()).unwrap();
        assert_eq!(spool.get(place).unwrap(), "this one");
    }

    #[test]
    fn numbered_items_are_read_by_their_numbers_in_whatever_order_they_came() {
        for count in [3, 20_000] {
            let forwards: Vec<usize> = (0..count).collect();
            for order in [forwards.iter().rev().copied().collect(), forwards] {
                let mut numbered = Numbered::default();
                order.iter().for_each(|number| numbered.insert(*number, &number.to_string()).unwrap());
                assert!((0..count).all(|number| numbered.get(number).unwrap() == number.to_string()), "{count}");
            }
        }
    }

    #[test]
    fn a_sequence_is_a_list_in_json() {
        let json = serde_json::to_string(&of(2, 0)).unwrap();
        assert_eq!(json, r#"["0\n","1\n"]"#);
        let read: Spool<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(read.iter().collect::<Result<Vec<_>>>().unwrap(), ["0\n", "1\n"]);
        assert!(serde_json::from_str::<Spool<String>>("[1]").is_err());
    }
}
