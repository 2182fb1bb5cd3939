//! `promote verify`: a promoted version comes in; whether it still is what was promoted goes out, thing by thing.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::BoolishValueParser;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::exit::Exit;
use super::output::Printer;
use super::records::{Beside, beside, signature_of};
use super::settings::{OutputArgs, SourceArgs, TargetArgs};
use super::steps::Place;
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::error::Kind;
use crate::aws::objects::Listed;
use crate::copy::Folder;
use crate::model::arn::{GroupArn, KmsKeyArn, PackageArn};
use crate::model::layout::{Layout, TargetPrefix};
use crate::model::location::{BucketName, Location};
use crate::record::hashing::{Hashes, hold};
use crate::record::signature::{Envelope, VerifyingKey};
use crate::record::verification::{Findings, Listing, Recorded, Subject, Verdict, checksum, listed, package, record};
use crate::record::{ArtifactFacts, SCHEMA, Tool};
use crate::register::earlier::Own;
use crate::store::Spooled;

mod document;

use document::Verification;

/// Objects that are looked at, or read, at once.
const AT_ONCE: usize = 16;

/// Verify that a promoted version still is what was promoted
///
/// Reads the record, the version and every object of the target, and names what is changed, missing, or cannot be
/// told. The source account is needed for --deep only. Exits 1 when something is changed or missing, 3 when something
/// cannot be told.
#[derive(Debug, Args)]
pub struct Verify {
    /// Model package version of the target
    #[arg(long, env = "PROMOTE_MODEL_PACKAGE", value_name = "ARN", help_heading = "Model package")]
    model_package: PackageArn,
    /// Read every byte: hold it against the recorded checksum and, where it can be read, against the source
    #[arg(long, env = "PROMOTE_DEEP", value_parser = BoolishValueParser::new())]
    deep: bool,
    /// KMS key that has to have signed the records; its public key is asked for
    #[arg(
        long,
        env = "PROMOTE_SIGN_KEY",
        value_name = "ARN",
        conflicts_with = "public_key",
        help_heading = "Signature"
    )]
    sign_key: Option<KmsKeyArn>,
    /// The same key's public key in PEM, for a check without KMS
    #[arg(long, env = "PROMOTE_PUBLIC_KEY", value_name = "FILE", help_heading = "Signature")]
    public_key: Option<PathBuf>,
    /// Bucket of the record [default: that of the version's artifacts]
    #[arg(long, env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET", help_heading = "Target")]
    target_bucket: Option<BucketName>,
    /// Key prefix that the version was promoted with [default: that of the version's artifacts]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX", help_heading = "Target")]
    target_prefix: Option<TargetPrefix>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Verify {
    pub(super) async fn run(&self, printer: &Printer) -> Result<Exit> {
        let arn = &self.model_package;
        let mut access = self.target.access();
        access.region = Some(arn.region().clone());
        let target = TargetAccount::open(access).await?;
        let (identity, description) = tokio::join!(target.check(), target.registry().describe(arn));
        let own = Own { arn: arn.clone(), description: description? };
        let source = own.source().with_context(|| {
            format!("{arn} was not promoted: its customer metadata has no promote:source-arn. Name a promoted version")
        })?;
        let name = own.text("ModelPackageGroupName").unwrap_or_default().parse()?;
        let group = GroupArn::new(arn.partition(), arn.region(), arn.account(), &name);
        let place = self.place(&own, &source, group, identity?);
        let mut findings = Findings::default();
        match &place {
            None => {
                let detail = "the version refers to no artifact of a promotion; name the bucket with --target-bucket";
                findings.add(Subject::Record, source.as_str(), (Verdict::CannotTell, detail.into()))?;
            }
            Some(place) => self.examine(&target, place, &own, &source, &mut findings).await?,
        }
        let outcome = findings.worst();
        let document = Verification {
            schema: SCHEMA,
            model_package_arn: arn.clone(),
            source_model_package_arn: source,
            outcome,
            identical: findings.count(Verdict::Identical),
            changed: findings.count(Verdict::Changed),
            missing: findings.count(Verdict::Missing),
            cannot_tell: findings.count(Verdict::CannotTell),
            findings: findings.all,
            tool: Tool::default(),
        };
        printer.document(&document)?;
        Ok(match outcome {
            Verdict::Identical => Exit::Done,
            Verdict::Changed | Verdict::Missing => Exit::Failed,
            Verdict::CannotTell => Exit::Inconclusive,
        })
    }

    /// Where the version was promoted to: the flags, or what its references tell.
    fn place(
        &self,
        own: &Own,
        source: &PackageArn,
        group: GroupArn,
        identity: crate::aws::session::Identity,
    ) -> Option<Place> {
        let bucket = self.target_bucket.clone();
        let place = |bucket| Place {
            bucket,
            prefix: self.target_prefix.clone().unwrap_or_default(),
            group: group.clone(),
            identity: identity.clone(),
        };
        match bucket {
            Some(bucket) => Some(place(bucket)),
            None => place("unknown".parse().ok()?).of(own, source),
        }
    }

    async fn examine(
        &self,
        target: &TargetAccount,
        place: &Place,
        own: &Own,
        source: &PackageArn,
        findings: &mut Findings,
    ) -> Result<()> {
        let layout = place.layout(source);
        let there = Folder::list(target.objects(), &layout.folder()).await?;
        let key = self.key(target).await?;
        let mut records = Vec::new();
        for Beside { location, text, record } in beside(target, &layout.folder(), &there).await? {
            if let Some(key) = &key {
                let verdict = signature(target, key, &location, &text).await?;
                findings.add(Subject::Signature, &signature_of(&location).to_string(), verdict)?;
            }
            match record {
                Ok(record) => records.push(record),
                Err(error) => {
                    let detail = format!("it is not a record: {error:#}");
                    findings.add(Subject::Record, &location.to_string(), (Verdict::Changed, detail))?;
                }
            }
        }
        let Some(recorded) = Recorded::of(records, own) else {
            let detail = "there is no record of this version".to_owned();
            return findings.add(Subject::Record, &layout.record().to_string(), (Verdict::Missing, detail));
        };
        record(&recorded, own, findings, &layout.record())?;
        package(&recorded, own, findings)?;
        self.artifacts(target, source, &recorded, &there, findings).await?;
        strangers(&layout, &there, findings)
    }

    /// The key that signatures are held against; without one they are not looked at: an envelope that names its key
    /// itself proves nothing.
    async fn key(&self, target: &TargetAccount) -> Result<Option<VerifyingKey>> {
        if let Some(file) = &self.public_key {
            let context = || format!("--public-key {}", file.display());
            let pem = tokio::fs::read(file).await.with_context(context)?;
            return VerifyingKey::of_pem(&pem).with_context(context).map(Some);
        }
        let Some(key) = &self.sign_key else { return Ok(None) };
        Ok(Some(VerifyingKey::of_der(target.keys(key).public_key(key).await?.spki)))
    }

    /// Looks at every artifact, and reads it where that was asked for.
    async fn artifacts(
        &self,
        target: &TargetAccount,
        source: &PackageArn,
        recorded: &Recorded,
        there: &Folder,
        findings: &mut Findings,
    ) -> Result<()> {
        let source = match self.deep {
            true => Some(SourceAccount::open(self.source.access(), Some(source.region())).await?),
            false => None,
        };
        let looks = recorded.first.artifacts.iter().map(|artifact| async {
            let artifact = artifact?;
            let listed = there.find(&artifact.target.key)?;
            there.expect(&artifact.target.key)?;
            let verdict = one(target, source.as_ref(), &artifact, listed.as_ref()).await?;
            anyhow::Ok((artifact.target, verdict))
        });
        let mut looks = stream::iter(looks).buffered(AT_ONCE);
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
    let Some((text, _)) = target.objects().read(&signature_of(record), MAX_ENVELOPE_BYTES).await? else {
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
            hold(target.objects(), source.objects(), artifact).await
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
    let folder = layout.folder();
    let (records, unfinished) = (format!("{}promotion", folder.key), layout.unfinished().key);
    for listed in there.unexpected() {
        let Listed { key, .. } = listed?;
        if !key.starts_with(&records) && !key.starts_with(&unfinished) {
            let location = Location::new(&folder.bucket, key).to_string();
            let detail = "the promotion has not put it there";
            findings.add(Subject::Artifact, &location, (Verdict::Changed, detail.into()))?;
        }
    }
    Ok(())
}
