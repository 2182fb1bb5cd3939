//! The last steps: what was planned and copied comes in, a registered version and its record go out.

use anyhow::{Result, ensure};

use super::output::Printer;
use super::records::Records;
use super::settings::RegisterArgs;
use super::signing::Signer;
use super::steps::{Clock, Place};
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::error::{CallError, Kind};
use crate::copy::Copied;
use crate::model::arn::GroupArn;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::plan::draft::Carrying;
use crate::record::{Conclusion, Record, Source, Withdrawn};
use crate::register::earlier::Earlier;
use crate::register::{NewGroup, Registration, register};

/// Registers a version and writes its record.
pub struct Registering<'a> {
    /// Where the version comes from.
    pub source: &'a SourceAccount,
    /// Where the version is registered.
    pub target: &'a TargetAccount,
    /// The group and the folder there.
    pub place: &'a Place,
    /// What encrypts the record.
    pub carrying: &'a Carrying,
    /// How the version is registered.
    pub settings: &'a RegisterArgs,
    /// What signs its record.
    pub signer: Option<&'a Signer>,
}

impl Registering<'_> {
    /// Registers the version in its group, which is there by now, and writes the record beside the artifacts.
    ///
    /// `withdrawn` is what the same run takes back meanwhile; the record waits for it.
    ///
    /// # Errors
    /// The version is not promoted, or something could not be withdrawn. Once it is promoted, what fails afterwards is a
    /// doubt in the record.
    pub async fn run(
        &self,
        package: &Package,
        copied: &Copied,
        earlier: Earlier,
        (clock, source): (&Clock, Source),
        withdrawn: impl Future<Output = Result<Vec<Withdrawn>>>,
    ) -> Result<Record> {
        let (registry, group) = (self.target.registry(), self.place.group.name());
        let policy = self.settings.policy();
        let registries = (self.source.registry(), registry);
        let registration = register(registries, group, package, copied, earlier, &policy).await?;
        let mut record = clock.record(Conclusion::of(&registration), source).with_copied(copied)?;
        let registered = (&registration.arn, registration.approval.as_str());
        record.target = Some(self.place.target(package.arn(), Some(registered)));
        record.withdrawn = withdrawn.await?;
        // The record says what was set, so it need not wait until that is read back.
        let (read_back, written) =
            tokio::join!(registration.read_back(registry), self.write(&record, &registration, clock));
        let written =
            written.map_err(|error| format!("the record could not be written beside the artifacts: {error:#}"));
        if let (Some(approval), Some(target)) = (read_back.approval, &mut record.target) {
            target.approval_status = Some(approval);
        }
        let doubts: Vec<String> = read_back.doubt.into_iter().chain(written.err()).collect();
        record.doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        Ok(record)
    }

    async fn write(&self, record: &Record, registration: &Registration, clock: &Clock) -> Result<Location> {
        let (target, place, kms_key) = (self.target, self.place, self.carrying.kms_key.as_ref());
        let records = Records { target, place, kms_key, signer: self.signer };
        if registration.reapproved { records.append(record, clock).await } else { records.write(record).await }
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
