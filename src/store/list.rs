//! Lists that may exceed memory, in a temporary database.

use std::fmt;
use std::marker::PhantomData;

use anyhow::{Context, Result};
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::database::{Database, paged};

const TABLE: &str = "CREATE TABLE items (number INTEGER PRIMARY KEY, item TEXT NOT NULL)";
const PAGE: &str = "SELECT number, item FROM items WHERE number > ?1 ORDER BY number LIMIT 500";

/// A list in a temporary database. Each item is stored as JSON.
pub struct List<T> {
    /// None while the list is empty.
    rows: Option<Database>,
    items: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { rows: None, items: 0, kind: PhantomData }
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items", self.items)
    }
}

impl<T> List<T> {
    /// The number of items.
    pub fn len(&self) -> usize {
        self.items
    }
    /// Whether the list has no items.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }
}

impl<T: Serialize + DeserializeOwned> List<T> {
    /// Adds an item at the end.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn push(&mut self, item: &T) -> Result<()> {
        let rows = match &self.rows {
            Some(rows) => rows,
            None => self.rows.insert(Database::new(TABLE)?),
        };
        rows.execute("INSERT INTO items (item) VALUES (?1)", [serde_json::to_string(item)?])?;
        self.items += 1;
        Ok(())
    }

    /// A list with the same items.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn copied(&self) -> Result<Self> {
        let mut list = Self::default();
        self.iter().try_for_each(|item| list.push(&item?))?;
        Ok(list)
    }

    /// Every item, in insertion order.
    pub fn iter(&self) -> impl Iterator<Item = Result<T>> + '_ {
        let pages = self.rows.iter().flat_map(|rows| {
            paged(0, |last: &i64| rows.rows(PAGE, [last], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))))
        });
        pages.map(|item| serde_json::from_str(&item?).context("reading the temporary database"))
    }
}

impl<T: Serialize + DeserializeOwned> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.len()))?;
        for item in self.iter() {
            sequence.serialize_element(&item.map_err(S::Error::custom)?)?;
        }
        sequence.end()
    }
}

impl<'de, T: Serialize + DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Serialize + DeserializeOwned> Visitor<'de> for Items<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = List::default();
                while let Some(item) = items.next_element::<T>()? {
                    list.push(&item).map_err(serde::de::Error::custom)?;
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_across_pages() {
        let mut list = List::default();
        (0..1_200_u32).for_each(|n| list.push(&n).unwrap());
        assert!(list.iter().map(Result::unwrap).eq(0..1_200));
        assert_eq!(list.len(), 1_200);
    }

    #[test]
    fn a_list_is_a_json_array() {
        let read: List<String> = serde_json::from_str(r#"["a\n","b"]"#).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["a\n","b"]"#);
        assert_eq!(serde_json::to_string(&List::<String>::default()).unwrap(), "[]");
        assert!(serde_json::from_str::<List<String>>("[1]").is_err());
    }
}
