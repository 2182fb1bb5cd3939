//! `promote register`: registers a version whose artifacts were copied.

use anyhow::Result;

use super::context::Context;
use super::event::Event;
use super::followed::FollowedVersions;
use super::held::as_held;
use super::permitted::Permitted;
use super::planned::planned_writes;
use super::promotion::{Promotion, describe_unchanged, planned, source_group};
use super::registering::LastSteps;
use super::report::RunReport;
use super::settings::{CopySettings, RegisterSettings};
use super::target_group::{self, create_group, is_missing, refuse_others};
use crate::aws::accounts::callers;
use crate::model::hold::Held;
use crate::record::Target;
use crate::record::history::{Look, Recorded, recorded};
use crate::record::signing::Signer;
use crate::register::decision::RecordedApproval;
use crate::register::existing::ExistingPromotions;

/// Registers a version whose artifacts were copied. If the group is held meanwhile, runs once more, which reports the rest.
///
/// # Errors
/// An artifact is missing in the target, or the version could not be registered.
pub async fn register(context: &Context, settings: &RegisterSettings) -> Result<RunReport> {
    match run_once(context, settings).await {
        Err(error) if Held::of(&error).is_some() => run_once(context, settings).await,
        done => done,
    }
}

async fn run_once(context: &Context, settings: &RegisterSettings) -> Result<RunReport> {
    let started = context.clock.start();
    context.notice(Event::Found(&settings.version.arn));
    let (source, target) = context.accounts().await?;
    let (callers, signer, package) = tokio::join!(
        callers(source, target, settings.version.arn.account()),
        Signer::open(target, settings.registration.sign_key.as_ref()),
        describe_unchanged(source, &settings.version)
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
    };
    let hold = promotion.holds().now().await?;
    if let Some(hold) = &hold {
        context.notice(Event::Held(hold));
        promotion.dry_run = true;
    }
    let destination = &promotion.destination;
    let (mut plan, there, existing, missing_group, recorded) = tokio::try_join!(
        promotion.plan(&package),
        promotion.list_folder(package.arn()),
        ExistingPromotions::find(target.registry(), destination.group.name(), &package),
        is_missing(target, destination, &settings.registration),
        recorded(target, destination, package.arn(), Look::AtRecords),
    )?;
    let approval = recorded.as_ref().and_then(Recorded::approval);
    let existing = existing.with_recorded(recorded.map(|recorded| recorded.promoted));
    let recorded = approval;
    plan.target_group = Some(target_group::look(&promotion, !missing_group).await?);
    refuse_others(&plan, &promotion, &settings.registration, &there)?;
    if promotion.dry_run {
        let recorded = recorded.or_else(|| RecordedApproval::claimed(there.claim()));
        let current = existing.current();
        let record = promotion.record(planned(current), &package);
        let (mut record, images) = match settings.is_planned {
            true => {
                let preview = promotion.preview(&CopySettings::default(), plan, there).await?;
                (record.with_preview(&preview)?, preview.image_writes().to_vec())
            }
            false => (record.with_copied(&promotion.confirm(plan, there).await?)?, Vec::new()),
        };
        record.warnings.extend(existing.warnings());
        let registered = current.map(|current| (&current.arn, current.approval()));
        record.target = Some(Target::of(destination, package.arn(), registered));
        let approval = (settings.registration.policy(None, true).approval, recorded.as_ref());
        record.planned =
            Some(planned_writes(&promotion, &package, (&record, &images), (current, missing_group), approval)?);
        return Ok(match hold {
            Some(hold) => as_held(record.into(), hold, FollowedVersions::default(), settings.dry_run),
            None => record.into(),
        });
    }
    let copied = promotion.confirm(plan, there).await?;
    if missing_group {
        create_group(&promotion, &settings.registration).await?;
    }
    let last_steps = LastSteps { promotion: &promotion, settings: &settings.registration, withdraw: true };
    let record = last_steps.run(&package, copied, existing, recorded, async { FollowedVersions::default() }).await?;
    Ok(record.into())
}
