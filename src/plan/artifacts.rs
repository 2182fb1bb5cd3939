//! The artifacts of a plan, in a temporary database, because a prefix may contain a million objects. An object is one
//! artifact, regardless of the number of fields that refer to it.

use anyhow::{Context, Result};
use bytes::Bytes;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aws::objects::ETag;
use crate::model::failure::Failure;
use crate::model::field::Field;
use crate::model::layout::{Layout, MAX_KEY_BYTES};
use crate::model::location::Location;
use crate::plan::artifact::{Artifact, CopyContent, SourceObject};
use crate::store::{Database, paged};

/// `bytes` and `etag` describe the source object, `size` is the size of the target object in bytes. `fields` contains
/// indexes of fields, separated by spaces. `result` is the JSON result of a copy or a preview.
const TABLE: &str = "CREATE TABLE artifacts (
    target TEXT PRIMARY KEY, source TEXT NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL, head TEXT,
    fields TEXT NOT NULL, text BLOB, size INTEGER NOT NULL, changed INTEGER NOT NULL DEFAULT FALSE, result TEXT
) WITHOUT ROWID";
/// Inserts an artifact, or merges the fields if another reference led to the same object.
const INSERT: &str = "INSERT INTO artifacts (target, source, bytes, etag, head, fields, text, size)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (target) DO UPDATE SET
        fields = fields || ' ' || excluded.fields,
        head = coalesce(head, excluded.head),
        changed = changed OR bytes <> excluded.bytes OR etag <> excluded.etag";
const COLUMNS: &str = "SELECT target, source, bytes, etag, head, fields, text, result, size FROM artifacts";
/// Rows per page: about 1 MiB with long keys and many headers.
const PAGE: &str = "LIMIT 250";

/// The artifacts of a plan.
#[derive(Debug)]
pub struct Artifacts {
    layout: Layout,
    fields: Vec<(Field, Location)>,
    rows: Database,
}

impl Artifacts {
    /// An empty list. `fields` are the fields that hold references, and what they name, in document order.
    ///
    /// # Errors
    /// The temporary database cannot be created.
    pub fn new(layout: &Layout, fields: Vec<(Field, Location)>) -> Result<Self> {
        Ok(Self { layout: layout.clone(), fields, rows: Database::new(TABLE)? })
    }

