//! `promote verify`: checks a promoted version against its record.

pub(super) mod group;
mod metadata_gone;
mod unexpected;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::context::Context;
use super::event::{Event, Step};
use super::images::there::{look, of_target};
use super::settings::{SignedBy, VerifySettings};
use super::sync::intact::artifact_verdict;
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::error::{CallError, Kind, with_hints};
use crate::aws::objects::Listed;
use crate::aws::session::Identity;
use crate::copy::Folder;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::record::hashing::{Hashes, compare_bytes};
use crate::record::history::{History, Past};
use crate::record::signature::{Envelope, MAX_ENVELOPE_BYTES, VerifyingKey};
use crate::record::stored::StoredRecord;
use crate::record::verification::{
    Findings, Listing, Subject, SubjectVerdict, Verdict, listed, package, record, rejected,
};
use crate::record::{ArtifactFacts, Record, SCHEMA, Tool};
use crate::store::{List, Spooled};
use metadata_gone::{named_by_record, not_promoted};
use unexpected::unexpected_objects;

/// Concurrent checks of objects.
const OBJECTS_AT_ONCE: usize = 16;

/// The document of `promote verify`.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// The version of this document.
    pub schema: u32,
    /// The promoted version.
    pub model_package_arn: PackageArn,
    /// The source version.
    pub source_model_package_arn: PackageArn,
    /// The worst finding.
    pub outcome: Verdict,
    /// The number of findings that equal the record.
    pub identical: u64,
    /// The number of findings that differ from the record.
    pub changed: u64,
    /// The number of findings that are missing.
    pub missing: u64,
    /// The number of findings that could not be verified.
    pub unverifiable: u64,
    /// The number of findings that somebody else has changed, and of which the record says so.
    pub kept: u64,
    /// The findings.
    pub findings: List<SubjectVerdict>,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Checks a promoted version against its record. Reads only.
///
/// # Errors
/// The version was not promoted, or the version, its record or its artifacts cannot be read.
pub async fn verify(context: &Context, settings: &VerifySettings) -> Result<Verification> {
    let arn = &settings.version;
    let target = context.target().await?;
    let (identity, description) = tokio::join!(target.check(), target.registry().describe(arn));
    let identity = identity?;
    let description = description.map_err(|error| of_another_account(error, arn, &identity))?;
    let promoted = PromotedVersion { arn: arn.clone(), description };
    let name = promoted.text("ModelPackageGroupName").unwrap_or_default().parse()?;
    let group = GroupArn::new(arn.partition(), arn.region(), arn.account(), &name);
    let caller = identity.arn;
    let (source, destination) = match promoted.source() {
        Some(source) => {
            let (bucket, prefix, at) = (settings.bucket.as_ref(), settings.prefix.as_ref(), (&group, caller.as_str()));
            let destination = Destination::given_or_found(bucket, prefix, at, &promoted, &source);
            (source, destination)
        }
        None => {
            let named = named_by_record(target, settings, &promoted, (&group, &caller)).await?;
            let (source, destination) = named.ok_or_else(|| not_promoted(settings, &group))?;
            (source, Some(destination))
        }
    };
    let mut findings = Findings::default();
    match &destination {
        None => {
            let detail = "the version refers to no promoted artifact; pass the bucket with `--target-bucket`";
            findings.add(Subject::Record, source.as_str(), (Verdict::Unverifiable, detail.into()))?;
        }
        Some(destination) => {
            let checking = Checking { context, settings, target };
            checking.examine(destination, &promoted, &source, &mut findings).await?;
        }
    }
    Ok(Verification {
        schema: SCHEMA,
        model_package_arn: arn.clone(),
        source_model_package_arn: source,
        outcome: findings.worst(),
        identical: findings.count(Verdict::Identical),
        changed: findings.count(Verdict::Changed),
        missing: findings.count(Verdict::Missing),
        unverifiable: findings.count(Verdict::Unverifiable),
        kept: findings.count(Verdict::Kept),
        findings: findings.all,
        tool: Tool::default(),
    })
}

/// The same error, with the account as its likely cause: the source version was passed, or the wrong profile.
fn of_another_account(error: CallError, version: &PackageArn, target: &Identity) -> CallError {
    let (given, own) = (version.account(), &target.account);
    if given == own || !matches!(error.kind, Kind::Denied | Kind::NotFound) {
        return error;
    }
    let hint = format!(
        "Pass the ARN of a promoted version: {version} is of account {given}, and the target session is of account {own}. \
         If the version was promoted to account {given}, pass a profile of that account with `--target-profile`"
    );
    CallError { hint: hint.into(), ..error }
}

struct Checking<'a> {
    context: &'a Context,
    settings: &'a VerifySettings,
    target: &'a TargetAccount,
}

