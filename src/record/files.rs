//! Writes records beside the artifacts. Records are never overwritten.

use anyhow::{Context, Result, bail};

use crate::aws::accounts::TargetAccount;
use crate::aws::error::Kind;
use crate::aws::objects::{Attributes, Encryption};
use crate::model::arn::{KmsKeyArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::record::document::Record;
use crate::record::hashing::Hashes;
use crate::record::signing::Signer;
use crate::store::Spooled;

/// Records of one promotion whose runs began in the same millisecond. More fail.
const AT_ONCE: usize = 8;

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
    pub async fn write(&self, record: &Record) -> Result<Location> {
        let registered = record.target.as_ref().and_then(|target| target.version).unwrap_or_default();
        let layout = self.destination.layout(source_of(record)?);
        let (first, second) = (layout.record(), layout.later_record(registered));
        for location in [&first, &second] {
            // The record names this version if the answer to a first attempt was lost, or if a concurrent run wrote it.
            if self.put(location, record).await? || names_version(self.target, location, record).await? {
                return Ok(location.clone());
            }
        }
        bail!(
            Failure::new(format!("{first} and {second} are records of other versions"))
                .hint("Remove the record that does not belong there")
        )
    }

    /// Writes the record of a later change of a promoted version, such as a withdrawal.
    pub async fn append(&self, record: &Record) -> Result<Location> {
        let (layout, stamp) = (self.destination.layout(source_of(record)?), stamp(&record.started));
        for number in 1..=AT_ONCE {
            let time = if number == 1 { stamp.clone() } else { format!("{stamp}-{number}") };
            let location = layout.further_record(&time);
            if self.put(&location, record).await? {
                return Ok(location);
            }
        }
        bail!("{AT_ONCE} records with the time of {} already exist", layout.further_record(&stamp))
    }

    /// Writes and signs a record. Returns false if the location already has a record.
    async fn put(&self, location: &Location, record: &Record) -> Result<bool> {
        let text = Spooled::json(record)?;
        let hashes = Hashes::of(&text)?;
        if !self.put_text(location, text, &hashes, "application/json").await? {
            return Ok(false);
        }
        if let Some(signer) = self.signer {
            let signed = signer.sign(record, location, &hashes.sha256).await;
            let envelope: Spooled = signed.with_context(|| format!("{location} is written, but not signed"))?.into();
            let hashes = Hashes::of(&envelope)?;
            let content_type = "application/vnd.dsse.envelope.v1+json";
            self.put_text(&Layout::signature_of(location), envelope, &hashes, content_type).await?;
        }
        Ok(true)
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

async fn names_version(target: &TargetAccount, location: &Location, record: &Record) -> Result<bool> {
    let Some(text) = target.objects().read_all(location).await? else { return Ok(false) };
    let named = |record: &Record| record.target.as_ref().and_then(|target| target.model_package_arn.clone());
    Ok(Record::parse(&text).is_ok_and(|there| named(&there) == named(record)))
}

/// A time in the form that keys have.
fn stamp(time: &str) -> String {
    time.chars().filter(|c| !"-:".contains(*c)).collect()
}