    /// Adds objects, which the fields with these indexes refer to.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub(super) fn add(&self, objects: impl IntoIterator<Item = SourceObject>, fields: &[usize]) -> Result<()> {
        let rows = objects.into_iter().map(|object| {
            let target = self.layout.copy_of(&object.location);
            self.row(target, &object, fields, None)
        });
        self.rows.execute_all(INSERT, rows)
    }

    /// Adds a manifest, which the fields with these indexes refer to.
    ///
    /// # Errors
    /// As [`Artifacts::add`].
    pub(super) fn add_manifest(&self, object: &SourceObject, text: &Bytes, fields: &[usize]) -> Result<()> {
        let target = self.layout.rewritten(&object.location);
        self.rows.execute_all(INSERT, std::iter::once(self.row(target, object, fields, Some(text))))
    }

    fn row(
        &self,
        target: Location,
        object: &SourceObject,
        fields: &[usize],
        text: Option<&Bytes>,
    ) -> Result<impl rusqlite::Params + use<>> {
        let head = object.head.as_ref().map(serde_json::to_string).transpose()?;
        let fields: Vec<String> = fields.iter().map(usize::to_string).collect();
        let size = text.map_or(object.bytes, |text| text.len() as u64);
        let source = (object.location.to_string(), object.bytes, object.etag.to_string());
        let text = text.map(|text| text.to_vec());
        Ok((target.key, source.0, source.1, source.2, head, fields.join(" "), text, size))
    }

    /// # Errors
    /// An object was replaced between two listings of the same plan.
    pub(super) fn refuse_changes(&self) -> Result<()> {
        let changed: Option<String> =
            self.rows.row("SELECT source FROM artifacts WHERE changed LIMIT 1", [], |row| row.get(0))?;
        let failure = |object| Failure::new(format!("{object} changed while it was listed")).hint("Run again");
        changed.map_or(Ok(()), |object| Err(failure(object).into()))
    }

    /// Whether the plan copies this source object.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn contains(&self, source: &Location) -> Result<bool> {
        let key = self.layout.copy_of(source).key;
        Ok(self.rows.row("SELECT 1 FROM artifacts WHERE target = ?1", [key], |_| Ok(()))?.is_some())
    }

    /// The number of artifacts, and their total size at the target in bytes.
    ///
    /// # Errors
    /// As [`Artifacts::contains`].
    pub fn totals(&self) -> Result<(u64, u64)> {
        let totals = self
            .rows
            .row("SELECT count(*), coalesce(sum(size), 0) FROM artifacts", [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(totals?.unwrap_or_default())
    }

    /// The first 20 artifacts whose target keys are too long for S3.
    ///
    /// # Errors
    /// As [`Artifacts::contains`].
    pub fn with_long_keys(&self) -> Result<Vec<Artifact>> {
        let query = format!("{COLUMNS} WHERE length(CAST(target AS BLOB)) > {MAX_KEY_BYTES} ORDER BY target LIMIT 20");
        self.rows.rows(&query, [], raw)?.into_iter().map(|row| Ok(self.artifact(row)?.0)).collect()
    }

    /// The smallest artifact.
    ///
    /// # Errors
    /// As [`Artifacts::contains`].
    pub fn smallest(&self) -> Result<Option<Artifact>> {
        let query = format!("{COLUMNS} ORDER BY size LIMIT 1");
        self.rows.row(&query, [], raw)?.map(|row| Ok(self.artifact(row)?.0)).transpose()
    }

    /// Every artifact, in the order of the target's keys.
    pub fn iter(&self) -> impl Iterator<Item = Result<Artifact>> + Send + '_ {
        self.results::<serde::de::IgnoredAny>().map(|item| Ok(item?.0))
    }

    /// Every artifact with its result, in the order of the target's keys.
    pub fn results<R: DeserializeOwned>(&self) -> impl Iterator<Item = Result<(Artifact, Option<R>)>> + Send + '_ {
        let query = format!("{COLUMNS} WHERE target > ?1 ORDER BY target {PAGE}");
        let rows = paged(String::new(), move |last: &String| {
            let page = self.rows.rows(&query, [last], raw)?;
            Ok(page.into_iter().map(|row| (row.target.clone(), row)).collect())
        });
        rows.map(|row| {
            let (artifact, result) = self.artifact(row?)?;
            Ok((artifact, result.map(|result| serde_json::from_str(&result)).transpose()?))
        })
    }

    /// Every artifact, the largest first.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn by_size(&self) -> Result<impl Iterator<Item = Result<Artifact>> + Send + '_> {
        self.rows.execute("CREATE INDEX IF NOT EXISTS by_size ON artifacts (size)", [])?;
        let query = format!("{COLUMNS} WHERE (size, target) < (?1, ?2) ORDER BY size DESC, target DESC {PAGE}");
        let rows = paged((i64::MAX, String::new()), move |last: &(i64, String)| {
            let page = self.rows.rows(&query, (last.0, &last.1), raw)?;
            Ok(page.into_iter().map(|row| ((row.size, row.target.clone()), row)).collect())
        });
        Ok(rows.map(|row| Ok(self.artifact(row?)?.0)))
    }

    /// Stores the result of an artifact.
    ///
    /// # Errors
    /// As [`Artifacts::by_size`].
    pub fn set_result(&self, artifact: &Artifact, result: &impl Serialize) -> Result<()> {
        let result = serde_json::to_string(result)?;
        self.rows.execute("UPDATE artifacts SET result = ?2 WHERE target = ?1", (&artifact.target.key, result))?;
        Ok(())
    }

    fn artifact(&self, row: RawRow) -> Result<(Artifact, Option<String>)> {
        let mut fields = row
            .fields
            .split(' ')
            .map(str::parse)
            .collect::<Result<Vec<usize>, _>>()
            .context("reading the index of a field")?;
        fields.sort_unstable();
        fields.dedup();
        let source = SourceObject {
            location: row.source.parse()?,
            bytes: row.bytes,
            etag: ETag::new(&row.etag),
            head: row.head.map(|head| serde_json::from_str(&head)).transpose()?,
        };
        let artifact = Artifact {
            source,
            target: Location::new(&self.layout.folder().bucket, row.target),
            named: self.fields[fields[0]].1.clone(),
            fields: fields.into_iter().map(|number| self.fields[number].0.clone()).collect(),
            body: row.text.map_or(CopyContent::Copy, |text| CopyContent::Rewritten(text.into())),
        };
        Ok((artifact, row.result))
    }
}

