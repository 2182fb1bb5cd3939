//! `promote rollback`: rejects the promoted versions that are newer than one that can be served, and holds the group.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result};
use serde::Serialize;

use super::everywhere::Everywhere;
use super::place::{Place, approved_by_others};
use crate::aws::accounts::TargetAccount;
use crate::aws::error::Kind;
use crate::copy::Holds;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::{Failure, Hint as _, RUN_AGAIN};
use crate::model::hold::{Hold, HoldState};
use crate::model::promoted::PromotedVersion;
use crate::record::signing::Signer;
use crate::record::{SCHEMA, Tool};
use crate::run::clock::Started;
use crate::run::context::Context;
use crate::run::event::Event;
use crate::run::settings::{HoldSettings, RollbackSettings};

/// The document of `promote rollback`.
#[derive(Debug, Serialize)]
pub struct RollbackReport {
    /// The version of this document.
    pub schema: u32,
    /// What was done.
    pub outcome: RollbackOutcome,
    /// The target group.
    pub target_group: GroupArn,
    /// The version that was gone back to: the newest Approved one, unless others have registered a newer one.
    pub to: PackageArn,
    /// The newer versions, the newest first.
    pub rejected: Vec<RolledBack>,
    /// Newer versions that others have registered, and that stay Approved.
    pub approved_by_others: Vec<PackageArn>,
    /// Newer versions that could not be served either, and why runs may not look for the hold at a place.
    pub warnings: Vec<String>,
    /// The hold of the group.
    pub hold: Hold,
    /// What could not be confirmed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed: Vec<String>,
    /// The program that wrote this.
    pub tool: Tool,
    /// Why versions could not be rejected.
    #[serde(skip)]
    pub failures: Vec<Error>,
}

/// What a rollback has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackOutcome {
    /// The newer versions are Rejected, and the group is held.
    RolledBack,
    /// The group is held, and a newer version is still Approved, or could not be rejected, or the version to go back to is
    /// no longer Approved.
    Incomplete,
    /// A dry run: nothing was written.
    Planned,
}

/// A version that a rollback rejects.
#[derive(Debug, Clone, Serialize)]
pub struct RolledBack {
    /// The ARN of the version.
    pub model_package_arn: PackageArn,
    /// The number of the version.
    pub version: u32,
    /// The approval status before.
    pub approval_status: ApprovalStatus,
    /// Why the version could not be rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Rejects the promoted versions that are newer than one that can be served, and holds the group.
///
/// # Errors
/// No older version can be served, or the group could not be held: nothing is rejected then. The report has the
/// versions that could not be rejected.
pub async fn rollback(context: &Context, settings: &RollbackSettings) -> Result<RollbackReport> {
    let started = context.clock.start();
    let target = context.target().await?;
    let (identity, signer) = tokio::join!(target.check(), Signer::open(target, settings.sign_key.as_ref()));
    let (identity, signer) = (identity?, signer?);
    let place = Place::find(target, &settings.hold, identity).await?;
    let mut everywhere = Everywhere::read(target, &place, &settings.hold).await?;
    let present: Vec<Hold> = everywhere.present().cloned().collect();
    let rollback = Rollback { context, settings, target, place: &place, signer: signer.as_ref(), started };
    let (to, mut warnings) = rollback.version_to_serve(&present).await?;
    warnings.extend(everywhere.warnings());
    rollback.run(&mut everywhere, &present, to, warnings).await
}

/// A rollback of one group.
pub(in crate::run) struct Rollback<'a> {
    pub context: &'a Context,
    pub settings: &'a RollbackSettings,
    pub target: &'a TargetAccount,
    pub place: &'a Place,
    pub signer: Option<&'a Signer>,
    pub started: Started,
}