impl Checking<'_> {
    async fn examine(
        &self,
        destination: &Destination,
        promoted: &PromotedVersion,
        source: &PackageArn,
        findings: &mut Findings,
    ) -> Result<()> {
        let target = self.target;
        let layout = destination.layout(source);
        let there = Folder::list(target.objects(), &layout.folder()).await?;
        let key = self.key().await?;
        let keys = there.keys(&layout.records().key)?.into_iter().map(Ok);
        let history = History::read(target.objects(), &layout, keys).await?;
        for stored in history.stored() {
            let StoredRecord { location, text, record, .. } = stored;
            // A record of another version proves nothing about this one, and no signature is asked of it.
            let is_about = stored.version().is_none() || stored.is_about(promoted);
            if let Some(key) = key.as_ref().filter(|_| is_about) {
                let verdict = signature(target, key, location, text).await?;
                findings.add(Subject::Signature, &Layout::signature_of(location).to_string(), verdict)?;
            }
            if let Err(error) = record {
                let detail = format!("the record cannot be read: {error:#}");
                findings.add(Subject::Record, &location.to_string(), (Verdict::Changed, detail))?;
            }
        }
        let Some(past) = history.past(promoted) else {
            if let Some((at, approval)) = history.decision(promoted)
                && rejected(at, &approval, promoted, findings)?
            {
                return Ok(());
            }
            let detail = if promoted.is_complete() {
                "there is no record of this version: if its promotion is not finished, run `promote full` again"
            } else {
                "SageMaker is still creating this version: its promotion is not finished, run `promote full` again"
            };
            return findings.add(Subject::Record, &layout.record().to_string(), (Verdict::Missing, detail.to_owned()));
        };
        record(&past, promoted, findings, &layout.record())?;
        package(&past, promoted, findings)?;
        self.artifacts(source, &past, &there, findings).await?;
        self.images(&past, findings).await?;
        unexpected_objects(&layout, past.base(), &there, findings)
    }

    /// The key that must have signed the records. Without one, signatures are not checked: an envelope that names its
    /// own key proves nothing.
    async fn key(&self) -> Result<Option<VerifyingKey>> {
        match &self.settings.signed_by {
            None => Ok(None),
            Some(SignedBy::PublicKey(pem)) => VerifyingKey::of_pem(pem.as_bytes()).map(Some),
            Some(SignedBy::Key(key)) => {
                Ok(Some(VerifyingKey::of_der(self.target.keys(key).public_key(key).await?.spki)))
            }
        }
    }

    /// Checks that every image of the target's registry is still there. ECR verified the digests of its layers.
    async fn images(&self, past: &Past<'_>, findings: &mut Findings) -> Result<()> {
        let recorded = &past.base().images;
        let there = look(self.target.images(), recorded).await;
        for image in recorded.iter().filter_map(of_target) {
            let verdict = match &there {
                Ok(there) if there.missing.contains(&image) => (Verdict::Missing, missing_image(past.base())),
                Ok(_) => (Verdict::Identical, "the repository has the recorded digest".to_owned()),
                Err(error) => (Verdict::Unverifiable, with_hints(&anyhow::Error::from(error.clone()))),
            };
            findings.add(Subject::Image, &image.to_string(), verdict)?;
        }
        Ok(())
    }

    /// Checks every artifact. Reads the artifacts if the settings say so.
    async fn artifacts(
        &self,
        source: &PackageArn,
        past: &Past<'_>,
        there: &Folder,
        findings: &mut Findings,
    ) -> Result<()> {
        let source = match self.settings.deep {
            true => Some(self.context.source_in(source.region()).await?),
            false => None,
        };
        let target = self.target;
        let checks = past.base().artifacts.iter().map(|artifact| async {
            let artifact = artifact?;
            let listed = there.at(&artifact.target)?;
            there.expect(&artifact.target.key)?;
            let verdict = verdict(target, source.as_ref(), &artifact, listed.as_ref()).await?;
            anyhow::Ok((artifact.target, verdict))
        });
        let count = Arc::<AtomicU64>::default();
        self.context.notice(Event::Counting { step: Step::Checking, count: &count });
        let mut checks = stream::iter(checks).buffered(OBJECTS_AT_ONCE);
        while let Some((location, verdict)) = checks.try_next().await? {
            findings.add(Subject::Artifact, &location.to_string(), verdict)?;
            count.fetch_add(1, Relaxed);
        }
        self.context.notice(Event::Counted(Step::Checking));
        Ok(())
    }
}

async fn signature(
    target: &TargetAccount,
    key: &VerifyingKey,
    record: &Location,
    bytes: &Spooled,
) -> Result<(Verdict, String)> {
    let Some((text, _)) = target.objects().read(&Layout::signature_of(record), MAX_ENVELOPE_BYTES).await? else {
        return Ok((Verdict::Missing, "the record is not signed".into()));
    };
    let sha256 = Hashes::of(bytes)?.sha256;
    Ok(match Envelope::parse(&text).and_then(|envelope| envelope.check(key, record, &sha256)) {
        Ok(()) => (Verdict::Identical, "the key has signed this record".into()),
        Err(error) => (Verdict::Changed, format!("{error:#}")),
    })
}

async fn verdict(
    target: &TargetAccount,
    source: Option<&SourceAccount>,
    artifact: &ArtifactFacts,
    there: Option<&Listed>,
) -> Result<(Verdict, String)> {
    match (listed(artifact, there), source) {
        (Listing::Certain(Verdict::Identical, _) | Listing::Head, Some(source)) => {
            compare_bytes(target.objects(), source.objects(), artifact).await
        }
        (Listing::Certain(..) | Listing::Head, _) => artifact_verdict(target.objects(), artifact, there).await,
    }
}

/// How an image that does not exist comes back.
fn missing_image(record: &Record) -> String {
    let version = record
        .source
        .package
        .as_ref()
        .map_or_else(String::new, |package| format!(" --package-version {}", package.version));
    format!(
        "the image does not exist: `promote full --images copy{version}` copies it again, if the source still has it"
    )
}
