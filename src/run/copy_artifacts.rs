//! `promote copy-artifacts`: copies and verifies the artifacts of a version, and registers nothing.

use anyhow::Result;

use super::context::Context;
use super::event::Event;
use super::full::permitted::Permitted;
use super::promotion::source_version::completed_unchanged;
use super::promotion::{Promotion, source_group};
use super::report::RunReport;
use super::step_settings::CopyArtifactsSettings;
use crate::aws::accounts::callers;
use crate::record::{Conclusion, Source, Target};

/// Copies and verifies the artifacts of a version. Objects that already exist in the target are not copied again.
///
/// # Errors
/// An artifact is missing, or cannot be read, written or verified, or its key in the target has a different object.
pub async fn copy_artifacts(context: &Context, settings: &CopyArtifactsSettings) -> Result<RunReport> {
    let started = context.clock.start();
    context.notice(Event::Found(&settings.version.arn));
    let (source, target) = context.accounts().await?;
    let account = settings.version.arn.account();
    let package = completed_unchanged(context, source, &settings.version, settings.wait_seconds);
    let (callers, package) = tokio::join!(callers(source, target, account), package);
    let ((reader, writer), package) = (callers?, package?);
    let group = source_group(&package);
    let promotion = Promotion {
        context,
        started,
        source,
        target,
        destination: settings.destination.of(&group, &writer)?,
        group,
        overrides: &settings.overrides,
        reader: reader.arn,
        signer: None,
        uploads: context.new_uploads(),
        dry_run: settings.dry_run,
        permitted: Permitted::Everything,
        reviewed: None,
        elsewhere: None,
    };
    let (plan, there) = tokio::try_join!(promotion.plan(&package), promotion.list_folder(package.arn()))?;
    let mut record = if settings.dry_run {
        let preview = promotion.preview(&settings.copy, plan, there).await?;
        promotion.record(Conclusion::Planned, &package).with_preview(&preview)?
    } else {
        let copied = promotion.copy(&settings.copy, plan, there).await?;
        let mut record = promotion.record(Conclusion::Copied, &package).with_copied(&copied)?;
        record.warnings.extend(promotion.uploads.delete_states().await);
        record
    };
    record.source = Source::for_next_step(&package, Some(promotion.reader.clone()));
    record.target = Some(Target::of(&promotion.destination, package.arn()));
    Ok(record.into())
}
