//! A temporary SQLite database for data that may exceed memory. SQLite keeps a small database in its page cache, and
//! writes a large one to an unlinked file. The operating system removes the file even after a crash.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::full::without_space;

/// A crash discards the file, so it needs no journal and no synchronization. The cache has 4 MiB. One transaction has all
/// statements: at the end of each transaction, SQLite visits every changed page in the cache.
const SETTINGS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096; BEGIN;";

/// A temporary database. Each method locks it.
#[derive(Debug)]
pub struct Database(Mutex<Connection>);

impl Database {
    /// Creates a database. `tables` is the SQL that creates the tables.
    ///
    /// # Errors
    /// SQLite cannot allocate memory.
    pub fn new(tables: &str) -> Result<Self> {
        let connection = Connection::open("").map_err(failed)?;
        connection.execute_batch(SETTINGS).and_then(|()| connection.execute_batch(tables)).map_err(failed)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a statement, and returns the number of changed rows.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn execute(&self, statement: &str, parameters: impl Params) -> Result<usize> {
        let connection = self.lock();
        let changed = connection.prepare_cached(statement).and_then(|mut statement| statement.execute(parameters));
        changed.map_err(failed)
    }

    /// Runs a statement for each set of parameters.
    ///
    /// # Errors
    /// As [`Database::execute`].
    pub fn execute_all<P: Params>(&self, statement: &str, all: impl Iterator<Item = Result<P>>) -> Result<()> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(statement).map_err(failed)?;
        for parameters in all {
            statement.execute(parameters?).map_err(failed)?;
        }
        Ok(())
    }

    /// Reads all rows of a query.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(query).map_err(failed)?;
        let rows = statement.query_map(parameters, read).and_then(Iterator::collect);
        rows.map_err(failed)
    }

    /// Reads the first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`Database::rows`].
    pub fn row<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(query).map_err(failed)?;
        statement.query_row(parameters, read).optional().map_err(failed)
    }
}

fn failed(error: rusqlite::Error) -> Error {
    without_space(Error::new(error).context("the temporary database failed"))
}

/// Iterates over the rows of a long table page by page. `page` returns the rows after a key, each with its key.
pub fn paged<K, T>(first: K, page: impl Fn(&K) -> Result<Vec<(K, T)>>) -> impl Iterator<Item = Result<T>> {
    let (mut last, mut rows, mut ended) = (first, Vec::new().into_iter(), false);
    std::iter::from_fn(move || {
        if rows.len() == 0 && !ended {
            match page(&last) {
                Ok(next) => (ended, rows) = (next.is_empty(), next.into_iter()),
                Err(error) => {
                    ended = true;
                    return Some(Err(error));
                }
            }
        }
        let (key, row) = rows.next()?;
        last = key;
        Some(Ok(row))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::Failure;

    #[test]
    fn a_full_database_names_the_next_step() {
        let database = Database::new("PRAGMA max_page_count = 2; CREATE TABLE lines (line TEXT)").unwrap();
        let error = database.execute("INSERT INTO lines VALUES (?1)", ["x".repeat(1 << 20)]).unwrap_err();
        let failure: &Failure = error.downcast_ref().unwrap();
        assert!(format!("{error:#}").starts_with("the temporary database failed: "), "{error:#}");
        assert!(failure.next_steps().eq(["If the disk is full, set TMPDIR to a folder with more space"]));
    }
}
