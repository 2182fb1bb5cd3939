//! `promote rollback`: rejects the promoted versions that are newer than one that can be served, and holds the group.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result};
use serde::Serialize;

use super::clock::Started;
use super::context::Context;
use super::event::Event;
use super::holding::{Place, put};
use super::settings::{HoldSettings, RollbackSettings, VerifySettings};
use super::verify::{Verification, verify};
use crate::aws::accounts::TargetAccount;
use crate::aws::error::with_hints;
use crate::copy::Holds;
use crate::model::approval::{ApprovalStatus, DecidedBy};
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::hold::{Hold, HoldState};
use crate::model::promoted::PromotedVersion;
use crate::record::files::Records;
use crate::record::history::{Look, recorded};
use crate::record::signing::Signer;
use crate::record::verification::Verdict;
use crate::record::{Conclusion, SCHEMA, Target, Tool};
use crate::register::decision::{RecordedApproval, decision, remark};
use crate::register::describe_updated;

/// The document of `promote rollback`.
#[derive(Debug, Serialize)]
pub struct RollbackReport {
    /// The version of this document.
    pub schema: u32,
    /// What was done.
    pub outcome: RollbackOutcome,
    /// The target group.
    pub target_group: GroupArn,
    /// The version that is the newest Approved one now.
    pub to: PackageArn,
    /// The newer versions, the newest first.
    pub rejected: Vec<RolledBack>,
    /// What the rollback has left alone, and newer versions that could not be served either.
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
/// No older version can be served, or the group could not be held: nothing is rejected then. The report has the versions
/// that could not be rejected.
pub async fn rollback(context: &Context, settings: &RollbackSettings) -> Result<RollbackReport> {
    let started = context.clock.start();
    let target = context.target().await?;
    let (identity, signer) = tokio::join!(target.check(), Signer::open(target, settings.sign_key.as_ref()));
    let (identity, signer) = (identity?, signer?);
    let place = Place::with_versions(target, &settings.hold, identity).await?;
    let holds = place.holds(target, &settings.hold);
    let state = holds.state().await?;
    let hold = holds.read(state).await?;
    let rollback = Rollback { context, settings, target, place: &place, signer: signer.as_ref(), started };
    let (to, warnings) = rollback.version_to_serve(hold.as_ref()).await?;
    rollback.run(&holds, (state, hold), to, warnings).await
}

struct Rollback<'a> {
    context: &'a Context,
    settings: &'a RollbackSettings,
    target: &'a TargetAccount,
    place: &'a Place,
    signer: Option<&'a Signer>,
    started: Started,
}

