//! The steps that verbs are made of, with what they say meanwhile. Each takes the type of the step before.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use aws_smithy_types::DateTime;
use bytes::BytesMut;
use indicatif::HumanBytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::output::Printer;
use super::progress;
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::objects::Encryption;
use crate::aws::session::Identity;
use crate::copy::meter::Meter;
use crate::copy::uploads::OpenUploads;
use crate::copy::{Copies, Engine, Purpose, STALL, There, Tuning, copy};
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::Failure;
use crate::model::field::each_leaf;
use crate::model::layout::{Layout, TargetPrefix};
use crate::model::location::{BucketName, Location};
use crate::model::package::{Package, rfc3339};
use crate::plan::draft::{Carrying, Draft};
use crate::plan::growth::grow;
use crate::plan::inventory::{Until, inventory};
use crate::plan::{Plan, plan, urls_elsewhere};
use crate::record::{Build, Conclusion, Record, Source, Target};
use crate::register::earlier::Own;
use crate::schema::references::references;
use crate::store::scratch::{CHUNK, Scratch};

/// When the run began.
pub struct Clock {
    time: DateTime,
    instant: Instant,
}

impl Clock {
    /// Now.
    pub fn start() -> Self {
        Self { time: std::time::SystemTime::now().into(), instant: Instant::now() }
    }

    /// A document that began with this run.
    pub fn record(&self, outcome: Conclusion, source: Source) -> Record {
        let mut record = Record::new(outcome, source, &self.time);
        record.duration_ms = u64::try_from(self.instant.elapsed().as_millis()).unwrap_or(u64::MAX);
        record.ended = rfc3339(&std::time::SystemTime::now().into());
        record.build = build();
        record
    }

    /// When it began, as a part of a file's name.
    pub fn stamp(&self) -> String {
        rfc3339(&self.time).chars().filter(|c| !"-:".contains(*c)).collect()
    }
}

/// The CodeBuild build that runs this.
fn build() -> Option<Build> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Build {
        arn: variable("CODEBUILD_BUILD_ARN")?,
        id: variable("CODEBUILD_BUILD_ID"),
        number: variable("CODEBUILD_BUILD_NUMBER"),
        initiator: variable("CODEBUILD_INITIATOR"),
    })
}

/// Where in the target a promotion goes.
#[derive(Debug, Clone)]
pub struct Place {
    /// The bucket.
    pub bucket: BucketName,
    /// The prefix of all promotions.
    pub prefix: TargetPrefix,
    /// The group.
    pub group: GroupArn,
    /// Who writes there.
    pub identity: Identity,
}

impl Place {
    /// The folder of one version's promotion.
    pub fn layout(&self, source: &PackageArn) -> Layout {
        Layout::new(&self.bucket, &self.prefix, self.group.name(), source)
    }

    /// The place that a version of the same group was promoted to, read off what it refers to.
    pub fn of(&self, own: &Own, source: &PackageArn) -> Option<Self> {
        let mut found = None;
        each_leaf(&own.description, &mut |_, value| {
            let location = value.as_str().and_then(|text| text.parse::<Location>().ok());
            let prefix = location.as_ref().and_then(|at| Layout::prefix_of(at, self.group.name(), source));
            if let (None, Some(location), Some(prefix)) = (&found, location, prefix) {
                found = Some(Self { bucket: location.bucket, prefix, ..self.clone() });
            }
        });
        found
    }

    /// The target side of the document.
    pub fn target(&self, source: &PackageArn, registered: Option<(&PackageArn, &str)>) -> Target {
        Target {
            group: self.group.name().clone(),
            account: self.group.account().clone(),
            region: self.group.region().clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            folder: self.layout(source).folder(),
            model_package_arn: registered.map(|(arn, _)| arn.clone()),
            version: registered.map(|(arn, _)| arn.version()),
            approval_status: registered.map(|(_, approval)| approval.to_owned()),
            caller: self.identity.arn.clone(),
        }
    }
}

/// Describes a version.
pub async fn describe(source: &SourceAccount, package: &PackageArn) -> Result<Package> {
    let description = source.registry().describe(package).await?;
    Package::from_description(package, description)
}

