//! Signs records that an earlier run has left unsigned, after it has compared them with the version and its artifacts.

use anyhow::{Result, ensure};

use super::purpose::Purpose;
use crate::aws::error::{CallError, Kind, with_hints};
use crate::aws::objects::Listed;
use crate::copy::{Folder, results};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::plan::images::Images;
use crate::plan::provenance::{is_digest_of, marked};
use crate::record::hashing::Hashes;
use crate::record::history::History;
use crate::record::signature::Envelope;
use crate::record::signing::Signing;
use crate::record::stored::StoredRecord;
use crate::record::{ArtifactFacts, Conclusion, Record, Unconfirmed, Verified, refuse_other_images};
use crate::register::sync::{Edit, edits};
use crate::run::event::Event;
use crate::run::promotion::Promotion;

/// What became of the records without a signature.
#[derive(Debug, Default)]
pub(in crate::run) struct Signatures {
    /// Records that do not agree with the version or its artifacts, so that they are not signed. Those that are older than a
    /// signed record are left out: they are about an older state, which nothing can confirm any more, and the run that
    /// could not sign them has said so.
    pub refused: Vec<Warning>,
    /// Records that could not be signed this time, or not be compared.
    pub failed: Vec<Unconfirmed>,
}

impl Signatures {
    /// Refuses to update a version while a record about its present state is not signed: after the Update,
    /// the record can no longer be compared with the version.
    ///
    /// # Errors
    /// A record could not be signed.
    pub fn refuse_missing(&self, promoted: &PackageArn) -> Result<()> {
        let Some(failed) = self.failed.first() else { return Ok(()) };
        let failure = Failure::new(format!("{promoted} was not updated: {}", failed.message));
        Err(match failed.hints.as_slice() {
            [] => failure.hint("Run again when the key can sign"),
            hints => hints.iter().fold(failure, Failure::hint),
        }
        .into())
    }
}