impl Rollback<'_> {
    /// The version to roll back to: the one that is given, the one of an interrupted rollback, or the newest older one that
    /// is Approved and equals its record. Also returns why newer ones cannot be served.
    async fn version_to_serve(&self, hold: Option<&Hold>) -> Result<(PackageArn, Vec<String>)> {
        let group = &self.place.destination.group;
        let interrupted = hold.and_then(|hold| hold.rolled_back_to.as_ref()).map(PackageArn::version);
        if let Some(number) = self.settings.to.or(interrupted) {
            let version = self.promoted().find(|version| version.arn.version() == number);
            let version = version.ok_or_else(|| {
                Failure::new(format!("{group} has no promoted version {number}"))
                    .hint("`promote status` lists the promoted versions")
            })?;
            return match self.why_not(version).await? {
                None => Ok((version.arn.clone(), Vec::new())),
                Some(why) => Err(Failure::new(format!("{} cannot be served: {why}", version.arn))
                    .hint("Name another version with `--to`")
                    .into()),
            };
        }
        let approved = |version: &&PromotedVersion| version.approval() == ApprovalStatus::Approved;
        let mut older = self.promoted().filter(approved);
        let current = older.next().ok_or_else(|| {
            Failure::new(format!("no promoted version of {group} is Approved")).hint("There is nothing to roll back")
        })?;
        let mut warnings = Vec::new();
        for version in older {
            match self.why_not(version).await? {
                None => return Ok((version.arn.clone(), warnings)),
                Some(why) => warnings.push(format!("{} cannot be served: {why}", version.arn)),
            }
        }
        warnings.insert(0, format!("no promoted version that is older than {} can be served", current.arn));
        Err(Failure::new(warnings.join("; "))
            .hint("Approve an older version in the target account, or hold the group with `promote hold`")
            .into())
    }

    /// The promoted versions, the newest first.
    fn promoted(&self) -> impl Iterator<Item = &PromotedVersion> {
        self.place.versions.iter().filter(|version| version.source().is_some())
    }

    /// Why a version cannot be served; nothing if it is Approved, and equals its record with all its artifacts.
    async fn why_not(&self, version: &PromotedVersion) -> Result<Option<String>> {
        if !version.is_complete() || version.approval() != ApprovalStatus::Approved {
            return Ok(Some(format!("it is {} and {}", version.status(), version.approval())));
        }
        let destination = &self.place.destination;
        let settings = VerifySettings {
            version: version.arn.clone(),
            deep: false,
            signed_by: None,
            bucket: Some(destination.bucket.clone()),
            prefix: Some(destination.prefix.clone()),
        };
        let verified = verify(self.context, &settings).await.with_context(|| format!("verifying {}", version.arn))?;
        match verified.outcome {
            Verdict::Identical | Verdict::Kept => Ok(None),
            Verdict::Changed | Verdict::Missing | Verdict::Unverifiable => Ok(Some(differences(&verified)?)),
        }
    }

    async fn run(
        &self,
        holds: &Holds<'_>,
        (state, present): (HoldState, Option<Hold>),
        to: PackageArn,
        warnings: Vec<String>,
    ) -> Result<RollbackReport> {
        let destination = &self.place.destination;
        let reason = self.settings.hold.reason.as_deref().unwrap_or_default();
        let new = |number| {
            let hold = Hold::new(number, &destination.group, reason, &destination.caller, self.started.time());
            Hold { rolled_back_to: Some(to.clone()), ..hold }
        };
        let is_same = |hold: &Hold| hold.rolled_back_to.as_ref() == Some(&to);
        let outcome = if self.settings.hold.dry_run { RollbackOutcome::Planned } else { RollbackOutcome::RolledBack };
        let hold = match present.filter(is_same) {
            Some(hold) => hold,
            None if outcome == RollbackOutcome::Planned => new(state.next()),
            // First, so that no run approves what is rejected next.
            None => put(holds, state, new).await?,
        };
        let mut report = RollbackReport {
            schema: SCHEMA,
            outcome,
            target_group: destination.group.clone(),
            to,
            rejected: Vec::new(),
            warnings,
            hold,
            unconfirmed: Vec::new(),
            tool: Tool::default(),
            failures: Vec::new(),
        };
        self.warn_of_others(&mut report);
        let held = Instant::now();
        self.reject_newer(&self.place.versions, &mut report).await;
        if outcome == RollbackOutcome::RolledBack {
            self.settle(held, &mut report).await?;
        }
        Ok(report)
    }

    fn warn_of_others(&self, report: &mut RollbackReport) {
        let newer = self.place.versions.iter().filter(|version| version.arn.version() > report.to.version());
        let others =
            newer.filter(|version| version.source().is_none() && version.approval() == ApprovalStatus::Approved);
        let texts = others.map(|version| format!("{} was registered by others and stays Approved", version.arn));
        report.warnings.extend(texts.collect::<Vec<_>>());
    }

    /// Looks again when every approval that was under way when the group was held has ended.
    async fn settle(&self, held: Instant, report: &mut RollbackReport) -> Result<()> {
        let wait = Duration::from_secs(self.settings.settle_seconds).saturating_sub(held.elapsed());
        if !wait.is_zero() {
            self.context.notice(Event::Settling(wait));
            tokio::time::sleep(wait).await;
        }
        let identity = self.target.check().await?;
        let again = Place::with_versions(self.target, &self.settings.hold, identity).await;
        let again = again.context("the versions could not be looked at again; run again")?;
        self.reject_newer(&again.versions, report).await;
        Ok(())
    }

    /// Rejects the promoted versions that are newer. A failure does not stop the others.
    async fn reject_newer(&self, versions: &[PromotedVersion], report: &mut RollbackReport) {
        let to = report.to.version();
        let newer = versions.iter().filter(|version| version.arn.version() > to);
        let open = |version: &&PromotedVersion| {
            version.source().is_some()
                && matches!(version.approval(), ApprovalStatus::Approved | ApprovalStatus::PendingManualApproval)
        };
        for version in newer.filter(open) {
            let error = match report.outcome {
                RollbackOutcome::Planned => None,
                RollbackOutcome::RolledBack => self.reject(version, report).await.err(),
            };
            let (model_package_arn, number) = (version.arn.clone(), version.arn.version());
            let text = error.as_ref().map(|error| format!("{error:#}"));
            report.failures.extend(error);
            report.rejected.retain(|one| one.model_package_arn != version.arn);
            let approval_status = version.approval();
            report.rejected.push(RolledBack { model_package_arn, version: number, approval_status, error: text });
        }
    }

    /// Rejects a version, and records that.
    async fn reject(&self, version: &PromotedVersion, report: &mut RollbackReport) -> Result<()> {
        let (registry, arn) = (self.target.registry(), &version.arn);
        let hold = &report.hold;
        let prefix = format!("promote: rolled back to version {} by {}: ", report.to.version(), hold.by);
        let description = remark(&prefix, &hold.reason);
        let context = || format!("rejecting {arn}");
        let rejected = ApprovalStatus::Rejected;
        registry.update(arn, &decision(&rejected, Some(&description))).await.with_context(context)?;
        let is_shown = |described: &Document| ApprovalStatus::of(described) == rejected;
        let described = describe_updated(registry, arn, is_shown).await.with_context(context)?;
        let status = ApprovalStatus::of(&described);
        anyhow::ensure!(
            status == rejected,
            Failure::new(format!("{arn} is {status} after it was rejected: somebody else changed it"))
                .hint("Run again")
        );
        self.context.notice(Event::RolledBack(arn));
        if let Err(error) = self.record(version, description).await {
            report.unconfirmed.push(format!("{arn}: {}", with_hints(&error)));
        }
        Ok(())
    }

    async fn record(&self, version: &PromotedVersion, description: String) -> Result<()> {
        let (target, destination) = (self.target, &self.place.destination);
        let source = version.source().context("the version was promoted")?;
        let found = recorded(target, destination, &source, Look::AtRecords).await?;
        // A run that was killed before its record has left none; the next run records what it finds.
        let Some(past) = found.as_ref().and_then(|found| found.history.past(version)) else { return Ok(()) };
        let mut record =
            self.started.record(Conclusion::RolledBack, past.newest().source.clone(), self.context.build.as_ref());
        let mut of = Target::of(destination, &source, Some((&version.arn, ApprovalStatus::Rejected)));
        let (status, description) = (ApprovalStatus::Rejected, Some(description));
        of.set_approval(RecordedApproval { status, description, decided_by: DecidedBy::Target });
        record.target = Some(of);
        let kms_key = self.settings.hold.kms_key.as_ref();
        Records { target, destination, kms_key, signer: self.signer }.append(&record).await.map(drop)
    }
}

/// The first findings that are not identical.
fn differences(verified: &Verification) -> Result<String> {
    let mut texts = Vec::new();
    for finding in verified.findings.iter() {
        let finding = finding?;
        if matches!(finding.verdict, Verdict::Changed | Verdict::Missing | Verdict::Unverifiable) {
            texts.push(format!("{}: {}", finding.name, finding.detail));
        }
    }
    let more = texts.len().saturating_sub(3);
    texts.truncate(3);
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    Ok(texts.join("; "))
}

impl HoldSettings {
    /// Refuses an empty reason, which would tell nobody anything.
    pub fn refuse_no_reason(&self) -> Result<()> {
        let text = self.reason.as_deref().unwrap_or_default();
        anyhow::ensure!(
            !text.trim().is_empty(),
            Failure::new("`--reason` is empty").hint("Say why, for those who find it")
        );
        Ok(())
    }
}