/// Reads the document of the step before.
pub async fn read_document(from: &Path) -> Result<Record> {
    let (name, read) = if from == Path::new("-") {
        ("standard input".to_owned(), read_all(tokio::io::stdin()).await)
    } else {
        let name = from.display().to_string();
        let file = tokio::fs::File::open(from).await.with_context(|| format!("reading {name}"))?;
        (name, read_all(file).await)
    };
    let text = read.with_context(|| format!("reading {name}"))?;
    Record::parse(&text).with_context(|| format!("{name} is not the document of a step before"))
}

async fn read_all(mut from: impl AsyncRead + Unpin) -> Result<Scratch> {
    let (mut text, mut chunk) = (Scratch::default(), BytesMut::with_capacity(CHUNK));
    while from.read_buf(&mut chunk).await? > 0 {
        text.append(&chunk)?;
        chunk.clear();
    }
    Ok(text)
}

/// Stops when the package is no longer what the step before has seen.
pub fn refuse_change(package: &Package, before: &Record) -> Result<()> {
    let seen = before.source.package.as_ref().map(|package| package.fingerprint.as_str());
    ensure!(
        seen == Some(package.fingerprint().as_str()),
        Failure::new(format!("{} has changed since the step before", package.arn()))
            .hint("Begin again with find-latest")
    );
    Ok(())
}

/// What becomes of a package: the references are looked up, the plan is made. Of a long prefix its beginning may do.
pub async fn make_plan(
    source: &SourceAccount,
    place: &Place,
    package: &Package,
    carrying: &Carrying,
    until: Until,
) -> Result<Plan> {
    if let Some(key) = &carrying.kms_key {
        let region = place.group.region();
        ensure!(
            key.region() == region,
            Failure::new(format!(
                "--kms-key-arn {key} is not in the target's region {region}, and S3 encrypts with keys of the bucket's \
                 region only"
            ))
            .hint(format!("Pass a key in {region}"))
        );
    }
    let draft = Draft::of(package, place.group.name(), carrying)?;
    let references = references(&draft.request)?;
    let found = inventory(references, source.objects(), until).await?;
    let layout = place.layout(package.arn());
    let mut others = urls_elsewhere(package, &draft.request);
    // What is written must not be listed.
    others.insert(layout.folder());
    let growth = grow(&found, &others).await?;
    let mut plan = plan(package, draft, &found, &layout)?;
    plan.growth = growth;
    Ok(plan)
}

/// A dry run tells all that would be copied; a run begins with what is known.
pub fn until(dry_run: bool) -> Until {
    if dry_run { Until::End } else { Until::Beginning }
}

/// Looks at what is in the folder of a promotion already.
pub async fn look(target: &TargetAccount, place: &Place, source: &PackageArn) -> Result<There> {
    There::look(target.objects(), &place.layout(source).folder()).await
}

/// Copies, confirms or previews the artifacts of a plan.
pub struct Copying<'a> {
    /// Reads the source.
    pub source: &'a SourceAccount,
    /// Writes the target.
    pub target: &'a TargetAccount,
    /// How copies are made.
    pub tuning: Tuning,
    /// What encrypts the target.
    pub carrying: &'a Carrying,
    /// Uploads to abort on an interruption.
    pub uploads: &'a OpenUploads,
    /// Where progress is shown.
    pub printer: &'a Printer,
}

impl Copying<'_> {
    /// Runs the engine for a purpose.
    pub async fn run(&self, plan: &Plan, there: There, purpose: Purpose) -> Result<Copies> {
        let meter = Meter::default();
        let patience = self.tuning.stall.as_secs_f64() / STALL.as_secs_f64();
        let target = self.target.objects().with_patience(patience);
        let engine = Engine {
            source: self.source.objects(),
            target: &target,
            tuning: self.tuning,
            separate_principals: self.target.is_separate_from(self.source),
            encryption: &Encryption { kms_key: self.carrying.kms_key.clone() },
            meter: &meter,
            uploads: self.uploads,
        };
        let (to_copy, bytes) = there.missing(plan)?;
        let work = copy(plan, there, &engine, purpose);
        match purpose {
            Purpose::Copy => {
                if to_copy > 0 {
                    let objects = if to_copy == 1 { "object" } else { "objects" };
                    let more = if plan.artifacts.may_grow() { ", and what else is listed meanwhile" } else { "" };
                    let (bytes, folder) = (HumanBytes(bytes), plan.layout.folder());
                    self.printer.say(&format!("copying {to_copy} {objects}, {bytes}{more}, to {folder}"));
                }
                progress::shown(work, &meter, self.printer).await
            }
            Purpose::Confirm | Purpose::Preview => work.await,
        }
    }
}