impl Promotion<'_> {
    /// Signs the records of a version that have no signature, if this run signs records.
    ///
    /// Whoever can write to the bucket can put a record there. A record is therefore signed only if the registry and S3
    /// confirm three things: the version deploys what the request says, apart from specifications of others that the record
    /// names; the folder has exactly its artifacts; and the source has the same. The statement says what was compared: the request if the version's metadata has its digest, and
    /// nothing but the version for a withdrawal or a rollback, whose record has neither a request nor artifacts.
    pub(super) async fn sign_unsigned(
        &self,
        destination: &Destination,
        package: &Package,
        history: &History,
        promoted: &PromotedVersion,
    ) -> Signatures {
        let mut signatures = Signatures::default();
        let Some(signer) = self.signer.as_ref().filter(|_| !self.dry_run) else { return signatures };
        let newest = history.of_version(promoted).last().map(|stored| &stored.location);
        for stored in history.of_version(promoted) {
            let StoredRecord { location, record, signed, .. } = stored;
            if *signed {
                signatures.refused.clear();
                continue;
            }
            let Ok(record) = record else { continue };
            let is_newest = newest == Some(location);
            let compared = match self.compare_record(destination, package, promoted, (record, is_newest)).await {
                Ok(compared) => compared,
                Err(error) if is_transient(&error) => {
                    let subject = format!("the record {location} is not signed this time");
                    signatures.failed.push(Unconfirmed::because(&error).about(subject));
                    continue;
                }
                Err(error) => {
                    let remark =
                        format!("the record was not signed, and `promote verify` reports it: {}", with_hints(&error));
                    signatures.refused.push(Warning { field: location.to_string(), remark });
                    continue;
                }
            };
            match self.records(destination).sign(signer, stored, record, Signing::Later(compared)).await {
                Ok(()) => {
                    self.context.notice(Event::Signed(location));
                    signatures.refused.clear();
                }
                Err(error) => {
                    let subject = format!("the record {location} is still not signed");
                    signatures.failed.push(Unconfirmed::because(&error).about(subject));
                }
            }
        }
        signatures
    }

    /// Warns if another key than that of this run has signed the newest record. Nothing signs a record a second time.
    pub(in crate::run) fn other_key(
        &self,
        signed: Option<&(Location, Envelope)>,
        history: &History,
    ) -> Option<Warning> {
        let (signer, (location, envelope)) = (self.signer.as_ref()?, signed?);
        let text = &history.stored().iter().find(|stored| stored.location == *location)?.text;
        if signer.has_signed(envelope, location, &Hashes::of(text).ok()?.sha256) {
            return None;
        }
        let (key, other) = (signer.key().as_str(), envelope.key().unwrap_or_default());
        let remark = match other == key || other.is_empty() {
            true => format!("its signature is not valid: `promote verify --sign-key {key}` says why"),
            false => format!(
                "it is signed with {other}, not with `--sign-key {key}`, and keeps this signature; check it with \
                 `promote verify --sign-key {other}`"
            ),
        };
        Some(Warning { field: location.to_string(), remark })
    }

    /// Compares a record with the promoted version and its folder. Returns what was compared.
    ///
    /// # Errors
    /// The record does not agree with them, or they cannot be read.
    async fn compare_record(
        &self,
        destination: &Destination,
        package: &Package,
        promoted: &PromotedVersion,
        (record, is_newest): (&Record, bool),
    ) -> Result<&'static [&'static str]> {
        let source = package.arn();
        let layout = destination.layout(source);
        let (target, named) = (record.target.as_ref(), record.source.package.as_ref());
        ensure!(
            named.is_some_and(|named| named.model_package_arn == *source)
                && target.is_some_and(|target| target.folder == layout.folder()),
            "it is about another source version or another folder"
        );
        let Some(request) = &record.request else {
            refuse_other_decision(record, promoted, is_newest)?;
            return Ok(&["target"]);
        };
        ensure!(is_digest_of(marked(request), request), "the digest in its metadata is not the digest of its request");
        let edits = edits(request, record.source_uri.as_deref(), &promoted.description);
        // The record may list a specification that others have added. Every other difference is refused.
        let is_told =
            |edit: &Edit| record.changes.iter().any(|one| one.explains(&edit.field.to_string(), edit.is.as_ref()));
        // An announced Update that was not sent has not added its specification.
        let is_current = marked(request) == marked(&promoted.description);
        let is_announced = |edit: &Edit| edit.is_missing() && !is_current;
        let differs = |edit: &&Edit| edit.alters_promotion() || edit.is_essential() && !is_told(edit);
        if let Some(edit) = edits.iter().filter(|edit| !is_announced(edit)).find(differs) {
            anyhow::bail!("{} of {} differs: {}", edit.field, promoted.arn, edit.detail);
        }
        let there = Folder::list(self.target.objects(), &layout.folder()).await?;
        let recorded = (&record.artifacts, record.references.as_slice());
        let missing = self.missing_artifacts(&there, source, recorded, Purpose::Signature).await?;
        if let Some(missing) = missing.first() {
            anyhow::bail!("{missing} is missing");
        }
        there.expect_all(record.other_objects.iter().map(|other| Ok(other?.key)))?;
        refuse_others(&layout, &there)?;
        refuse_other_images(&record.images, request, package.description())?;
        let images = self.images_there(&record.images, Purpose::Signature).await?.unwrap_or_default();
        if let Some(missing) = images.missing.first() {
            anyhow::bail!("{missing} is missing");
        }
        self.compare_with_source(package, record).await?;
        // The record of an older state differs in fields that an Update has changed since.
        Ok(if is_current { &["target", "request", "artifacts"] } else { &["target", "artifacts"] })
    }

    /// Compares the artifacts of a record with those of the source, byte for byte as far as S3 tells: whoever can write to
    /// the target bucket can replace a copy together with its record.
    async fn compare_with_source(&self, package: &Package, record: &Record) -> Result<()> {
        // The version names its images by their digests. The source may not have them any more.
        let plan = self.plan_with(package, Images::Keep);
        let (plan, there) = tokio::try_join!(plan, self.list_folder(package.arn()))?;
        let copied = self.confirm(plan, there).await?;
        // Both lists are ordered by bucket and key.
        let mut recorded = record.artifacts.iter();
        for item in results(copied.artifacts().plan()) {
            let (artifact, done) = item?;
            ensure!(
                done.verified.is_some_and(|verified| verified != Verified::Size),
                "nothing but the size of {} can be compared with its source",
                artifact.target
            );
            let now = ArtifactFacts::of(&artifact, done);
            let then = recorded.next().transpose()?;
            let is_same = |then: &ArtifactFacts| {
                (&then.source, &then.target, &then.etag, then.bytes) == (&now.source, &now.target, &now.etag, now.bytes)
            };
            ensure!(then.as_ref().is_some_and(is_same), "{} differs from its source", now.target);
        }
        ensure!(recorded.next().is_none(), "the source does not have every artifact that it names");
        Ok(())
    }
}

/// Whether the next run may succeed.
fn is_transient(error: &anyhow::Error) -> bool {
    let below = |cause: &(dyn std::error::Error + 'static)| {
        let below = cause.downcast_ref().and_then(Failure::hinted);
        let call = cause.downcast_ref::<CallError>();
        call.is_some_and(|call| matches!(call.kind, Kind::Throttled | Kind::Unavailable))
            || below.is_some_and(is_transient)
    };
    error.chain().any(below)
}

/// Refuses a record without a request that is about neither a withdrawal nor a rollback, or that is the newest one and has
/// another approval than the version.
fn refuse_other_decision(record: &Record, promoted: &PromotedVersion, is_newest: bool) -> Result<()> {
    let status = record.target.as_ref().and_then(|target| target.approval_status.as_ref());
    ensure!(
        matches!(record.outcome, Conclusion::Withdrawn | Conclusion::RolledBack)
            && status == Some(&ApprovalStatus::Rejected),
        "it has no request to compare the version with"
    );
    ensure!(
        !is_newest || promoted.approval() == ApprovalStatus::Rejected,
        "{} is {}, but this record says that it was rejected",
        promoted.arn,
        promoted.approval()
    );
    Ok(())
}

/// Refuses a folder with an object that the record does not name.
fn refuse_others(layout: &Layout, there: &Folder) -> Result<()> {
    for listed in there.unexpected() {
        let Listed { key, .. } = listed?;
        ensure!(layout.is_own(&key), "it does not name {}", Location::new(there.bucket(), key));
    }
    Ok(())
}
