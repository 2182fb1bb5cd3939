//! Reads the history of a promotion: the records beside its artifacts.

use anyhow::{Context, Result};

use crate::aws::objects::TargetObjects;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::failure::Hint;
use crate::model::field::Document;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::plan::provenance::marked;
use crate::record::conclusion::Conclusion;
use crate::record::document::Record;
use crate::record::facts::SourcePackage;
use crate::record::stored::{RecordKeys, StoredRecord, read, record_keys};
use crate::register::decision::RecordedApproval;
use crate::register::sync::{Base, edits};

/// What to do about an object that should be a record and cannot be read as one.
const UNREADABLE: &str = "If another release of `promote` wrote it, use that release; otherwise move the object elsewhere, \
                          then run again";

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
        let mut found = RecordKeys::default();
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

    pub(super) fn of(stored: impl Iterator<Item = StoredRecord>) -> Self {
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
    pub fn of_version<'a>(&'a self, version: &PromotedVersion) -> impl Iterator<Item = &'a StoredRecord> {
        self.stored.iter().filter(move |stored| stored.is_about(version))
    }

    /// Whether somebody has derived the version from a recorded one: it has the digest of that request, what it deploys
    /// differs, and no record names it.
    pub fn is_derived(&self, version: &PromotedVersion) -> bool {
        let is_unnamed = self.of_version(version).next().is_none();
        is_unnamed && self.is_as_recorded(version) == Some(false)
    }

    /// Whether nobody has edited what a version deploys, by the records with its digest; nothing if there is none.
    pub fn is_as_recorded(&self, version: &PromotedVersion) -> Option<bool> {
        let (description, digest) = (&version.description, marked(&version.description)?);
        let with_digest = self.states().filter(|state| marked(state.request) == Some(digest));
        let is_edited = |state: Base<'_>| {
            edits(state.request, state.source_uri, description).iter().any(|edit| edit.is_essential())
        };
        with_digest.map(|state| !is_edited(state)).reduce(|one, other| one || other)
    }

    /// The records of a promoted version; nothing if none of them has the request.
    ///
    /// A record is written before its Update. The digest in the version's metadata tells which record describes the
    /// version, also if a run was killed between both.
    pub fn past(&self, version: &PromotedVersion) -> Option<Past<'_>> {
        let records: Vec<&Record> = self.of_version(version).filter_map(|stored| stored.record.as_ref().ok()).collect();
        let with_request = || records.iter().rev().filter_map(|record| Some((*record, record.request.as_ref()?)));
        let digest = marked(&version.description);
        // Without the digest, nothing shows that an announced Update was sent. With another digest, it was not.
        let is_done = |(record, _): &(&Record, &Document)| record.outcome != Conclusion::Updating;
        let base = with_request()
            .find(|(_, request)| marked(request) == digest)
            .or_else(|| with_request().find(is_done))
            .or_else(|| with_request().next().filter(|_| digest.is_none()))?;
        Some(Past { records, base })
    }

    /// The approval of a promoted version in the newest of its records that has one. If the promotion itself was never
    /// recorded, this is the record of a withdrawal or a rollback.
    pub fn decision(&self, version: &PromotedVersion) -> Option<(&Location, RecordedApproval)> {
        let decided = |stored: &StoredRecord| approval(stored.record.as_ref().ok()?);
        let records: Vec<&StoredRecord> = self.of_version(version).collect();
        records.into_iter().rev().find_map(|stored| Some((&stored.location, decided(stored)?)))
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

    /// The promoted version of the newest record that names one.
    pub(super) fn newest_version(&self) -> Option<&PackageArn> {
        self.stored.iter().rev().find_map(StoredRecord::version)
    }

    /// Refuses a history that is incomplete.
    ///
    /// # Errors
    /// A record cannot be parsed.
    pub fn refuse_unreadable(&self) -> Result<()> {
        for StoredRecord { location, record, .. } in &self.stored {
            if let Err(error) = record {
                let refusal = format!("{location} cannot be read as the record of a promotion");
                return Err(anyhow::anyhow!("{error:#}")).context(refusal).hint(UNREADABLE);
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

    /// The source version as the run found it that carried over its present approval. Later records are of other changes.
    pub fn approved(&self) -> Option<&'a SourcePackage> {
        let packages = self.records.iter().rev().filter_map(|record| record.source.package.as_ref());
        packages.take_while(|package| package.approval_status == ApprovalStatus::Approved).last()
    }

    /// The state of the version after its last Update.
    pub fn state(&self) -> Base<'a> {
        Base { request: self.base.1, source_uri: self.base.0.source_uri.as_deref(), changes: &self.base.0.changes }
    }
}

/// The approval of the promoted version in a record.
pub(super) fn approval(record: &Record) -> Option<RecordedApproval> {
    let target = record.target.as_ref()?;
    let (status, description) = (target.approval_status.clone()?, target.approval_description.clone());
    Some(RecordedApproval { status, description, decided_by: target.decided_by.unwrap_or_default() })
}
