//! The last steps: what was planned and copied comes in, a registered version and its record go out.

use anyhow::{Context, Result, bail, ensure};

use super::output::Printer;
use super::settings::RegisterArgs;
use super::steps::{Clock, Place};
use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Attributes, Encryption};
use crate::promotion::accounts::{SourceAccount, TargetAccount};
use crate::promotion::arn::{GroupArn, PackageArn};
use crate::promotion::copies::Copies;
use crate::promotion::draft::Carrying;
use crate::promotion::earlier::{Earlier, Own};
use crate::promotion::location::Location;
use crate::promotion::package::Package;
use crate::promotion::plan::Plan;
use crate::promotion::record::{Conclusion, Record, Source};
use crate::promotion::registration::{NewGroup, register};

/// The largest record that is read back: 100,000 artifacts take about 50 MB.
const MAX_RECORD_BYTES: u64 = 256 << 20;

/// Registers a version and writes its record.
pub struct Registering<'a> {
    /// Where the version is registered.
    pub target: &'a TargetAccount,
    /// The group and the folder there.
    pub place: &'a Place,
    /// What encrypts the record.
    pub carrying: &'a Carrying,
    /// How the version is registered.
    pub settings: &'a RegisterArgs,
}

impl Registering<'_> {
    /// Registers the version in its group, which is there by now, and writes the record beside the artifacts.
    ///
    /// # Errors
    /// The version is not promoted. Once it is, what fails afterwards is a doubt in the record.
    pub async fn run(
        &self,
        package: &Package,
        plan: &Plan,
        copies: &Copies,
        earlier: Earlier,
        (clock, source): (&Clock, Source),
    ) -> Result<Record> {
        let (registry, group) = (self.target.registry(), self.place.group.name());
        let policy = self.settings.policy();
        let registration = register(registry, group, package, plan, copies, earlier, &policy).await?;
        let mut record = clock.record(Conclusion::of(&registration), source).with_plan(plan, copies)?;
        let registered = (&registration.arn, registration.approval.as_str());
        record.target = Some(self.place.target(package.arn(), Some(registered)));
        // The record says what was set, so it need not wait until that is read back.
        let (read_back, written) = tokio::join!(registration.read_back(registry), self.write(&record));
        let written =
            written.map_err(|error| format!("the record could not be written beside the artifacts: {error:#}"));
        if let (Some(approval), Some(target)) = (read_back.approval, &mut record.target) {
            target.approval_status = Some(approval);
        }
        let doubts: Vec<String> = read_back.doubt.into_iter().chain(written.err()).collect();
        record.doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        Ok(record)
    }

    async fn write(&self, record: &Record) -> Result<Location> {
        write_record(self.target, self.place, self.carrying, record).await
    }
}

/// Whether the target group has to be created: looked up early, created late.
///
/// # Errors
/// It is missing, and must not be created.
pub async fn is_missing(target: &TargetAccount, place: &Place, settings: &RegisterArgs) -> Result<bool> {
    let missing = target.registry().find_group(place.group.name()).await?.is_none();
    ensure!(
        !(missing && settings.no_create_group),
        "there is no group {}, and --no-create-group says not to create it. Create it, or leave the flag out",
        place.group
    );
    Ok(missing)
}

/// Creates the target group with the source group's description and tags.
pub async fn create_group(
    source: &SourceAccount,
    target: &TargetAccount,
    from: &GroupArn,
    place: &Place,
    settings: &RegisterArgs,
    printer: &Printer,
) -> Result<()> {
    let registry = source.registry();
    let (described, tags) = tokio::join!(registry.find_group(from), registry.group_tags(from));
    let description = readable(described, "description", printer)?.flatten();
    let description = description.as_ref().and_then(|group| group.get("ModelPackageGroupDescription")?.as_str());
    let tags = readable(tags, "tags", printer)?.unwrap_or_default();
    let new = NewGroup::of(description.map(str::to_owned), tags, &settings.group_tag);
    target.registry().create_group(place.group.name(), new.description.as_deref(), &new.tags).await?;
    Ok(())
}

/// A group without the source group's description or tags is better than no promotion, where the source does not
/// grant to read them; any other failure may pass.
fn readable<T>(read: Result<T, CallError>, what: &str, printer: &Printer) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind == Kind::Denied => {
            printer.say(&format!("the new group gets no {what} of the source group: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The record beside the artifacts, and the target version that it names, when that is there and finished.
pub async fn recorded(target: &TargetAccount, place: &Place, source: &PackageArn) -> Result<Option<(Record, Own)>> {
    let location = place.layout(source).record();
    let Some((text, _)) = target.objects().read(&location, MAX_RECORD_BYTES).await? else { return Ok(None) };
    let record = Record::parse(&text)
        .with_context(|| format!("{location} is not the record of a promotion; remove it, and run again"))?;
    let Some(arn) = record.target.as_ref().and_then(|target| target.model_package_arn.clone()) else { return Ok(None) };
    if !arn.is_of(&place.group) {
        return Ok(None);
    }
    match target.registry().describe(&arn).await {
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
async fn write_record(target: &TargetAccount, place: &Place, carrying: &Carrying, record: &Record) -> Result<Location> {
    let registered = record.target.as_ref().and_then(|target| target.version).unwrap_or_default();
    let source = record.source.package.as_ref().context("a record is about a version")?;
    let layout = place.layout(&source.model_package_arn);
    let (first, second) = (layout.record(), layout.later_record(registered));
    let attributes = Attributes { content_type: Some("application/json".into()), ..Attributes::default() };
    let text = bytes::Bytes::from(serde_json::to_vec_pretty(record)?);
    let objects = target.objects();
    let encryption = Encryption { kms_key: carrying.kms_key.clone() };
    for location in [&first, &second] {
        match objects.put_new(location, text.clone(), &attributes, &encryption, None).await {
            Ok(_) => return Ok(location.clone()),
            Err(error) if error.kind == Kind::PreconditionFailed => {
                // The same run, when the answer to its first attempt was lost, or another one at the same time.
                if names_version(target, location, record).await? {
                    return Ok(location.clone());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    bail!("{first} and {second} are records of other versions; remove what does not belong there")
}

async fn names_version(target: &TargetAccount, location: &Location, record: &Record) -> Result<bool> {
    let Some((text, _)) = target.objects().read(location, MAX_RECORD_BYTES).await? else { return Ok(false) };
    let named = |record: &Record| record.target.as_ref().and_then(|target| target.model_package_arn.clone());
    Ok(Record::parse(&text).is_ok_and(|there| named(&there) == named(record)))
}
