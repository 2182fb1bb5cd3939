//! Promotes a source version that no record describes as promoted and complete: plans, copies and registers it, or
//! completes the version that a killed run has registered.

use anyhow::Result;

use super::Full;
use super::permitted::Permitted;
use super::proved::Proved;
use crate::model::package::Package;
use crate::plan::add_new;
use crate::record::recorded::{Look, recorded};
use crate::record::{Conclusion, Record};
use crate::register::decision::RecordedApproval;
use crate::register::existing::ExistingPromotions;
use crate::register::is_overtaken;
use crate::run::promotion::derived::without_derived;
use crate::run::promotion::describe;
use crate::run::promotion::preview::preview;
use crate::run::promotion::registering::LastSteps;
use crate::run::promotion::target_group::{self, copy_and_create_group};
use crate::run::sync::by_metadata::{promoted_with_other_settings, sync_elsewhere};
use crate::run::sync::deleted::decided_before;
use crate::run::sync::unrecorded::second;

impl Full<'_> {
    /// Plans, copies and registers a version. If a killed run has registered it, and its request can be proved, completes
    /// and records it as it was requested, and then syncs it.
    pub(super) async fn plan_copy_register(
        &self,
        package: &Package,
        missing_group: bool,
        recorded: Option<RecordedApproval>,
    ) -> Result<Record> {
        let promotion = &self.promotion;
        let ((mut plan, folders), there, existing) = tokio::try_join!(
            target_group::plan(promotion, package, !missing_group),
            promotion.list_folder(package.arn()),
            ExistingPromotions::find(promotion.target.registry(), promotion.destination.group.name(), package),
        )?;
        let unlisted = promotion.refuse_held_elsewhere(folders).await?;
        let history = promotion.former_records(package, &there).await?;
        let existing = without_derived(existing, &history, &plan);
        let proved = Proved::of(&promotion.destination, package, &plan, &existing);
        if let Some(proved) = &proved {
            plan = proved.plan(promotion, plan).await?;
        } else if let Some(promoted) = promoted_with_other_settings(&promotion.destination, &plan, &existing) {
            let mut record = sync_elsewhere(promotion, self.approval_policy(), package, promoted).await?;
            self.warn(&mut record, promoted)?;
            let others = existing.besides(&promoted.arn);
            add_new(&mut record.warnings, others.filter_map(|one| second(one, package.arn(), &promoted.arn)));
            add_new(&mut record.warnings, unlisted);
            return Ok(record);
        }
        plan.warnings.extend(unlisted);
        let before = (recorded, self.settings.is_approved_by_name());
        let (recorded, existing) = decided_before(package, &history, existing, before);
        add_new(&mut plan.warnings, promotion.refuse_held_completion(&existing).await?);
        let (state, registration) = (plan.target_group.unwrap_or_default(), &self.settings.registration);
        let (destination, source) = (&promotion.destination, &promotion.group);
        target_group::refuse_others(state, destination, source, registration, there.was_claimed())?;
        promotion.permitted.check_plan(&plan)?;
        if promotion.dry_run {
            let unplanned = proved.as_ref().and_then(|proved| proved.not_planned(existing.current()?));
            plan.warnings.extend(unplanned);
            let (settings, policy) = (&self.settings.copy, self.approval_policy());
            let registry = (&existing, recorded, missing_group);
            return preview(promotion, (settings, policy), package, (plan, there), registry).await;
        }
        let copied = copy_and_create_group(promotion, self.settings, (plan, there), missing_group).await?;
        let (settings, withdraw) = (&self.settings.registration, self.approval_policy().withdraw);
        let last_steps = LastSteps { promotion, settings, withdraw };
        let registered = proved.as_ref().map_or(package, |proved| &proved.package);
        match last_steps.run(registered, copied, existing, recorded).await {
            Ok(record) if proved.is_some() => self.sync_proved(package, record).await,
            Ok(record) => Ok(record),
            Err(error) if is_overtaken(&error) => self.sync_overtaken(package).await.ok().flatten().ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Syncs a version that another run may have recorded and synced meanwhile, with a source that has changed since this
    /// run has described it.
    async fn sync_overtaken(&self, package: &Package) -> Result<Option<Record>> {
        let now = describe(self.promotion.source, package.arn()).await?;
        self.sync_recorded(&now).await
    }

    /// Syncs a version that was just recorded as it was requested. A reviewed plan does not have that Update: the next run
    /// sends it.
    async fn sync_proved(&self, package: &Package, registered: Record) -> Result<Record> {
        if registered.unconfirmed.is_some() {
            return Ok(registered);
        }
        let Some(mut record) = self.sync_recorded(package).await? else { return Ok(registered) };
        if registered.outcome != Conclusion::AlreadyPromoted {
            record.outcome = registered.outcome;
        }
        add_new(&mut record.warnings, registered.warnings);
        Ok(record)
    }

    /// Syncs the promotion of a version if it has a record, unless the run carries out a reviewed plan.
    async fn sync_recorded(&self, package: &Package) -> Result<Option<Record>> {
        let (target, destination) = (self.promotion.target, &self.promotion.destination);
        if !matches!(self.promotion.permitted, Permitted::Everything) {
            return Ok(None);
        }
        match recorded(target, destination, package.arn(), Look::AtRecords).await? {
            Some(recorded) => self.sync(package, destination, recorded).await,
            None => Ok(None),
        }
    }
}
