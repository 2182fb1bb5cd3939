//! Writes the record of a promotion whose run was killed before it, for a version that this run does not promote.

use anyhow::Result;

use super::by_metadata::{ByMetadata, SyncRecord};
use super::unrecorded::second;
use crate::copy::There;
use crate::model::approval::DecidedBy;
use crate::model::package::Package;
use crate::plan::provenance::marked;
use crate::plan::requested::requested;
use crate::plan::{Plan, Warning};
use crate::record::Record;
use crate::record::history::History;
use crate::register::decision::RecordedApproval;
use crate::register::existing::ExistingPromotions;
use crate::register::is_overtaken;
use crate::run::full::permitted::Permitted;
use crate::run::full::proved::Proved;
use crate::run::promotion::derived::without_derived;
use crate::run::promotion::registering::LastSteps;
use crate::run::settings::RegistrationSettings;
use crate::schema::comparison::differences;

/// The promotion that a version without a record is of.
pub(super) struct PlannedAgain {
    /// The plan, with the request that the version was registered with.
    plan: Plan,
    there: There,
    /// The source version with the values of the request.
    package: Package,
}

/// What became of the record of a version.
enum LateRecord {
    Written(Box<Record>),
    /// Another version is the promotion. A warning names this one if it may be served.
    Second(Option<Warning>),
    /// No record: it is not certain that the version is this promotion, or the run is a dry run or only withdraws.
    Nothing,
}

impl ByMetadata<'_> {
    /// Writes the record of an Approved version, or warns that it has none.
    pub(super) async fn record_served(&self, package: &Package, history: &History) -> (SyncRecord, Vec<Warning>) {
        let remark = format!(
            "it is Approved and has no record, so it is neither compared nor synced; {} to write the record",
            self.command(package)
        );
        let remark = match self.record_promotion(package, history).await {
            Ok(LateRecord::Written(record)) => {
                let discarded = record.warnings.iter().filter(|warning| !warning.is_about_field()).cloned().collect();
                let recorded = record.unconfirmed.is_none();
                return (Some((*record, recorded)), discarded);
            }
            Ok(LateRecord::Second(warning)) => return (None, warning.into_iter().collect()),
            Ok(LateRecord::Nothing) => remark,
            Err(error) if is_overtaken(&error) => return (None, Vec::new()),
            Err(error) => format!("{remark}: {error:#}"),
        };
        (None, vec![Warning { field: self.promoted.arn.to_string(), remark }])
    }

    /// Compares the version with its source and its artifacts, and writes the record. Discards further versions of the
    /// same request.
    ///
    /// # Errors
    /// The artifacts cannot be compared with their sources.
    async fn record_promotion(&self, package: &Package, history: &History) -> Result<LateRecord> {
        let promotion = self.promotion;
        let Some(planned) = self.planned(package).await? else { return Ok(LateRecord::Nothing) };
        let (registry, group) = (promotion.target.registry(), promotion.destination.group.name());
        let existing = ExistingPromotions::find(registry, group, package).await?;
        let existing = without_derived(existing, history, &planned.plan);
        match existing.current() {
            Some(first) if first.arn == self.promoted.arn => {}
            Some(first) => return Ok(LateRecord::Second(second(self.promoted, package.arn(), &first.arn))),
            None => return Ok(LateRecord::Nothing),
        }
        if promotion.dry_run || !matches!(promotion.permitted, Permitted::Everything) {
            return Ok(LateRecord::Nothing);
        }
        let copied = promotion.confirm(planned.plan, planned.there).await?;
        let settings = RegistrationSettings { approval: self.policy.approval, ..RegistrationSettings::default() };
        let last_steps = LastSteps { promotion, settings: &settings, withdraw: self.policy.withdraw };
        // Only the record is missing. If the version is not Approved any more, somebody has decided meanwhile.
        let (status, description) = (self.promoted.approval(), self.promoted.approval_description());
        let description = description.map(str::to_owned);
        let approved = RecordedApproval { status, description, decided_by: DecidedBy::Source };
        let record = last_steps.run(&planned.package, copied, existing, Some(approved)).await?;
        Ok(LateRecord::Written(Box::new(record)))
    }

    /// Plans the promotion of the source version again. Nothing if the version is not that promotion.
    ///
    /// # Errors
    /// The source version or its artifacts cannot be read, or cannot be promoted any more.
    pub(super) async fn planned(&self, package: &Package) -> Result<Option<PlannedAgain>> {
        let (promotion, source) = (self.promotion, package.arn());
        let is_here = self.destination.layout(source) == promotion.destination.layout(source);
        if !self.is_in_folder || !is_here {
            return Ok(None);
        }
        let (mut plan, there) = tokio::try_join!(promotion.plan(package), promotion.list_folder(source))?;
        let existing = ExistingPromotions::of(self.promoted.clone());
        let description = &self.promoted.description;
        let package = match Proved::of(&promotion.destination, package, &plan, &existing) {
            Some(proved) => {
                plan = proved.plan(promotion, plan).await?;
                proved.package
            }
            None if differences(&plan.request, description).is_empty() => {
                let own = (marked(description) == marked(&plan.request)).then(|| plan.request.clone());
                let Some(request) = own.or_else(|| requested(description)) else { return Ok(None) };
                plan.request = request;
                package.clone()
            }
            None => return Ok(None),
        };
        Ok(Some(PlannedAgain { plan, there, package }))
    }
}
