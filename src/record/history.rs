//! Reads the history of a promotion: the records beside its artifacts.

use anyhow::{Context, Result};

use crate::aws::accounts::TargetAccount;
use crate::aws::error::Kind;
use crate::aws::objects::{Listed, TargetObjects};
use crate::copy::Folder;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::failure::Hint;
use crate::model::field::Document;
use crate::model::layout::Layout;
use crate::model::promoted::PromotedVersion;
use crate::plan::provenance::marked;
use crate::record::document::Record;
use crate::record::stored::{Keys, StoredRecord, read, record_keys, record_keys_of};
use crate::register::decision::RecordedApproval;
use crate::register::sync::Base;

/// The folder of a promoted version is listed only if its record names at most this many artifacts (10 pages of S3).
pub const LISTED: usize = 10_000;

/// Every record of one promotion folder.
#[derive(Debug, Default)]
pub struct History {
    stored: Vec<StoredRecord>,
}

/// The records of one promoted version.
#[derive(Debug)]
pub struct Past<'a> {
    /// The records, oldest first.
    records: Vec<&'a Record>,
    base: (&'a Record, &'a Document),
}

/// A promotion that has records, and whose promoted version exists.
#[derive(Debug)]
pub struct Recorded {
    /// The records.
    pub history: History,
    /// The current promoted version.
    pub promoted: PromotedVersion,
    /// The listing of the promotion's folder, if it was asked for and the folder is not too large.
    pub folder: Option<Result<Folder>>,
}

impl Recorded {
    /// The approval of the promoted version that was recorded last.
    pub fn approval(&self) -> Option<RecordedApproval> {
        self.history.past(&self.promoted)?.approval()
    }
}

/// Whether to list the folder of a promotion beside the calls that its records need anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Read the records only.
    AtRecords,
    /// List the folder too, if the record names at most [`LISTED`] artifacts.
    AtArtifacts,
}

/// The history of a promotion, and the current promoted version that the history names. Nothing if that version does
/// not exist or was abandoned.
///
/// # Errors
/// The target cannot be read, or a record cannot be parsed.
pub async fn recorded(
    target: &TargetAccount,
    destination: &Destination,
    source: &PackageArn,
    look: Look,
) -> Result<Option<Recorded>> {
    let (objects, layout) = (target.objects(), destination.layout(source));
    // The key of the first record is known without listing the folder, and most promotions have no other record.
    let location = layout.record();
    let (read_first, keys) = tokio::join!(objects.read_all(&location), record_keys(objects, &layout));
    let (read_first, mut keys) = (read_first?, keys?);
    let first = read_first.map(|read| StoredRecord::of(location.clone(), read, keys.signed.contains(&location.key)));
    let named = first.as_ref().and_then(StoredRecord::version).cloned();
    keys.records.remove(&location.key);
    let artifacts = first.as_ref().map_or(0, StoredRecord::artifacts);
    let listing = async {
        match look == Look::AtArtifacts && (1..=LISTED).contains(&artifacts) {
            true => Some(Folder::list(objects, &layout.folder()).await),
            false => None,
        }
    };
    let (others, version, folder) =
        tokio::join!(read(objects, &layout, keys), current(target, destination, source, named.clone()), listing);
    let (others, version) = (others?, version?);
    let history = History::of(first.into_iter().chain(others));
    history.refuse_unreadable()?;
    let version = match version {
        Some(version) => Some(version),
        None => {
            let newest = history.newest_version().filter(|newest| Some(*newest) != named.as_ref()).cloned();
            current(target, destination, source, newest).await?
        }
    };
    let version = version.filter(|version| history.past(version).is_some());
    Ok(version.map(|promoted| Recorded { history, promoted, folder }))
}

/// As [`recorded`], with a listing that has all objects of the promotion. It saves calls, and may be older than a change:
/// nothing may be written because of it.
///
/// # Errors
/// As [`recorded`].
pub async fn recorded_in(
    target: &TargetAccount,
    destination: &Destination,
    source: &PackageArn,
    (look, listed): (Look, &[Listed]),
) -> Result<Option<Recorded>> {
    let layout = destination.layout(source);
    let history = History::of(read(target.objects(), &layout, record_keys_of(listed, &layout)).await?.into_iter());
    history.refuse_unreadable()?;
    let version = current(target, destination, source, history.newest_version().cloned()).await?;
    let Some(promoted) = version.filter(|version| history.past(version).is_some()) else { return Ok(None) };
    let artifacts = history.past(&promoted).map_or(0, |past| past.base().artifacts.len());
    let folder = (look == Look::AtArtifacts && artifacts > 0).then(|| Folder::of(&layout.folder(), listed));
    Ok(Some(Recorded { history, promoted, folder }))
}