impl Rollback<'_> {
    async fn run(
        &self,
        everywhere: &mut Everywhere<'_>,
        present: &[Hold],
        to: PackageArn,
        warnings: Vec<String>,
    ) -> Result<RollbackReport> {
        let destination = &self.place.destination;
        let reason = self.settings.hold.reason.as_deref().unwrap_or_default();
        let new = |number| {
            let hold = Hold::new(number, &destination.group, reason, &destination.caller, self.started.time());
            Hold { rolled_back_to: Some(to.clone()), rolled_back: self.newer_than(&to, present), ..hold }
        };
        let is_same = |hold: &Hold| self.has_set(hold) && hold.rolled_back_to.as_ref() == Some(&to);
        let dry_run = self.settings.hold.dry_run;
        // First, so that no run approves what is rejected next.
        let (put, elsewhere) = match dry_run {
            true => (None, Ok(())),
            false => {
                let put = everywhere.put(is_same, &new).await?;
                self.context.notice(Event::HoldSet(&destination.group));
                (put.first, put.everywhere)
            }
        };
        let same = present.iter().find(|hold| is_same(hold)).cloned();
        let hold = put.or(same).unwrap_or_else(|| everywhere.next(new));
        let mut report = RollbackReport {
            schema: SCHEMA,
            outcome: if dry_run { RollbackOutcome::Planned } else { RollbackOutcome::Incomplete },
            target_group: destination.group.clone(),
            to,
            rejected: Vec::new(),
            approved_by_others: Vec::new(),
            warnings,
            hold,
            unconfirmed: Vec::new(),
            tool: Tool::default(),
            failures: Vec::new(),
        };
        let held = Instant::now();
        self.reject_newer(&self.place.versions, &mut report).await;
        if !dry_run {
            self.settle(held, &mut report).await;
            // A place that cannot be held stops no rejection: what is rejected stays so, whatever runs come.
            report.failures.extend(elsewhere.err());
            if report.failures.is_empty() && report.approved_by_others.is_empty() {
                report.outcome = RollbackOutcome::RolledBack;
            }
        }
        Ok(report)
    }

    /// The newer promoted versions that are not Rejected, and those that a rollback before was to reject: it may have been
    /// killed, and the versions withdrawn since.
    fn newer_than(&self, to: &PackageArn, present: &[Hold]) -> BTreeMap<u32, ApprovalStatus> {
        let before = present.iter().flat_map(|hold| hold.rolled_back.clone());
        let before = before.filter(|(version, _)| *version > to.version());
        let newer = self.place.versions.iter().filter(|version| version.arn.version() > to.version());
        let statuses = newer.filter(|version| version.source().is_some());
        let statuses = statuses.map(|version| (version.arn.version(), version.approval()));
        before.chain(statuses.filter(|(_, status)| is_to_be_rejected(status))).collect()
    }

    /// Names the newer versions that others have registered: they stay Approved, and are the newest ones.
    fn find_others(&self, versions: &[PromotedVersion], report: &mut RollbackReport) {
        report.approved_by_others = approved_by_others(versions, &report.to).cloned().collect();
    }

    /// Looks again when every approval that was under way when the group was held has ended.
    async fn settle(&self, held: Instant, report: &mut RollbackReport) {
        let wait = Duration::from_secs(self.settings.settle_seconds).saturating_sub(held.elapsed());
        if !wait.is_zero() {
            self.context.notice(Event::Settling(wait));
            tokio::time::sleep(wait).await;
        }
        let again = async {
            let identity = self.target.check().await?;
            Place::find(self.target, &self.settings.hold, identity).await
        };
        match again.await.context("the versions could not be looked at again; run again") {
            Ok(again) => {
                // What could not be rejected, or seemed not to be, is tried again.
                report.failures.clear();
                report.rejected.iter_mut().for_each(|one| one.error = None);
                self.reject_newer(&again.versions, report).await;
                report.failures.extend(no_longer_served(&again.versions, &report.to));
                for folder in &again.folders {
                    let holds = again.holds(self.target, &self.settings.hold, folder);
                    report.failures.extend(not_held(&holds, self.place.folders.contains(folder)).await);
                }
            }
            Err(error) => report.failures.push(error),
        }
    }

    /// Rejects the promoted versions that are newer. A failure does not stop the others.
    async fn reject_newer(&self, versions: &[PromotedVersion], report: &mut RollbackReport) {
        let to = report.to.version();
        self.find_others(versions, report);
        let newer = versions.iter().filter(|version| version.arn.version() > to && version.source().is_some());
        for version in newer {
            let earlier = report.rejected.iter().position(|one| one.model_package_arn == version.arn);
            let status = version.approval();
            let approval_status = if version.is_withdrawn() {
                // A withdrawal has replaced the reason: the source's approval would approve it again.
                let earlier = earlier.map(|earlier| &report.rejected[earlier].approval_status);
                match earlier.or_else(|| report.hold.rolled_back.get(&version.arn.version())) {
                    Some(status) => status.clone(),
                    None => continue,
                }
            } else if is_to_be_rejected(&status) {
                status
            } else {
                if earlier.is_none() && report.outcome != RollbackOutcome::Planned {
                    self.complete_record(version, report).await;
                }
                continue;
            };
            let error = match report.outcome {
                RollbackOutcome::Planned => None,
                RollbackOutcome::RolledBack | RollbackOutcome::Incomplete => self.reject(version, report).await.err(),
            };
            let (model_package_arn, number) = (version.arn.clone(), version.arn.version());
            let text = error.as_ref().map(|error| format!("{error:#}"));
            report.failures.extend(error);
            report.rejected.retain(|one| one.model_package_arn != version.arn);
            report.rejected.push(RolledBack { model_package_arn, version: number, approval_status, error: text });
        }
    }
}

