//! Describes the source version, and waits until SageMaker has completed it.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep, sleep_until};

use super::event::Event;
use super::promotion::Promotion;
use super::settings::RegistrationSettings;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::package::Package;
use crate::model::package_status::PackageStatus;

/// The first and the longest pause between two descriptions.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Promotion<'_> {
    /// Describes a version of the source group. The event of a version that is registered as Approved starts the pipeline
    /// before SageMaker has completed the version: this waits for it. A dry run does not wait.
    ///
    /// # Errors
    /// The version cannot be promoted, or it is not complete in time, or its approval changed meanwhile.
    pub async fn describe(&self, version: &PackageArn, settings: &RegistrationSettings) -> Result<Package> {
        let until = Instant::now() + Duration::from_secs(settings.wait_seconds);
        let (mut pause, mut found) = (FIRST_PAUSE, None);
        loop {
            let description = self.source.registry().describe(version).await?;
            let (status, approval) = (PackageStatus::of(&description), ApprovalStatus::of(&description));
            if !matches!(status, PackageStatus::Pending | PackageStatus::InProgress) {
                return Package::from_description(version, description);
            }
            ensure!(
                !self.dry_run,
                Failure::new(format!(
                    "{version} is {status}, and a dry run does not wait for SageMaker to complete it"
                ))
                .hint("Run again when the registration is complete")
            );
            let before = found.get_or_insert_with(|| {
                self.context.notice(Event::WaitingForSource { version, status: &status });
                approval.clone()
            });
            ensure!(
                *before == approval,
                Failure::new(format!("the approval of {version} changed from {before} to {approval} during this run"))
                    .hint("Run again")
            );
            ensure!(
                Instant::now() < until,
                Failure::new(format!("{version} is still {status} after {} s", settings.wait_seconds))
                    .hint("Run again when the registration is complete")
            );
            tokio::select! {
                () = sleep(pause) => {}
                () = sleep_until(until) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
