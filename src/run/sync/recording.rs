//! Writes the record of a promotion whose run was killed before it, for a version that this run does not promote.

use anyhow::Result;

use super::by_metadata::ByMetadata;
use crate::copy::There;
use crate::model::approval::DecidedBy;
use crate::model::package::Package;
use crate::plan::Plan;
use crate::plan::provenance::marked;
use crate::plan::requested::requested;
use crate::record::Record;
use crate::register::decision::RecordedApproval;
use crate::register::existing::ExistingPromotions;
use crate::run::full::permitted::Permitted;
use crate::run::full::proved::Proved;
use crate::run::promotion::registering::LastSteps;
use crate::run::settings::RegistrationSettings;
use crate::schema::comparison::differences;

/// The promotion that a version without a record is of.
pub(super) struct PlannedAgain {
    /// The plan, with the request that the version was registered with.
    plan: Plan,
    there: There,
    existing: ExistingPromotions,
    /// The source version with the values of the request.
    package: Package,
}

impl ByMetadata<'_> {
    /// Compares the version with its source and its artifacts, and writes the record. Returns nothing if the version may
    /// not be that promotion, or if this run writes no such record.
    ///
    /// # Errors
    /// The artifacts cannot be compared with their sources.
    pub(super) async fn record_promotion(&self, package: &Package) -> Result<Option<Record>> {
        let promotion = self.promotion;
        if promotion.dry_run || !matches!(promotion.permitted, Permitted::Everything) {
            return Ok(None);
        }
        let Some(planned) = self.planned(package).await? else { return Ok(None) };
        let copied = promotion.confirm(planned.plan, planned.there).await?;
        let settings = RegistrationSettings { approval: self.policy.approval, ..RegistrationSettings::default() };
        let last_steps = LastSteps { promotion, settings: &settings, withdraw: self.policy.withdraw };
        // Only the record is missing. If the version is not Approved any more, somebody has decided meanwhile.
        let (status, description) = (self.promoted.approval(), self.promoted.approval_description());
        let description = description.map(str::to_owned);
        let approved = RecordedApproval { status, description, decided_by: DecidedBy::Source };
        last_steps.run(&planned.package, copied, planned.existing, Some(approved)).await.map(Some)
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
                plan.request = proved.request;
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
        Ok(Some(PlannedAgain { plan, there, existing, package }))
    }
}
