//! `promote full`: promotes the latest Approved version of a group, syncs it later, and withdraws rejected versions.

use std::sync::Arc;

use anyhow::{Error, Result};
use futures_util::future::{BoxFuture, FutureExt, Shared, TryFutureExt};

use super::context::Context;
use super::event::Event;
use super::find_latest::none_approved;
use super::promotion::{Promotion, planned};
use super::registering::Registering;
use super::report::RunReport;
use super::settings::FullSettings;
use super::sync::Syncing;
use super::target_group::{create_group, is_missing};
use super::withdraw::WithdrawnVersions;
use crate::aws::accounts::{SourceAccount, callers};
use crate::aws::registry::Summary;
use crate::copy::{Copied, There};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::GroupArn;
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::Plan;
use crate::plan::find::{Latest, Search};
use crate::record::history::{History, recorded};
use crate::record::signing::Signer;
use crate::record::{Conclusion, Record, Target};
use crate::register::existing::ExistingPromotions;
use crate::schema::comparison::differences;

/// Promotes the latest Approved version of a group, and withdraws promoted versions whose source is Rejected.
///
/// # Errors
/// The version could not be promoted, or a promoted version could not be withdrawn. A version that was registered before
/// the error is complete or pending approval.
pub async fn full(context: &Context, settings: &FullSettings) -> Result<RunReport> {
    let started = context.clock.start();
    let (source, target) = context.accounts().await?;
    let group = source.group(&settings.selection.group).await?;
    let (callers, signer, latest, rejected) = tokio::join!(
        callers(source, target, group.account()),
        Signer::open(target, settings.registration.sign_key.as_ref()),
        settings.selection.find(source, &group),
        rejected(settings, source, &group)
    );
    let ((reader, writer), signer, search, rejected) = (callers?, signer?, latest?, rejected?);
    let promotion = Promotion {
        context,
        started,
        source,
        target,
        destination: settings.destination.of(&group, &writer)?,
        group,
        overrides: &settings.overrides,
        reader: reader.arn,
        signer,
        uploads: context.new_uploads(),
        dry_run: settings.dry_run,
    };
    let full = Full { promotion, settings };
    full.promote_and_withdraw(search, &rejected).await.map(RunReport::from)
}

/// The rejected versions of the source; none if promoted versions are not to be withdrawn.
async fn rejected(settings: &FullSettings, source: &SourceAccount, group: &GroupArn) -> Result<Vec<Summary>> {
    match settings.keep_rejected {
        true => Ok(Vec::new()),
        false => Ok(source.registry().list(group, Some(ApprovalStatus::Rejected)).await?),
    }
}

struct Full<'a> {
    promotion: Promotion<'a>,
    settings: &'a FullSettings,
}

/// The withdrawals, which run concurrently with the promotion. The record of the promotion waits for their result.
type Withdrawing<'a> = Shared<BoxFuture<'a, Result<WithdrawnVersions, Arc<Error>>>>;

