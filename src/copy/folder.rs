//! A listing of the folder of a promotion, in a temporary database.

use anyhow::Result;
use rusqlite::Row;

use crate::aws::objects::{ETag, Listed, TargetObjects};
use crate::model::location::{BucketName, Location};
use crate::store::{Database, paged};

const TABLE: &str = "CREATE TABLE objects (
    key TEXT PRIMARY KEY, size INTEGER NOT NULL, etag TEXT NOT NULL, archived INTEGER NOT NULL DEFAULT FALSE,
    tiered INTEGER NOT NULL DEFAULT FALSE, expected INTEGER NOT NULL DEFAULT FALSE
) WITHOUT ROWID";
const INSERT: &str = "INSERT OR REPLACE INTO objects (key, size, etag, archived, tiered) VALUES (?1, ?2, ?3, ?4, ?5)";
const COLUMNS: &str = "SELECT key, size, etag, archived, tiered FROM objects";

/// The listing of a folder.
#[derive(Debug)]
pub struct Folder {
    bucket: BucketName,
    rows: Database,
}

impl Folder {
    /// Lists the folder at a location.
    ///
    /// # Errors
    /// The target cannot be listed, or the temporary folder is full.
    pub async fn list(target: &TargetObjects, at: &Location) -> Result<Self> {
        let rows = Database::new(TABLE)?;
        let mut pages = target.list(&at.bucket, &at.key);
        while let Some(page) = pages.next().await? {
            insert(&rows, page.iter())?;
        }
        Ok(Self { bucket: at.bucket.clone(), rows })
    }

    /// The folder at a location, from a listing of the bucket that has all of it.
    ///
    /// # Errors
    /// The temporary folder is full.
    pub fn of(at: &Location, listed: &[Listed]) -> Result<Self> {
        let rows = Database::new(TABLE)?;
        insert(&rows, listed.iter().filter(|listed| listed.key.starts_with(&at.key)))?;
        Ok(Self { bucket: at.bucket.clone(), rows })
    }

    /// The bucket of the folder.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The object with a key.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn find(&self, key: &str) -> Result<Option<Listed>> {
        self.rows.row(&format!("{COLUMNS} WHERE key = ?1"), [key], listed)
    }

    /// The object at a location.
    ///
    /// # Errors
    /// As [`Folder::find`].
    pub fn at(&self, location: &Location) -> Result<Option<Listed>> {
        if location.bucket == self.bucket { self.find(&location.key) } else { Ok(None) }
    }

    /// The keys with a prefix, in order.
    ///
    /// # Errors
    /// As [`Folder::find`].
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let query = "SELECT key FROM objects WHERE key >= ?1 AND key < ?1 || char(0x10FFFF) ORDER BY key";
        self.rows.rows(query, [prefix], |row| row.get(0))
    }

    /// Marks an object as expected.
    ///
    /// # Errors
    /// The temporary folder is full.
    pub fn expect(&self, key: &str) -> Result<()> {
        self.rows.execute("UPDATE objects SET expected = TRUE WHERE key = ?1", [key]).map(drop)
    }

    /// Marks objects as expected.
    ///
    /// # Errors
    /// As [`Folder::expect`], or a key cannot be read.
    pub fn expect_all(&self, keys: impl Iterator<Item = Result<String>>) -> Result<()> {
        self.rows.execute_all("UPDATE objects SET expected = TRUE WHERE key = ?1", keys.map(|key| Ok([key?])))
    }

    /// Every object that is not marked as expected, in key order.
    pub fn unexpected(&self) -> impl Iterator<Item = Result<Listed>> + Send + '_ {
        let query = format!("{COLUMNS} WHERE NOT expected AND key > ?1 ORDER BY key LIMIT 500");
        paged(String::new(), move |last: &String| {
            let page = self.rows.rows(&query, [last], listed)?;
            Ok(page.into_iter().map(|listed| (listed.key.clone(), listed)).collect())
        })
    }
}

fn insert<'a>(rows: &Database, all: impl Iterator<Item = &'a Listed>) -> Result<()> {
    rows.execute_all(INSERT, all.map(|one| Ok((&one.key, one.size, one.etag.as_str(), one.archived, one.tiered))))
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let etag = ETag::new(&row.get::<_, String>(2)?);
    Ok(Listed { key: row.get(0)?, size: row.get(1)?, etag, archived: row.get(3)?, tiered: row.get(4)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(keys: &[&str]) -> Folder {
        let rows = Database::new(TABLE).unwrap();
        let page = keys.iter().map(|key| Ok((*key, 1_u64, "e")));
        rows.execute_all("INSERT INTO objects (key, size, etag) VALUES (?1, ?2, ?3)", page).unwrap();
        Folder { bucket: "serving".parse().unwrap(), rows }
    }

    #[test]
    fn an_object_is_found_by_its_key() {
        let folder = folder(&["b", "a"]);
        assert_eq!(folder.find("a").unwrap().unwrap().size, 1);
        assert!(folder.find("c").unwrap().is_none());
    }

    #[test]
    fn keys_are_compared_byte_by_byte() {
        let folder = folder(&["f/_b", "f/%a", "f/Xb", "g"]);
        assert_eq!(folder.keys("f/_").unwrap(), ["f/_b"]);
        assert_eq!(folder.keys("f/").unwrap(), ["f/%a", "f/Xb", "f/_b"]);
    }

    #[test]
    fn unexpected_objects_are_listed_in_order() {
        let folder = folder(&["c", "b", "a", "d"]);
        folder.expect("b").unwrap();
        let unexpected: Vec<String> = folder.unexpected().map(|listed| listed.unwrap().key).collect();
        assert_eq!(unexpected, ["a", "c", "d"]);
    }
}
