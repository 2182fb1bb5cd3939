//! The steps that verbs are made of, with what they say meanwhile. Each takes the type of the step before.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use aws_smithy_types::DateTime;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::output::Printer;
use super::progress;
use super::settings::RegisterArgs;
use crate::aws::error::Kind;
use crate::aws::objects::{Attributes, Encryption};
use crate::aws::session::Identity;
use crate::promotion::accounts::{SourceAccount, TargetAccount};
use crate::promotion::arn::{GroupArn, PackageArn};
use crate::promotion::copies::{Copies, CopyMode, Engine, Purpose, copy};
use crate::promotion::draft::{Carrying, Draft};
use crate::promotion::earlier::{Earlier, Own};
use crate::promotion::inventory::inventory;
use crate::promotion::layout::{Layout, TargetPrefix};
use crate::promotion::location::{BucketName, Location};
use crate::promotion::meter::Meter;
use crate::promotion::package::Package;
use crate::promotion::plan::{Plan, plan};
use crate::promotion::record::{Build, Conclusion, Record, Source, Target};
use crate::promotion::references::references;
use crate::promotion::registration::{NewGroup, Registration, register};
use crate::promotion::uploads::OpenUploads;

/// The largest record that is read back: 100,000 artifacts take about 50 MB.
const MAX_RECORD_BYTES: u64 = 256 << 20;

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
        record.build = std::env::var("CODEBUILD_BUILD_ARN")
            .ok()
            .map(|arn| Build { arn, initiator: std::env::var("CODEBUILD_INITIATOR").ok() });
        record
    }
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
    let description = source.session().registry().describe(package).await?;
    Package::from_description(package, description)
}

/// Reads the document of the step before.
pub async fn read_document(from: &Path) -> Result<Record> {
    let mut text = Vec::new();
    let (name, read) = if from == Path::new("-") {
        ("standard input".to_owned(), tokio::io::stdin().read_to_end(&mut text).await)
    } else {
        let read = tokio::fs::File::open(from).await;
        let name = from.display().to_string();
        match read {
            Ok(mut file) => (name, file.read_to_end(&mut text).await),
            Err(error) => (name, Err(error)),
        }
    };
    read.with_context(|| format!("reading {name}"))?;
    Record::parse(&text).with_context(|| format!("{name} is not the document of a step before"))
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

/// What becomes of a package: the references are looked up, the plan is made.
pub async fn make_plan(source: &SourceAccount, place: &Place, package: &Package, carrying: &Carrying) -> Result<Plan> {
    let draft = Draft::of(package, place.group.name(), carrying)?;
    let references = references(&draft.request)?;
    let found = inventory(references, &source.session().objects()).await?;
    plan(package, draft, &found, &place.layout(package.arn()))
}

/// Copies, confirms or previews the artifacts of a plan.
pub struct Copying<'a> {
    /// Reads the source.
    pub source: &'a SourceAccount,
    /// Writes the target.
    pub target: &'a TargetAccount,
    /// Who moves the bytes.
    pub mode: CopyMode,
    /// What encrypts the target.
    pub carrying: &'a Carrying,
    /// Uploads to abort on an interruption.
    pub uploads: &'a OpenUploads,
    /// Where progress is shown.
    pub printer: &'a Printer,
}

impl Copying<'_> {
    /// Runs the engine for a purpose.
    pub async fn run(&self, plan: &Plan, purpose: Purpose) -> Result<Copies> {
        let meter = Meter::default();
        let engine = Engine {
            source: &self.source.session().objects(),
            target: &self.target.session().objects(),
            mode: self.mode,
            separate_principals: self.target.is_separate_from(self.source),
            encryption: &Encryption { kms_key: self.carrying.kms_key.clone() },
            meter: &meter,
            uploads: self.uploads,
        };
        let work = copy(plan, &engine, purpose);
        match purpose {
            Purpose::Copy => progress::shown(work, &meter, self.printer).await,
            Purpose::Confirm | Purpose::Preview => work.await,
        }
    }
}

