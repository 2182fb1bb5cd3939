//! Describes the source version, and waits until SageMaker has completed it.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep, sleep_until};

use crate::aws::accounts::SourceAccount;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::fingerprints::{Fingerprints, changed_since};
use crate::model::package::Package;
use crate::model::package_status::PackageStatus;
use crate::run::context::Context;
use crate::run::event::Event;
use crate::run::step_settings::FoundVersion;

/// Changed fields that a message lists.
const LISTED: usize = 20;
/// The first and the longest pause between two descriptions.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Describes a version of the source. The event of a version that is registered as Approved starts the pipeline before
/// SageMaker has completed the version: this waits for it.
///
/// # Errors
/// The version cannot be promoted, or it is not complete in time, or its approval changed meanwhile.
pub(in crate::run) async fn completed(
    context: &Context,
    source: &SourceAccount,
    version: &PackageArn,
    wait_seconds: u64,
) -> Result<Package> {
    let until = Instant::now() + Duration::from_secs(wait_seconds);
    let (mut pause, mut found) = (FIRST_PAUSE, None);
    loop {
        let description = source.registry().describe(version).await?;
        let (status, approval) = (PackageStatus::of(&description), ApprovalStatus::of(&description));
        if !matches!(status, PackageStatus::Pending | PackageStatus::InProgress) {
            return Package::from_description(version, description);
        }
        let before = found.get_or_insert_with(|| {
            context.notice(Event::WaitingForSource { version, status: &status });
            approval.clone()
        });
        ensure!(
            *before == approval,
            Failure::new(format!("the approval of {version} changed from {before} to {approval} during this run"))
                .hint("Run again")
        );
        ensure!(
            Instant::now() < until,
            Failure::new(format!("{version} is still {status} after {wait_seconds} s"))
                .hint("Run again when the registration is complete")
        );
        tokio::select! {
            () = sleep(pause) => {}
            () = sleep_until(until) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Describes a version that an earlier step has found.
///
/// # Errors
/// As [`completed`], or the version has changed since that step.
pub(in crate::run) async fn completed_unchanged(
    context: &Context,
    source: &SourceAccount,
    version: &FoundVersion,
    wait_seconds: u64,
) -> Result<Package> {
    let package = completed(context, source, &version.arn, wait_seconds).await?;
    let changed = version.fingerprint.as_ref().is_some_and(|then| *then != package.fingerprint());
    ensure!(!changed, changed_since_step(&package, version.fields.as_ref()));
    Ok(package)
}

/// The error for a version that has changed since the previous step. It names the fields, if the step has their digests.
fn changed_since_step(package: &Package, fields: Option<&Fingerprints>) -> Failure {
    let found = fields.map(|fields| changed_since(fields, package.description())).unwrap_or_default();
    let mut message = format!("{} has changed since the previous step", package.arn());
    if !found.is_empty() {
        let rest = found.len().saturating_sub(LISTED);
        let lines = found.iter().take(LISTED).map(|line| format!("\n  {line}"));
        message.extend([":".to_owned()].into_iter().chain(lines));
        if rest > 0 {
            message.push_str(&format!("\n  and {rest} more"));
        }
    }
    Failure::new(message).hint("Start again with `promote find-latest`")
}
