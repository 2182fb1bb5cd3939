//! Writes records beside the artifacts. Records are never overwritten.

use anyhow::{Context, Result, bail};

use crate::aws::accounts::TargetAccount;
use crate::aws::error::Kind;
use crate::aws::objects::{Attributes, Encryption};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{KmsKeyArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::failure::Hint;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::record::document::Record;
use crate::record::hashing::Hashes;
use crate::record::signing::{Signer, Signing};
use crate::record::stored::StoredRecord;
use crate::store::Spooled;

/// Records of one promotion whose runs began in the same millisecond. More fail.
const AT_ONCE: usize = 8;
const NOT_WRITTEN: &str = "the record could not be written beside the artifacts";
const NEXT_RUN: &str = "Run again with the same `--sign-key`: the next run compares the record and signs it";

/// In which order a record and its signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The act of the record is done: it is written although it cannot be signed.
    RecordFirst,
    /// The act comes after the record. If the record cannot be signed, neither is done.
    SignatureFirst,
}

/// Where and how records are written.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// The account that records are written to.
    pub target: &'a TargetAccount,
    /// The destination of the promotions.
    pub destination: &'a Destination,
    /// The KMS key that encrypts the records; otherwise the bucket's default encryption applies.
    pub kms_key: Option<&'a KmsKeyArn>,
    /// The key that signs the records, if there is one.
    pub signer: Option<&'a Signer>,
}

impl Records<'_> {
    /// Writes the first record of a promoted version beside its artifacts. An existing record is never overwritten: it
    /// belongs to a version that was deleted, or to a concurrent run.
    ///
    /// `changed`: whether this run has changed the version. If a concurrent run has recorded another approval, the record
    /// is written after that one.
    pub async fn write(&self, record: &Record, changed: bool) -> Result<Location> {
        let registered = record.target.as_ref().and_then(|target| target.version).unwrap_or_default();
        let layout = self.destination.layout(source_of(record)?);
        let (first, second) = (layout.record(), layout.later_record(registered));
        for location in [&first, &second] {
            if self.put(location, record, Order::RecordFirst).await? {
                return Ok(location.clone());
            }
            // The record names this version if the answer to a first attempt was lost, or if a concurrent run wrote it.
            match approval_in(self.target, location, record).await? {
                None => {}
                Some(there) if changed && there != approval_of(record) => return self.append(record).await,
                Some(_) => return Ok(location.clone()),
            }
        }
        // Both are records of other versions, such as those of a former target group.
        self.append(record).await
    }

    /// Writes the record of a later change of a promoted version, such as a withdrawal.
    pub async fn append(&self, record: &Record) -> Result<Location> {
        self.append_in(record, Order::RecordFirst).await
    }

    /// Writes the record of a change that is about to be made.
    ///
    /// # Errors
    /// The record cannot be written, or cannot be signed. Nothing may be changed then.
    pub async fn announce(&self, record: &Record) -> Result<Location> {
        self.append_in(record, Order::SignatureFirst).await
    }

    /// Signs a record that an earlier run has written, and that this run has compared. Another run may have signed it
    /// meanwhile.
    ///
    /// # Errors
    /// KMS does not sign, or the signature cannot be written.
    pub async fn sign(&self, signer: &Signer, stored: &StoredRecord, record: &Record, signing: Signing) -> Result<()> {
        let StoredRecord { location, text, .. } = stored;
        let sha256 = Hashes::of(text)?.sha256;
        let envelope = signer.sign(record, (location, &sha256), signing).await?;
        self.put_envelope(location, envelope).await.map(drop)
    }

    async fn append_in(&self, record: &Record, order: Order) -> Result<Location> {
        let (layout, stamp) = (self.destination.layout(source_of(record)?), stamp(&record.started));
        for number in 1..=AT_ONCE {
            let time = if number == 1 { stamp.clone() } else { format!("{stamp}-{number}") };
            let location = layout.further_record(&time);
            if self.put(&location, record, order).await? {
                return Ok(location);
            }
        }
        bail!("{} cannot be written: {AT_ONCE} records of this time already exist", layout.further_record(&stamp))
    }

    /// Writes and signs a record. Returns false if the location already has a record.
    async fn put(&self, location: &Location, record: &Record, order: Order) -> Result<bool> {
        let text = Spooled::json(record)?;
        let hashes = Hashes::of(&text)?;
        let Some(signer) = self.signer else {
            return self.put_text(location, text, &hashes, "application/json").await.context(NOT_WRITTEN);
        };
        if order == Order::SignatureFirst {
            let envelope = signer.sign(record, (location, &hashes.sha256), Signing::AtOnce).await?;
            return Ok(self.put_envelope(location, envelope).await?
                && self.put_text(location, text, &hashes, "application/json").await?);
        }
        if !self.put_text(location, text, &hashes, "application/json").await.context(NOT_WRITTEN)? {
            return Ok(false);
        }
        let signed = async {
            let envelope = signer.sign(record, (location, &hashes.sha256), Signing::AtOnce).await?;
            self.put_envelope(location, envelope).await
        };
        // If there is a signature, another run has compared the record and signed it.
        signed.await.with_context(|| format!("the record {location} is not signed")).hint(NEXT_RUN).map(|_| true)
    }

    /// Writes the signature of a record. Returns false if there is one.
    async fn put_envelope(&self, record: &Location, envelope: Vec<u8>) -> Result<bool> {
        let envelope: Spooled = envelope.into();
        let hashes = Hashes::of(&envelope)?;
        let content_type = "application/vnd.dsse.envelope.v1+json";
        self.put_text(&Layout::signature_of(record), envelope, &hashes, content_type).await
    }

    async fn put_text(&self, location: &Location, text: Spooled, hashes: &Hashes, content_type: &str) -> Result<bool> {
        let attributes = Attributes { content_type: Some(content_type.into()), ..Attributes::default() };
        let encryption = Encryption { kms_key: self.kms_key.cloned() };
        let checksum = Some(&hashes.checksum);
        match self.target.objects().put_new(location, text, &attributes, &encryption, checksum).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::PreconditionFailed => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn source_of(record: &Record) -> Result<&PackageArn> {
    Ok(&record.source.package.as_ref().context("a record is about a version")?.model_package_arn)
}

/// The approval in a record of the same promoted version; nothing if the record is about another one.
async fn approval_in(
    target: &TargetAccount,
    location: &Location,
    record: &Record,
) -> Result<Option<Option<ApprovalStatus>>> {
    let Some((text, _)) = target.objects().read_all(location).await? else { return Ok(None) };
    let version = |record: &Record| {
        let target = record.target.as_ref()?;
        Some((target.model_package_arn.clone()?, target.created.clone()))
    };
    let there = Record::parse(&text).ok().filter(|there| version(there) == version(record));
    Ok(there.as_ref().map(approval_of))
}

fn approval_of(record: &Record) -> Option<ApprovalStatus> {
    record.target.as_ref()?.approval_status.clone()
}

/// A time in the form that keys have.
fn stamp(time: &str) -> String {
    time.chars().filter(|c| !"-:".contains(*c)).collect()
}