/// The target group, if it has to be created: looked up early, created late.
pub async fn missing_group(
    source: &SourceAccount,
    target: &TargetAccount,
    from: &GroupArn,
    place: &Place,
    settings: &RegisterArgs,
    printer: &Printer,
) -> Result<Option<NewGroup>> {
    if target.session().registry().find_group(place.group.name()).await?.is_some() {
        return Ok(None);
    }
    ensure!(
        !settings.no_create_group,
        "there is no group {}, and --no-create-group says not to create it. Create it, or leave the flag out",
        place.group
    );
    let registry = source.session().registry();
    let (described, tags) = tokio::join!(registry.find_group(from), registry.group_tags(from));
    let description = match described {
        Ok(group) => {
            group.and_then(|g| g.get("ModelPackageGroupDescription").and_then(Value::as_str).map(str::to_owned))
        }
        Err(error) => {
            printer.say(&format!("the new group gets no description: {error}"));
            None
        }
    };
    let tags = tags.unwrap_or_else(|error| {
        printer.say(&format!("the new group gets no tags of the source group: {error}"));
        Vec::new()
    });
    Ok(Some(NewGroup::of(description, tags, &settings.group_tag)))
}

/// Creates the group if it is missing, and registers the package.
pub async fn register_package(
    target: &TargetAccount,
    place: &Place,
    package: &Package,
    plan: &Plan,
    copies: &Copies,
    (earlier, missing): (Earlier, Option<NewGroup>),
    settings: &RegisterArgs,
) -> Result<Registration> {
    let registry = target.session().registry();
    if let Some(group) = missing {
        registry.create_group(place.group.name(), group.description.as_deref(), &group.tags).await?;
    }
    register(&registry, place.group.name(), package, plan, copies, earlier, &settings.policy()).await
}

/// The record beside the artifacts, and the target version that it names, when that is there and finished.
pub async fn recorded(target: &TargetAccount, place: &Place, source: &PackageArn) -> Result<Option<(Record, Own)>> {
    let session = target.session();
    let location = place.layout(source).record();
    let Some((text, _)) = session.objects().read(&location, MAX_RECORD_BYTES).await? else { return Ok(None) };
    let record = Record::parse(&text).with_context(|| format!("{location} is not the record of a promotion"))?;
    let Some(arn) = record.target.as_ref().and_then(|target| target.model_package_arn.clone()) else { return Ok(None) };
    if !arn.is_of(&place.group) {
        return Ok(None);
    }
    match session.registry().describe(&arn).await {
        Ok(description) => {
            let own = Own { arn, description };
            Ok((own.is_copy_of(source) && !own.is_given_up()).then_some((record, own)))
        }
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts the record beside the artifacts. A record that is there is never overwritten: it is of a version that was
/// removed since, or of a run at the same time.
pub async fn write_record(
    target: &TargetAccount,
    place: &Place,
    carrying: &Carrying,
    record: &Record,
) -> Result<Location> {
    let registered = record.target.as_ref().and_then(|target| target.version).unwrap_or_default();
    let source = record.source.package.as_ref().context("a record is about a version")?;
    let layout = place.layout(&source.model_package_arn);
    let (first, second) = (layout.record(), layout.later_record(registered));
    let attributes = Attributes { content_type: Some("application/json".into()), ..Attributes::default() };
    let text = bytes::Bytes::from(serde_json::to_vec_pretty(record)?);
    let objects = target.session().objects();
    let encryption = Encryption { kms_key: carrying.kms_key.clone() };
    for location in [&first, &second] {
        match objects.put_new(location, text.clone(), &attributes, &encryption).await {
            Ok(_) => return Ok(location.clone()),
            Err(error) if error.kind == Kind::PreconditionFailed => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(second)
}
