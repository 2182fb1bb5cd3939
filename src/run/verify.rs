//! `promote verify`: checks a promoted version against its record.

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::context::Context;
use super::settings::{SignedBy, VerifySettings};
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::error::Kind;
use crate::aws::objects::Listed;
use crate::copy::Folder;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::record::hashing::{Hashes, compare_bytes};
use crate::record::history::{History, Past, StoredRecord};
use crate::record::signature::{Envelope, VerifyingKey};
use crate::record::verification::{Finding, Findings, Listing, Subject, Verdict, checksum, listed, package, record};
use crate::record::{ArtifactFacts, SCHEMA, Tool};
use crate::store::{List, Spooled};

/// Objects that are looked at, or read, at a time.
const OBJECTS_AT_ONCE: usize = 16;

/// The document of `promote verify`.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// The version of this document.
    pub schema: u32,
    /// The promoted version.
    pub model_package_arn: PackageArn,
    /// The version that it was promoted from.
    pub source_model_package_arn: PackageArn,
    /// The worst of all findings.
    pub outcome: Verdict,
    /// Findings that are as recorded.
    pub identical: u64,
    /// Findings that differ.
    pub changed: u64,
    /// Findings that are missing.
    pub missing: u64,
    /// Findings that nothing says anything about.
    pub unverifiable: u64,
    /// Each finding.
    pub findings: List<Finding>,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Checks a promoted version against its record. Reads only.
///
/// # Errors
/// The version was not promoted, or it, its record or its artifacts cannot be read.
pub async fn verify(context: &Context, settings: &VerifySettings) -> Result<Verification> {
    let arn = &settings.version;
    let target = context.target().await?;
    let (identity, description) = tokio::join!(target.check(), target.registry().describe(arn));
    let promoted = PromotedVersion { arn: arn.clone(), description: description? };
    let source = promoted.source().ok_or_else(|| {
        Failure::new(format!("{arn} was not promoted: its customer metadata has no promote:source-arn"))
            .hint("Name a promoted version")
    })?;
    let name = promoted.text("ModelPackageGroupName").unwrap_or_default().parse()?;
    let group = GroupArn::new(arn.partition(), arn.region(), arn.account(), &name);
    let destination = destination(settings, &promoted, &source, group, &identity?.arn);
    let mut findings = Findings::default();
    match &destination {
        None => {
            let detail = "the version refers to no artifact of a promotion; name the bucket with --target-bucket";
            findings.add(Subject::Record, source.as_str(), (Verdict::Unverifiable, detail.into()))?;
        }
        Some(place) => {
            let checking = Checking { context, settings, target };
            checking.examine(place, &promoted, &source, &mut findings).await?;
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
        findings: findings.all,
        tool: Tool::default(),
    })
}

/// Where the version was promoted to: as the settings say, or as the version's references do.
fn destination(
    settings: &VerifySettings,
    promoted: &PromotedVersion,
    source: &PackageArn,
    group: GroupArn,
    caller: &str,
) -> Option<Destination> {
    let prefix = settings.prefix.clone().unwrap_or_default();
    let at = |bucket| Destination { bucket, prefix, group, caller: caller.to_owned() };
    match settings.bucket.clone() {
        Some(bucket) => Some(at(bucket)),
        None => at("unknown".parse().ok()?).of(promoted, source),
    }
}

struct Checking<'a> {
    context: &'a Context,
    settings: &'a VerifySettings,
    target: &'a TargetAccount,
}

