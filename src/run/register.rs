//! `promote register`: registers a version whose artifacts were copied.

use std::sync::Arc;

use anyhow::Result;

use super::context::Context;
use super::event::Event;
use super::full::held::as_held;
use super::full::permitted::Permitted;
use super::promotion::derived::without_derived;
use super::promotion::other_places::OtherPlaces;
use super::promotion::preview::{preview, preview_of_copied};
use super::promotion::registering::LastSteps;
use super::promotion::source_version::completed_unchanged;
use super::promotion::target_group::{self, create_group, is_missing, refuse_others};
use super::promotion::{Promotion, source_group};
use super::report::RunReport;
use super::settings::CopySettings;
use super::step_settings::RegisterSettings;
use super::sync::deleted::decided_before;
use super::sync::followed::FollowedVersions;
use crate::aws::accounts::callers;
use crate::copy::Holds;
use crate::model::approval::Approval;
use crate::model::hold::Held;
use crate::model::package::Package;
use crate::plan::add_new;
use crate::record::Record;
use crate::record::recorded::{Look, Recorded, recorded};
use crate::record::signing::Signer;
use crate::register::existing::ExistingPromotions;

/// Registers a version whose artifacts were copied. If the group is held meanwhile, runs once more, which reports the rest.
///
/// # Errors
/// An artifact is missing in the target, or the version could not be registered.
pub async fn register(context: &Context, settings: &RegisterSettings) -> Result<RunReport> {
    let elsewhere = Arc::default();
    match run_once(context, settings, &elsewhere).await {
        Err(error) if Held::of(&error).is_some() => run_once(context, settings, &elsewhere).await,
        done => done,
    }
}

async fn run_once(context: &Context, settings: &RegisterSettings, elsewhere: &Arc<OtherPlaces>) -> Result<RunReport> {
    let started = context.clock.start();
    context.notice(Event::Found(&settings.version.arn));
    let (source, target) = context.accounts().await?;
    let (callers, signer, package) = tokio::join!(
        callers(source, target, settings.version.arn.account()),
        Signer::open(target, settings.registration.sign_key.as_ref()),
        completed_unchanged(context, source, &settings.version, settings.registration.wait_seconds)
    );
    let ((reader, writer), signer, package) = (callers?, signer?, package?);
    let group = source_group(&package);
    let mut promotion = Promotion {
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
        permitted: Permitted::Everything,
        reviewed: None,
        elsewhere: Some(Arc::clone(elsewhere)),
    };
    let hold = Holds::first(&promotion.all_holds()).await?;
    if let Some(hold) = &hold {
        context.notice(Event::Held(hold));
        promotion.dry_run = true;
        promotion.elsewhere = None;
    }
    let report = plan_and_register(&promotion, settings, &package).await?.into();
    Ok(match hold {
        Some(hold) => as_held(report, hold, FollowedVersions::default(), settings.dry_run),
        None => report,
    })
}

async fn plan_and_register(
    promotion: &Promotion<'_>,
    settings: &RegisterSettings,
    package: &Package,
) -> Result<Record> {
    let (target, destination, registration) = (promotion.target, &promotion.destination, &settings.registration);
    let (mut plan, there, existing, missing_group, recorded) = tokio::try_join!(
        promotion.plan(package),
        promotion.list_folder(package.arn()),
        ExistingPromotions::find(target.registry(), destination.group.name(), package),
        is_missing(target, destination, registration),
        recorded(target, destination, package.arn(), Look::AtRecords),
    )?;
    if let Some(Recorded { history, promoted, .. }) = &recorded
        && let Some(another) = history.another_source(promoted, package)
    {
        return Err(another.error().into());
    }
    let approval = recorded.as_ref().and_then(Recorded::approval);
    let (history, promoted) = match recorded {
        Some(Recorded { history, promoted, .. }) => (history, Some(promoted)),
        None => (promotion.former_records(package, &there).await?, None),
    };
    let existing = without_derived(existing, &history, &plan).with_recorded(promoted);
    let before = (approval, registration.approval == Some(Approval::Carry));
    let (approval, existing) = decided_before(package, &history, existing, before);
    let (state, folders) = target_group::look(target, destination, &promotion.group, !missing_group).await?;
    plan.warnings.extend(promotion.refuse_held_elsewhere(folders).await?);
    add_new(&mut plan.warnings, promotion.refuse_held_completion(&existing).await?);
    refuse_others(state, destination, &promotion.group, registration, there.was_claimed())?;
    plan.target_group = Some(state);
    if promotion.dry_run {
        let (policy, registry) = (registration.policy(None, true).approvals, (&existing, approval, missing_group));
        return match settings.is_planned {
            true => preview(promotion, (&CopySettings::default(), policy), package, (plan, there), registry).await,
            false => preview_of_copied(promotion, policy, package, (plan, there), registry).await,
        };
    }
    let copied = promotion.confirm(plan, there).await?;
    if missing_group {
        create_group(promotion, registration).await?;
    }
    let last_steps = LastSteps { promotion, settings: registration, withdraw: true };
    last_steps.run(package, copied, existing, approval).await
}