/// Whether a rollback rejects a version with this status.
fn is_to_be_rejected(status: &ApprovalStatus) -> bool {
    match status {
        ApprovalStatus::Approved | ApprovalStatus::PendingManualApproval => true,
        ApprovalStatus::Rejected | ApprovalStatus::Other(_) => false,
    }
}

/// Why the version that was gone back to cannot be served any more: another rollback, or somebody, has rejected it.
fn no_longer_served(versions: &[PromotedVersion], to: &PackageArn) -> Option<Error> {
    let state = match versions.iter().find(|version| version.arn == *to).map(PromotedVersion::approval) {
        Some(ApprovalStatus::Approved) => return None,
        Some(status) => format!("is {status} now"),
        None => "no longer exists".to_owned(),
    };
    let message = format!("{to} {state}: it was changed during the rollback to it");
    Some(Failure::new(message).hint("Name another version to go back to with `--to`").into())
}

/// Why the group is not held at a place, or not known to be: runs promote into it again. `is_known`: whether the rollback
/// was to hold the group there.
async fn not_held(holds: &Holds<'_>, is_known: bool) -> Option<Error> {
    let Holds { group, promotions, .. } = holds;
    let message = match holds.state().await {
        Ok(HoldState::Held(_)) => return None,
        Ok(HoldState::Released(_)) => format!("{group} was released during the rollback"),
        Ok(HoldState::Never) if is_known => format!("{group} is not held at {promotions}"),
        Ok(HoldState::Never) => {
            format!("a version was promoted to {promotions} during the rollback, and {group} is not held there")
        }
        // Nothing can be promoted to a bucket that was deleted.
        Err(error) if error.kind == Kind::NotFound => return None,
        Err(error) => {
            let unread = Error::from(error).context(format!("cannot read whether {promotions} is still held"));
            return Err::<(), Error>(unread).hint(RUN_AGAIN).err();
        }
    };
    Some(Failure::new(message).hint("Run again").into())
}

impl HoldSettings {
    /// Refuses an empty reason, which would tell nobody anything.
    pub fn refuse_no_reason(&self) -> Result<()> {
        let text = self.reason.as_deref().unwrap_or_default();
        anyhow::ensure!(
            !text.trim().is_empty(),
            Failure::new("`--reason` is empty")
                .hint("Pass a reason, which people in the target account read, and later runs print")
                .wrong_arguments()
        );
        Ok(())
    }
}