impl Checking<'_> {
    async fn examine(
        &self,
        place: &Destination,
        promoted: &PromotedVersion,
        source: &PackageArn,
        findings: &mut Findings,
    ) -> Result<()> {
        let target = self.target;
        let layout = place.layout(source);
        let there = Folder::list(target.objects(), &layout.folder()).await?;
        let key = self.key().await?;
        let keys = there.keys(&layout.folder().key)?.into_iter().map(Ok);
        let history = History::read(target.objects(), &layout, keys).await?;
        for StoredRecord { location, text, record, .. } in history.stored() {
            if let Some(key) = &key {
                let verdict = signature(target, key, location, text).await?;
                findings.add(Subject::Signature, &Layout::signature_of(location).to_string(), verdict)?;
            }
            if let Err(error) = record {
                let detail = format!("it is not a record: {error:#}");
                findings.add(Subject::Record, &location.to_string(), (Verdict::Changed, detail))?;
            }
        }
        let Some(past) = history.past(&promoted.arn) else {
            let detail = "there is no record of this version".to_owned();
            return findings.add(Subject::Record, &layout.record().to_string(), (Verdict::Missing, detail));
        };
        record(&past, promoted, findings, &layout.record())?;
        package(&past, promoted, findings)?;
        self.artifacts(source, &past, &there, findings).await?;
        strangers(&layout, &there, findings)
    }

    /// The key that must have signed the records. Without one, signatures are not checked: an envelope that names its
    /// promoted key proves nothing.
    async fn key(&self) -> Result<Option<VerifyingKey>> {
        match &self.settings.signed_by {
            None => Ok(None),
            Some(SignedBy::PublicKey(pem)) => VerifyingKey::of_pem(pem.as_bytes()).map(Some),
            Some(SignedBy::Key(key)) => {
                Ok(Some(VerifyingKey::of_der(self.target.keys(key).public_key(key).await?.spki)))
            }
        }
    }

    /// Looks at every artifact, and reads it where that was asked for.
    async fn artifacts(
        &self,
        source: &PackageArn,
        past: &Past<'_>,
        there: &Folder,
        findings: &mut Findings,
    ) -> Result<()> {
        let source = match self.settings.deep {
            true => Some(SourceAccount::open(self.context.source_access().clone(), Some(source.region())).await?),
            false => None,
        };
        let target = self.target;
        let looks = past.first().artifacts.iter().map(|artifact| async {
            let artifact = artifact?;
            let listed = there.find(&artifact.target.key)?;
            there.expect(&artifact.target.key)?;
            let verdict = one(target, source.as_ref(), &artifact, listed.as_ref()).await?;
            anyhow::Ok((artifact.target, verdict))
        });
        let mut looks = stream::iter(looks).buffered(OBJECTS_AT_ONCE);
        while let Some((location, verdict)) = looks.try_next().await? {
            findings.add(Subject::Artifact, &location.to_string(), verdict)?;
        }
        Ok(())
    }
}

/// The longest envelope that is read; real ones have about 2 KB.
const MAX_ENVELOPE_BYTES: u64 = 1 << 20;

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
        Ok(()) => (Verdict::Identical, "the key has signed the record as it is".into()),
        Err(error) => (Verdict::Changed, format!("{error:#}")),
    })
}

async fn one(
    target: &TargetAccount,
    source: Option<&SourceAccount>,
    artifact: &ArtifactFacts,
    there: Option<&Listed>,
) -> Result<(Verdict, String)> {
    match (listed(artifact, there), source) {
        (Listing::Certain(Verdict::Identical, _), Some(source)) | (Listing::Checksum, Some(source)) => {
            compare_bytes(target.objects(), source.objects(), artifact).await
        }
        (Listing::Certain(verdict, detail), _) => Ok((verdict, detail)),
        (Listing::Checksum, None) => match target.objects().head(&artifact.target).await {
            Ok(head) => Ok(checksum(artifact, head.etag.as_str(), head.crc64nvme.as_deref())),
            Err(error) if error.kind == Kind::NotFound => {
                Ok((Verdict::Missing, "it is gone since it was listed".into()))
            }
            Err(error) => Err(error.into()),
        },
    }
}

/// An object more below a prefix is a file more in the model that is deployed.
fn strangers(layout: &Layout, there: &Folder, findings: &mut Findings) -> Result<()> {
    let unfinished = layout.unfinished().key;
    for listed in there.unexpected() {
        let Listed { key, .. } = listed?;
        if !layout.is_record(&key) && layout.signed_record(&key).is_none() && !key.starts_with(&unfinished) {
            let location = Location::new(&layout.folder().bucket, key).to_string();
            let detail = "the promotion has not put it there";
            findings.add(Subject::Artifact, &location, (Verdict::Changed, detail.into()))?;
        }
    }
    Ok(())
}
