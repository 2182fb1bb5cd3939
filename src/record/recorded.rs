//! Finds the promoted version of a source version by the records beside its artifacts.

use anyhow::{Result, ensure};

use crate::aws::accounts::TargetAccount;
use crate::aws::error::Kind;
use crate::aws::objects::{Listed, TargetObjects};
use crate::copy::Folder;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::promoted::{PromotedVersion, SOURCE_KEY};
use crate::record::history::History;
use crate::record::signature::{Envelope, MAX_ENVELOPE_BYTES};
use crate::record::stored::{StoredRecord, read, record_keys, record_keys_of};
use crate::register::decision::RecordedApproval;

/// The folder of a promoted version is listed only if its record names at most this many artifacts (10 pages of S3).
pub const LISTED: usize = 10_000;

/// A promotion that has records, and whose promoted version exists.
#[derive(Debug)]
pub struct Recorded {
    /// The records.
    pub history: History,
    /// The current promoted version.
    pub promoted: PromotedVersion,
    /// The listing of the promotion's folder, if it was asked for and the folder is not too large.
    pub folder: Option<Result<Folder>>,
    /// The signature of the newest record, if it was asked for and can be read.
    pub envelope: Option<(Location, Envelope)>,
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
    AtArtifacts {
        /// Read the signature of the newest record too.
        and_signature: bool,
    },
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
        match look != Look::AtRecords && (1..=LISTED).contains(&artifacts) {
            true => Some(Folder::list(objects, &layout.folder()).await),
            false => None,
        }
    };
    let newest = match look {
        Look::AtArtifacts { and_signature: true } => keys.newest_signed(&location),
        Look::AtArtifacts { and_signature: false } | Look::AtRecords => None,
    };
    let (others, version, folder, envelope) = tokio::join!(
        read(objects, &layout, keys),
        current(target, destination, named.clone()),
        listing,
        read_envelope(objects, newest)
    );
    let (others, version) = (others?, version?);
    let history = History::of(first.into_iter().chain(others));
    history.refuse_unreadable()?;
    let version = match history.promotion(version, destination, source)? {
        Some(version) => Some(version),
        None => {
            let newest = history.newest_version().filter(|newest| Some(*newest) != named.as_ref()).cloned();
            history.promotion(current(target, destination, newest).await?, destination, source)?
        }
    };
    Ok(version.map(|promoted| Recorded { history, promoted, folder, envelope }))
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
    let version = current(target, destination, history.newest_version().cloned()).await?;
    let Some(promoted) = history.promotion(version, destination, source)? else { return Ok(None) };
    let artifacts = history.past(&promoted).map_or(0, |past| past.base().artifacts.len());
    let folder = (look != Look::AtRecords && artifacts > 0).then(|| Folder::of(&layout.folder(), listed));
    Ok(Some(Recorded { history, promoted, folder, envelope: None }))
}

/// Describes a version that a record names; nothing unless it is in this group and was not abandoned.
async fn current(
    target: &TargetAccount,
    destination: &Destination,
    arn: Option<PackageArn>,
) -> Result<Option<PromotedVersion>> {
    let Some(arn) = arn.filter(|arn| arn.is_of(&destination.group)) else { return Ok(None) };
    match target.registry().describe(&arn).await {
        Ok(description) => {
            let version = PromotedVersion { arn, description };
            Ok((!version.is_abandoned()).then_some(version))
        }
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl History {
    /// The version, if it was promoted from `source` by its metadata and has a record. If somebody has removed the metadata,
    /// the version has to refer to the folder of the promotion: whoever can write to the bucket can make a record, but a
    /// record cannot make a version of others a promoted one.
    ///
    /// # Errors
    /// Only records name the version, and it refers to nothing that was copied for it. It may be the promotion, so that
    /// nothing else may be registered, or a version of others, so that nothing may be written to it.
    fn promotion(
        &self,
        version: Option<PromotedVersion>,
        destination: &Destination,
        source: &PackageArn,
    ) -> Result<Option<PromotedVersion>> {
        let Some(version) = version else { return Ok(None) };
        let Some(past) = self.past(&version) else { return Ok(None) };
        match version.source() {
            Some(named) => return Ok((named == *source).then_some(version)),
            None if destination.of(&version, source).is_some() => return Ok(Some(version)),
            None => {}
        }
        // The recorded version refers to the folder and this one does not, so it is another version.
        let recorded = PromotedVersion { arn: version.arn.clone(), description: past.request().clone() };
        ensure!(destination.of(&recorded, source).is_some(), self.only_witness(&version, source));
        Ok(None)
    }

    fn only_witness(&self, version: &PromotedVersion, source: &PackageArn) -> Failure {
        let records: Vec<String> = self.of_version(version).map(|stored| format!("  {}", stored.location)).collect();
        Failure::new(format!(
            "only records name {} as the promotion of {source}, and its customer metadata has no {SOURCE_KEY}:\n{}",
            version.arn,
            records.join("\n")
        ))
        .hint(format!(
            "Set {SOURCE_KEY} in its customer metadata to {source} if that is true; otherwise delete the records"
        ))
    }
}

/// Reads the signature of a record. Ignores what cannot be read: only `promote verify` checks signatures.
async fn read_envelope(objects: &TargetObjects, record: Option<Location>) -> Option<(Location, Envelope)> {
    let record = record?;
    let (text, _) = objects.read(&Layout::signature_of(&record), MAX_ENVELOPE_BYTES).await.ok()??;
    Some((record, Envelope::parse(&text).ok()?))
}
