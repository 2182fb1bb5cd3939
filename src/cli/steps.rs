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
use crate::aws::objects::{Encryption, TargetObjects};
use crate::aws::session::Identity;
use crate::copy::{Copied, Engine, Meter, OpenUploads, Preview, STALL, There, Tuning, confirm, copy, preview};
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::field::each_leaf;
use crate::model::layout::{Layout, TargetPrefix};
use crate::model::location::{BucketName, Location};
use crate::model::package::{Package, rfc3339};
use crate::plan::draft::{Carrying, Draft};
use crate::plan::inventory::inventory;
use crate::plan::{Plan, plan};
use crate::record::{Build, Conclusion, Record, Source, Target};
use crate::register::earlier::Own;
use crate::schema::references::references;
use crate::store::{Spooled, Spooling};

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

async fn read_all(mut from: impl AsyncRead + Unpin) -> Result<Spooled> {
    let (mut text, mut chunk) = (Spooling::default(), BytesMut::with_capacity(64 << 10));
    while from.read_buf(&mut chunk).await? > 0 {
        text.append(&chunk)?;
        chunk.clear();
    }
    Ok(text.end())
}

/// Stops when the package is no longer what the step before has seen.
pub fn refuse_change(package: &Package, before: &Record) -> Result<()> {
    let seen = before.source.package.as_ref().map(|package| package.fingerprint.as_str());
    ensure!(
        seen == Some(package.fingerprint().as_str()),
        "{} has changed since the step before; begin again with find-latest",
        package.arn()
    );
    Ok(())
}

/// Looks up the references of a package and makes the plan.
pub async fn make_plan(source: &SourceAccount, place: &Place, package: &Package, carrying: &Carrying) -> Result<Plan> {
    if let Some(key) = &carrying.kms_key {
        let region = place.group.region();
        ensure!(
            key.region() == region,
            "--kms-key-arn {key} is not of the target's region {region}; objects can only be encrypted with keys of \
             their own region. Give a key of {region}"
        );
    }
    let draft = Draft::of(package, place.group.name(), carrying)?;
    let references = references(&draft.request)?;
    let layout = place.layout(package.arn());
    let inventory = inventory(references, source.objects(), &layout).await?;
    plan(package, draft, inventory, &layout)
}

/// Looks at what is in the folder of a promotion already.
pub async fn look(target: &TargetAccount, place: &Place, source: &PackageArn) -> Result<There> {
    There::look(target.objects(), &place.layout(source)).await
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
    /// Brings every artifact to the target.
    pub async fn copy(&self, plan: Plan, there: There) -> Result<Copied> {
        let meter = Meter::default();
        let (target, encryption) = self.target();
        let (to_copy, bytes) = there.missing(&plan)?;
        if to_copy > 0 {
            let objects = if to_copy == 1 { "object" } else { "objects" };
            let (bytes, folder) = (HumanBytes(bytes), plan.layout.folder());
            self.printer.say(&format!("copying {to_copy} {objects}, {bytes}, to {folder}"));
        }
        let engine = self.engine(&target, &encryption, &meter);
        progress::shown(copy(plan, there, &engine), &meter, self.printer).await
    }

    /// Confirms that every artifact is at the target.
    pub async fn confirm(&self, plan: Plan, there: There) -> Result<Copied> {
        let (target, encryption) = self.target();
        confirm(plan, there, &self.engine(&target, &encryption, &Meter::default())).await
    }

    /// Says what would be copied.
    pub async fn preview(&self, plan: Plan, there: There) -> Result<Preview> {
        let (target, encryption) = self.target();
        preview(plan, there, &self.engine(&target, &encryption, &Meter::default())).await
    }

    fn target(&self) -> (TargetObjects, Encryption) {
        let patience = self.tuning.stall.as_secs_f64() / STALL.as_secs_f64();
        let target = self.target.objects().with_patience(patience);
        (target, Encryption { kms_key: self.carrying.kms_key.clone() })
    }

    fn engine<'a>(&'a self, target: &'a TargetObjects, encryption: &'a Encryption, meter: &'a Meter) -> Engine<'a> {
        Engine {
            source: self.source.objects(),
            target,
            tuning: self.tuning,
            separate_principals: self.target.is_separate_from(self.source),
            encryption,
            meter,
            uploads: self.uploads,
        }
    }
}