/// Describes a version that a record names; nothing unless it is a promotion of `source` in this group that was not
/// abandoned.
async fn current(
    target: &TargetAccount,
    destination: &Destination,
    source: &PackageArn,
    arn: Option<PackageArn>,
) -> Result<Option<PromotedVersion>> {
    let Some(arn) = arn.filter(|arn| arn.is_of(&destination.group)) else { return Ok(None) };
    match target.registry().describe(&arn).await {
        Ok(description) => {
            let version = PromotedVersion { arn, description };
            Ok((is_promotion(&version, destination, source) && !version.is_abandoned()).then_some(version))
        }
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a version that a record names was promoted from `source`, by its metadata. If somebody has removed the metadata,
/// the version has to refer to the folder of the promotion, so that a forged record cannot name a version of others.
fn is_promotion(version: &PromotedVersion, destination: &Destination, source: &PackageArn) -> bool {
    match version.source() {
        Some(named) => named == *source,
        None => destination.of(version, source).is_some(),
    }
}

impl History {
    /// Reads the records of a folder. `keys` are the keys of all objects in the folder.
    ///
    /// # Errors
    /// A record cannot be read from S3.
    pub async fn read(
        target: &TargetObjects,
        layout: &Layout,
        keys: impl Iterator<Item = Result<String>>,
    ) -> Result<Self> {
        let mut found = Keys::default();
        for key in keys {
            found.add(layout, key?);
        }
        Ok(Self::of(read(target, layout, found).await?.into_iter()))
    }

    /// Lists and reads the records of a promotion.
    ///
    /// # Errors
    /// A record cannot be read from S3.
    pub async fn list(target: &TargetObjects, layout: &Layout) -> Result<Self> {
        Ok(Self::of(read(target, layout, record_keys(target, layout).await?).await?.into_iter()))
    }

    fn of(stored: impl Iterator<Item = StoredRecord>) -> Self {
        let mut stored: Vec<StoredRecord> = stored.collect();
        // The clock of the machine that wrote a record may be wrong. The clock of S3 counts whole seconds.
        let order = |stored: &StoredRecord| {
            let written = stored.written.map(|written| written.secs());
            (written, stored.ended(), stored.is_final(), stored.location.clone())
        };
        stored.sort_by_cached_key(order);
        Self { stored }
    }

    /// All records, oldest first by the clock of S3.
    pub fn stored(&self) -> &[StoredRecord] {
        &self.stored
    }

    /// The records of a promoted version, oldest first.
    pub fn of_version(&self, version: &PackageArn) -> impl Iterator<Item = &StoredRecord> {
        self.stored.iter().filter(move |stored| stored.version() == Some(version))
    }

    /// The records of a promoted version; nothing if none of them has the request.
    ///
    /// A record is written before its Update. The digest in the version's metadata tells which record describes the
    /// version, also if a run was killed between both.
    pub fn past(&self, version: &PromotedVersion) -> Option<Past<'_>> {
        let records: Vec<&Record> =
            self.of_version(&version.arn).filter_map(|stored| stored.record.as_ref().ok()).collect();
        let with_request = || records.iter().rev().filter_map(|record| Some((*record, record.request.as_ref()?)));
        let digest = marked(&version.description);
        let base = with_request().find(|(_, request)| marked(request) == digest).or_else(|| with_request().next())?;
        Some(Past { records, base })
    }

    /// The states of all versions that the records describe.
    pub fn states(&self) -> impl Iterator<Item = Base<'_>> {
        let records = self.stored.iter().filter_map(|stored| stored.record.as_ref().ok());
        records.filter_map(|record| {
            Some(Base {
                request: record.request.as_ref()?,
                source_uri: record.source_uri.as_deref(),
                changes: &record.changes,
            })
        })
    }

    fn newest_version(&self) -> Option<&PackageArn> {
        self.stored.iter().rev().find_map(StoredRecord::version)
    }

    /// Refuses a history that is incomplete.
    ///
    /// # Errors
    /// A record cannot be parsed.
    pub fn refuse_unreadable(&self) -> Result<()> {
        for StoredRecord { location, record, .. } in &self.stored {
            if let Err(error) = record {
                let refusal = format!("{location} is not the record of a promotion");
                return Err(anyhow::anyhow!("{error:#}")).context(refusal).hint("Remove it, then run again");
            }
        }
        Ok(())
    }
}

impl<'a> Past<'a> {
    /// The newest record with the request that describes the version. The source is compared with it. It lists every
    /// artifact.
    pub fn base(&self) -> &'a Record {
        self.base.0
    }

    /// The request that describes the promoted version since its last Update.
    pub fn request(&self) -> &'a Document {
        self.base.1
    }

    /// The newest record.
    pub fn newest(&self) -> &'a Record {
        self.records.last().copied().unwrap_or(self.base.0)
    }

    /// The approval that was recorded last.
    pub fn approval(&self) -> Option<RecordedApproval> {
        self.records.iter().rev().find_map(|record| approval(record))
    }

    /// The state of the version after its last Update.
    pub fn state(&self) -> Base<'a> {
        Base { request: self.base.1, source_uri: self.base.0.source_uri.as_deref(), changes: &self.base.0.changes }
    }
}

fn approval(record: &Record) -> Option<RecordedApproval> {
    let target = record.target.as_ref()?;
    let (status, description) = (target.approval_status.clone()?, target.approval_description.clone());
    Some(RecordedApproval { status, description, decided_by: target.decided_by.unwrap_or_default() })
}