struct RawRow {
    target: String,
    source: String,
    bytes: u64,
    etag: String,
    head: Option<String>,
    fields: String,
    text: Option<Vec<u8>>,
    result: Option<String>,
    size: i64,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<RawRow> {
    Ok(RawRow {
        target: row.get(0)?,
        source: row.get(1)?,
        bytes: row.get(2)?,
        etag: row.get(3)?,
        head: row.get(4)?,
        fields: row.get(5)?,
        text: row.get(6)?,
        result: row.get(7)?,
        size: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifacts() -> Artifacts {
        let source = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/7".parse().unwrap();
        let bucket = "serving".parse().unwrap();
        let layout = Layout::new(&bucket, &Default::default(), &"Prod".parse().unwrap(), &source);
        Artifacts::new(&layout, ["One", "Two", "Three"].map(|f| (Field::top(f), layout.folder())).into()).unwrap()
    }

    fn object(url: &str, bytes: u64) -> SourceObject {
        SourceObject { location: url.parse().unwrap(), bytes, etag: ETag::new("e"), head: None }
    }

    /// `source (field field)` of each artifact.
    fn shown(artifacts: impl Iterator<Item = Result<Artifact>>) -> Vec<String> {
        let line = |artifact: Result<Artifact>| {
            let Artifact { source, fields, .. } = artifact.unwrap();
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            format!("{} ({})", source.location, fields.join(" "))
        };
        artifacts.map(line).collect()
    }

    #[test]
    fn several_references_to_one_object_make_one_artifact() {
        let artifacts = artifacts();
        artifacts.add([object("s3://one/m/a", 1), object("s3://one/m/b", 1)], &[1, 2]).unwrap();
        artifacts.add([object("s3://one/m/a", 1)], &[0]).unwrap();
        artifacts.add([object("s3://two/m/a", 1)], &[1]).unwrap();
        artifacts.refuse_changes().unwrap();
        let found = shown(artifacts.iter());
        assert_eq!(found, ["s3://one/m/a (One Two Three)", "s3://one/m/b (Two Three)", "s3://two/m/a (Two)"]);
    }

    #[test]
    fn by_size_sorts_across_pages() {
        let artifacts = artifacts();
        artifacts.add((0..700).map(|n| object(&format!("s3://one/{n}"), n % 300)), &[0]).unwrap();
        let sizes: Vec<u64> = artifacts.by_size().unwrap().map(|artifact| artifact.unwrap().bytes()).collect();
        assert!(sizes.len() == 700 && sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
        assert_eq!(artifacts.totals().unwrap(), (700, sizes.iter().sum()));
        assert_eq!(artifacts.smallest().unwrap().unwrap().bytes(), 0);
    }

    #[test]
    fn an_object_that_was_replaced_between_two_listings_is_refused() {
        let artifacts = artifacts();
        artifacts.add([object("s3://one/m/a", 1)], &[0]).unwrap();
        artifacts.add([object("s3://one/m/a", 2)], &[1]).unwrap();
        assert_eq!(artifacts.refuse_changes().unwrap_err().to_string(), "s3://one/m/a changed while it was listed");
    }

    #[test]
    fn the_length_of_a_key_is_measured_in_bytes() {
        let artifacts = artifacts();
        let key = "ü".repeat(500);
        artifacts.add([object(&format!("s3://one/{key}"), 1)], &[0]).unwrap();
        assert_eq!(artifacts.with_long_keys().unwrap().len(), 1);
    }

    #[test]
    fn a_result_is_kept_with_its_artifact() {
        let artifacts = artifacts();
        artifacts.add(["s3://one/a", "s3://one/b"].map(|url| object(url, 1)), &[0]).unwrap();
        let last = artifacts.iter().last().unwrap().unwrap();
        artifacts.set_result(&last, &"copied").unwrap();
        let results: Vec<Option<String>> = artifacts.results().map(|item| item.unwrap().1).collect();
        assert_eq!(results, [None, Some("copied".into())]);
    }
}
