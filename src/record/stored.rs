//! The records of a promotion as they are stored in its folder.

use std::collections::BTreeSet;

use anyhow::Result;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::objects::{Listed, TargetObjects};
use crate::model::arn::PackageArn;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::record::conclusion::Conclusion;
use crate::record::document::Record;
use crate::store::Spooled;

/// Concurrent reads of records. Most promotions have one or two records.
const READS_AT_ONCE: usize = 16;

/// A record as it is stored beside the artifacts.
#[derive(Debug)]
pub struct StoredRecord {
    /// The location of the record.
    pub location: Location,
    /// The bytes of the record.
    pub text: Spooled,
    /// When the record was written, by the clock of S3.
    pub written: Option<DateTime>,
    /// The parsed record, or the reason why it cannot be parsed.
    pub record: Result<Record>,
    /// Whether there is a signature of the record.
    pub signed: bool,
}

impl StoredRecord {
    pub(super) fn of(location: Location, (text, written): (Spooled, Option<DateTime>), signed: bool) -> Self {
        Self { record: Record::parse(&text), written, signed, location, text }
    }

    /// The number of artifacts that the record names.
    pub(super) fn artifacts(&self) -> usize {
        self.record.as_ref().map_or(0, |record| record.artifacts.len())
    }

    /// The promoted version that the record is about.
    pub fn version(&self) -> Option<&PackageArn> {
        self.record.as_ref().ok()?.target.as_ref()?.model_package_arn.as_ref()
    }

    /// Whether the record is about this version, and not about one of a former group: if a group is deleted and made again,
    /// its versions are numbered from 1 again.
    pub fn is_about(&self, version: &PromotedVersion) -> bool {
        let target = self.record.as_ref().ok().and_then(|record| record.target.as_ref());
        target.is_some_and(|target| target.is_version(&version.arn, version.created().as_ref()))
    }

    /// Whether the act of the record is done. The record of an Update is written twice, before and after it.
    pub(super) fn is_final(&self) -> bool {
        self.record.as_ref().is_ok_and(|record| record.outcome != Conclusion::Updating)
    }

    pub(super) fn ended(&self) -> Option<DateTime> {
        DateTime::from_str(&self.record.as_ref().ok()?.ended, Format::DateTime).ok()
    }
}

/// The keys of a folder's records.
#[derive(Debug, Default)]
pub(super) struct RecordKeys {
    pub records: BTreeSet<String>,
    /// The records that have a signature.
    pub signed: BTreeSet<String>,
}

impl RecordKeys {
    /// Adds a key of the folder if it belongs to a record or to a signature.
    pub fn add(&mut self, layout: &Layout, key: String) {
        match layout.signed_record(&key) {
            Some(record) => drop(self.signed.insert(record.to_owned())),
            None if layout.is_record(&key) => drop(self.records.insert(key)),
            None => {}
        }
    }

    /// The record that was written last, by its key, if it has a signature. The key of a later record has its time.
    pub fn newest_signed(&self, first: &Location) -> Option<Location> {
        let later = self.records.iter().rfind(|key| **key != first.key);
        let newest = later.unwrap_or(&first.key);
        self.signed.contains(newest).then(|| Location::new(&first.bucket, newest))
    }
}

/// The keys of a folder's records, from a listing that has all of them.
pub(super) fn record_keys_of(listed: &[Listed], layout: &Layout) -> RecordKeys {
    let mut keys = RecordKeys::default();
    listed.iter().for_each(|listed| keys.add(layout, listed.key.clone()));
    keys
}

/// Lists the keys of a folder's records.
pub(super) async fn record_keys(target: &TargetObjects, layout: &Layout) -> Result<RecordKeys> {
    let mut keys = RecordKeys::default();
    let prefix = layout.records();
    let mut pages = target.list(&prefix.bucket, &prefix.key);
    while let Some(page) = pages.next().await? {
        page.into_iter().for_each(|listed| keys.add(layout, listed.key));
    }
    Ok(keys)
}

/// Reads records. Leaves out records that were deleted meanwhile.
pub(super) async fn read(target: &TargetObjects, layout: &Layout, keys: RecordKeys) -> Result<Vec<StoredRecord>> {
    let bucket = layout.records().bucket;
    let RecordKeys { records, signed } = keys;
    let reads = records.into_iter().map(|key| {
        let is_signed = signed.contains(&key);
        let location = Location::new(&bucket, key);
        async move {
            let read = target.read_all(&location).await?;
            anyhow::Ok(read.map(|read| StoredRecord::of(location, read, is_signed)))
        }
    });
    stream::iter(reads).buffered(READS_AT_ONCE).try_filter_map(|read| async { Ok(read) }).try_collect().await
}