impl Full<'_> {
    /// Runs the promotion and the withdrawals concurrently. A failure of one does not stop the other.
    async fn promote_and_withdraw(&self, search: Search, rejected: &[Summary]) -> Result<Record> {
        let Search { latest, listed, passed_over } = &search;
        let withdrawing = self.withdraw(listed, rejected).map_err(Arc::new).boxed().shared();
        let (promoted, withdrawn) = tokio::join!(self.promote_latest(latest, withdrawing.clone()), withdrawing);
        if let (Err(first), Err(error)) = (&promoted, &withdrawn)
            && format!("{first:#}") != format!("{error:#}")
        {
            self.promotion.context.notice(Event::WithdrawalFailed(error));
        }
        let mut record = promoted?;
        let withdrawn = withdrawn.map_err(Failure::from)?;
        record.withdrawn = withdrawn.versions;
        record.warnings.extend(passed_over.iter().cloned().chain(withdrawn.warnings));
        let unconfirmed: Vec<String> = record.unconfirmed.take().into_iter().chain(withdrawn.unconfirmed).collect();
        record.unconfirmed = (!unconfirmed.is_empty()).then(|| unconfirmed.join("; "));
        Ok(record)
    }

    async fn withdraw(&self, approved: &[Summary], rejected: &[Summary]) -> Result<WithdrawnVersions> {
        match self.settings.keep_rejected {
            true => Ok(WithdrawnVersions::default()),
            false => self.promotion.withdraw(approved, rejected).await,
        }
    }

    async fn promote_latest(&self, latest: &Latest, withdrawing: Withdrawing<'_>) -> Result<Record> {
        match latest {
            Latest::Version(found) => self.promote(found, withdrawing).await,
            Latest::NoneApproved(versions) => {
                let promotion = &self.promotion;
                let source = none_approved(&promotion.group, Some(promotion.reader.clone()));
                let mut record = promotion.record_of(Conclusion::NothingApproved, source);
                record.versions = Some(versions.0.clone());
                Ok(record)
            }
        }
    }

    /// Syncs a version that was promoted before; otherwise plans, copies and registers it.
    async fn promote(&self, found: &Summary, withdrawing: Withdrawing<'_>) -> Result<Record> {
        let promotion = &self.promotion;
        let (target, destination) = (promotion.target, &promotion.destination);
        let (package, recorded, missing) = tokio::join!(
            promotion.describe(&found.arn, &self.settings.registration),
            recorded(target, destination, &found.arn),
            is_missing(target, destination, &self.settings.registration),
        );
        let (package, recorded) = (package?, recorded?);
        self.settings.selection.check_approval(&package.approval(), found)?;
        if let Some((before, promoted)) = recorded
            && promoted.is_complete()
            && let Some(record) = self.sync(&package, destination, &before, &promoted).await?
        {
            return Ok(record);
        }
        self.plan_copy_register(&package, missing?, withdrawing).await
    }

    /// Syncs a promoted version with its source. Returns nothing if artifacts have to be copied first.
    async fn sync(
        &self,
        package: &Package,
        destination: &Destination,
        before: &History,
        promoted: &PromotedVersion,
    ) -> Result<Option<Record>> {
        let approval = self.settings.registration.approval;
        let syncing = Syncing { promotion: &self.promotion, destination, approval };
        syncing.run(package, before, promoted).await
    }

    async fn plan_copy_register(
        &self,
        package: &Package,
        missing_group: bool,
        withdrawing: Withdrawing<'_>,
    ) -> Result<Record> {
        let promotion = &self.promotion;
        let (plan, there, existing) = tokio::try_join!(
            promotion.plan(package),
            promotion.list_folder(package.arn()),
            ExistingPromotions::find(promotion.target.registry(), promotion.destination.group.name(), package),
        )?;
        if let Some(promoted) = promoted_with_other_settings(&plan, &existing) {
            return self.sync_elsewhere(package, promoted).await;
        }
        if promotion.dry_run {
            return self.preview(package, plan, there, &existing).await;
        }
        let copied = self.copy_and_create_group(plan, there, missing_group).await?;
        let withdrawn = async {
            let withdrawn = withdrawing.await.map_err(Failure::from)?;
            Ok(withdrawn.versions)
        };
        let registering = Registering { promotion, settings: &self.settings.registration };
        registering.run(package, copied, existing, withdrawn).await
    }

    /// Copies the artifacts and creates the group concurrently. Nothing is registered before both are done.
    async fn copy_and_create_group(&self, plan: Plan, there: There, missing_group: bool) -> Result<Copied> {
        let promotion = &self.promotion;
        let creating = async {
            match missing_group {
                true => create_group(promotion, &self.settings.registration).await,
                false => Ok(()),
            }
        };
        let copying = promotion.copy(&self.settings.copy, plan, there);
        let done = tokio::try_join!(copying, creating);
        if done.is_err() {
            promotion.context.abort_run(&promotion.uploads).await;
        }
        Ok(done?.0)
    }

    async fn preview(
        &self,
        package: &Package,
        plan: Plan,
        there: There,
        existing: &ExistingPromotions,
    ) -> Result<Record> {
        let promotion = &self.promotion;
        let preview = promotion.preview(&self.settings.copy, plan, there).await?;
        let current = existing.current();
        let mut record = promotion.record(planned(current), package).with_preview(&preview)?;
        let registered = current.map(|current| (&current.arn, current.approval()));
        record.target = Some(Target::of(&promotion.destination, package.arn(), registered));
        Ok(record)
    }

    /// Syncs a version that was promoted to another bucket or prefix. Nothing is copied again.
    async fn sync_elsewhere(&self, package: &Package, promoted: &PromotedVersion) -> Result<Record> {
        let promotion = &self.promotion;
        promotion.context.notice(Event::PromotedWithOtherSettings(&promoted.arn));
        let destination = promotion.destination.of(promoted, package.arn());
        let destination = destination.unwrap_or_else(|| promotion.destination.clone());
        if let Some((before, promoted)) = recorded(promotion.target, &destination, package.arn()).await?
            && let Some(record) = self.sync(package, &destination, &before, &promoted).await?
        {
            return Ok(record);
        }
        let mut record = promotion.record(Conclusion::AlreadyPromoted, package);
        let registered = Some((&promoted.arn, promoted.approval()));
        record.target = Some(Target::of(&destination, package.arn(), registered));
        Ok(record)
    }
}

/// The current promotion of the version, if its request differs from the plan's.
fn promoted_with_other_settings<'a>(plan: &Plan, existing: &'a ExistingPromotions) -> Option<&'a PromotedVersion> {
    let current = existing.current().filter(|current| current.is_settled())?;
    (!differences(&plan.request, &current.description).is_empty()).then_some(current)
}
