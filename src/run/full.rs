//! `promote full`: promotes the latest Approved version of a group, and syncs every promoted version with its source.

pub(super) mod as_planned;
pub(super) mod held;
pub(super) mod listed;
pub(super) mod permitted;
mod plan_settings;
pub(super) mod proved;
pub(super) mod seen;
mod unpromoted;
mod without_effect;

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::watch;

use super::context::Context;
use super::event::Event;
use super::find_latest::none_approved;
use super::promotion::Promotion;
use super::promotion::other_places::OtherPlaces;
use super::promotion::source_version::completed;
use super::promotion::target_group::is_missing;
use super::report::RunReport;
use super::settings::FullSettings;
use super::sync::Syncing;
use super::sync::follow::{Following, Promoted};
use super::sync::followed::FollowedVersions;
use super::sync::repair::Repair;
use super::sync::synced::{Repaired, Synced};
use crate::aws::accounts::callers;
use crate::aws::registry::Summary;
use crate::copy::Folder;
use crate::model::approval::Approval;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::hold::{Hold, HoldState};
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::find::{Latest, Search};
use crate::record::recorded::{Look, Recorded, recorded};
use crate::record::signing::Signer;
use crate::record::{Conclusion, Record};
use crate::register::decision::ApprovalPolicy;
use held::{as_held, stopped_by_hold, withdraw_rejected};
use listed::{ListedPromotions, promotions, versions};
use permitted::Permitted;
use seen::Seen;
use without_effect::without_effect;

/// Promotes the latest Approved version of a group, and syncs every promoted version of the group with its source.
///
/// # Errors
/// The version could not be promoted. A version that was registered before the error is complete or pending approval.
pub async fn full(context: &Context, settings: &FullSettings) -> Result<RunReport> {
    run(context, settings, Permitted::Everything).await
}

/// The run of [`full()`], limited to what is permitted. If a hold stops the run, runs once more: that run finds the hold,
/// withdraws what the source rejects, and reports what it would promote.
pub(super) async fn run(context: &Context, settings: &FullSettings, permitted: Permitted<'_>) -> Result<RunReport> {
    let elsewhere = Arc::default();
    let report = match run_once(context, settings, permitted, &elsewhere).await {
        Ok(report) => report,
        Err(error) => {
            let before = stopped_by_hold(error)?;
            let again = run_once(context, settings, permitted, &elsewhere).await;
            again.inspect_err(|error| before.tell(context, error))?.with_earlier(before)
        }
    };
    Ok(report.with_plan(context, settings)?.without_held_failures().with_failures_told())
}

async fn run_once(
    context: &Context,
    settings: &FullSettings,
    permitted: Permitted<'_>,
    elsewhere: &Arc<OtherPlaces>,
) -> Result<RunReport> {
    let started = context.clock.start();
    let (source, target) = context.accounts().await?;
    let group = source.group(&settings.selection.group).await?;
    let (callers, signer, versions, promotions) = tokio::join!(
        callers(source, target, group.account()),
        Signer::open(target, settings.registration.sign_key.as_ref()),
        versions(context, &settings.selection, settings.no_withdraw, source, &group),
        promotions(context, &settings.destination, target, &group)
    );
    let ((reader, writer), signer, (search, rejected)) = (callers?, signer?, versions?);
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
        permitted,
        reviewed: permitted.reviewed(),
        elsewhere: Some(Arc::clone(elsewhere)),
    };
    // A hold is an object in one of the listed folders.
    let promotions = promotions?;
    let held = HoldState::of(promotions.folders.iter().map(String::as_str));
    if let Some(hold) = promotion.hold(held).await? {
        return Box::pin(run_held(promotion, settings, hold, (&search, &promotions, &rejected))).await;
    }
    Full::new(promotion, settings).promote_and_follow(&search, &promotions, &rejected).await
}

/// The run into a group that is held: withdraws what the source rejects, and makes the rest a dry run.
async fn run_held(
    mut promotion: Promotion<'_>,
    settings: &FullSettings,
    hold: Hold,
    (search, promotions, rejected): (&Search, &ListedPromotions, &[Summary]),
) -> Result<RunReport> {
    let context = promotion.context;
    context.notice(Event::Held(&hold));
    promotion.elsewhere = None;
    let mut withdrawn = FollowedVersions::default();
    if !promotion.dry_run {
        let policy = ApprovalPolicy { approval: None, withdraw: !settings.no_withdraw };
        withdrawn = withdraw_rejected(&mut promotion, policy, promotions, rejected).await;
    }
    let full = Full::new(promotion, settings);
    let reported = full.promote_and_follow(search, promotions, rejected).await;
    let report = reported.inspect_err(|error| withdrawn.tell(context, error))?;
    Ok(as_held(report, hold, withdrawn, settings.dry_run))
}

pub(super) struct Full<'a> {
    pub promotion: Promotion<'a>,
    pub settings: &'a FullSettings,
    promoted: Promoted,
}

impl<'a> Full<'a> {
    fn new(promotion: Promotion<'a>, settings: &'a FullSettings) -> Self {
        Self { promotion, settings, promoted: watch::channel(None).0 }
    }

    /// Promotes the latest version and follows the others concurrently. A failure of one does not stop the other.
    async fn promote_and_follow(
        &self,
        search: &Search,
        promotions: &ListedPromotions,
        rejected: &[Summary],
    ) -> Result<RunReport> {
        let Search { latest, passed_over, .. } = search;
        let promoting = async {
            let record = self.promote_latest(latest, promotions).await;
            self.tell_promoted(None);
            record
        };
        let (record, followed) = tokio::join!(promoting, self.follow(latest, promotions, rejected));
        let mut record = match record {
            Ok(record) => record,
            Err(error) => return Err(followed.end(self.promotion.context, error)),
        };
        record.warnings.extend(passed_over.iter().cloned());
        let failures = followed.add_to(&mut record, self.promotion.dry_run);
        Ok(RunReport { document: record, failures })
    }

    async fn follow(&self, latest: &Latest, promotions: &ListedPromotions, rejected: &[Summary]) -> FollowedVersions {
        let except = match latest {
            Latest::Version(found) => Some(&found.arn),
            Latest::NoneApproved(_) => None,
        };
        // `--approval carry` is for the version that the run promotes; `--approval pending` is for all.
        let approval = self.settings.registration.approval.filter(|approval| *approval == Approval::Pending);
        let policy = ApprovalPolicy { approval, ..self.approval_policy() };
        Following { promotion: &self.promotion, policy, promotions, rejected, except }.run(&self.promoted).await
    }

    pub fn approval_policy(&self) -> ApprovalPolicy {
        ApprovalPolicy { approval: self.settings.registration.approval, withdraw: !self.settings.no_withdraw }
    }

    /// Tells which version of the target is the promotion of the latest version, unless that is known.
    fn tell_promoted(&self, promoted: Option<&PackageArn>) {
        self.promoted.send_if_modified(|known| {
            let is_news = known.is_none();
            known.get_or_insert_with(|| promoted.cloned());
            is_news
        });
    }

    async fn promote_latest(&self, latest: &Latest, promotions: &ListedPromotions) -> Result<Record> {
        match latest {
            Latest::Version(found) => self.promote(found, promotions).await,
            Latest::NoneApproved(versions) => {
                let promotion = &self.promotion;
                promotion.permitted.check_no_source()?;
                let source = none_approved(&promotion.group, Some(promotion.reader.clone()));
                let mut record = promotion.record_of(Conclusion::NothingApproved, source);
                record.versions = Some(versions.0.clone());
                Ok(record)
            }
        }
    }

    /// Syncs a version that was promoted before; otherwise plans, copies and registers it.
    async fn promote(&self, found: &Summary, promotions: &ListedPromotions) -> Result<Record> {
        let promotion = &self.promotion;
        let (target, destination) = (promotion.target, &promotion.destination);
        let is_missing = || is_missing(target, destination, &self.settings.registration);
        let look = Look::AtArtifacts { and_signature: promotion.signer.is_some() };
        let (package, seen, missing) = tokio::join!(
            completed(promotion.context, promotion.source, &found.arn, self.settings.registration.wait_seconds),
            Seen::of(promotion, &found.arn, promotions, look),
            async { if promotion.context.saves_calls { None } else { Some(is_missing().await) } },
        );
        let (package, seen) = (package?, seen?);
        promotion.permitted.check_source(&package)?;
        promotion.context.notice(Event::Found(&found.arn));
        let recorded = match seen {
            Seen::Now(recorded) => recorded,
            Seen::InList(seen) => {
                self.settings.selection.check_approval(&package.approval(), found)?;
                if let Some(record) = self.unchanged(&package, seen).await? {
                    return Ok(record);
                }
                recorded(target, destination, &found.arn, look).await?
            }
        };
        self.tell_promoted(recorded.as_ref().map(|recorded| &recorded.promoted.arn));
        self.settings.selection.check_approval(&package.approval(), found)?;
        let approval = recorded.as_ref().and_then(Recorded::approval);
        if let Some(recorded) = recorded.filter(|recorded| recorded.promoted.is_complete())
            && let Some(record) = self.sync(&package, destination, recorded).await?
        {
            return Ok(record);
        }
        let missing = match missing {
            Some(missing) => missing?,
            None => is_missing().await?,
        };
        self.plan_copy_register(&package, missing, approval).await
    }

    /// The document about a promoted version for which there is nothing to do; nothing if there may be something.
    async fn unchanged(&self, package: &Package, recorded: Recorded) -> Result<Option<Record>> {
        let Recorded { history, promoted, folder, .. } = recorded;
        let syncing = self.syncing(folder);
        let mut record = syncing.unchanged(package, &history, &promoted).await?;
        if let Some(record) = &mut record {
            self.tell_promoted(Some(&promoted.arn));
            self.warn(record, &promoted)?;
        }
        Ok(record)
    }

    fn syncing(&self, folder: Option<Result<Folder>>) -> Syncing<'_> {
        let (promotion, destination) = (&self.promotion, &self.promotion.destination);
        Syncing { promotion, destination, policy: self.approval_policy(), folder, repaired: Repaired::No }
    }

    /// Warns of settings that have no effect on a version that was promoted before.
    pub(super) fn warn(&self, record: &mut Record, promoted: &PromotedVersion) -> Result<()> {
        let warnings = without_effect(self.settings, record, promoted)?;
        record.warnings.extend(warnings);
        Ok(())
    }

    /// Syncs a promoted version with its source. Returns nothing if no record describes the version.
    pub async fn sync(
        &self,
        package: &Package,
        destination: &Destination,
        recorded: Recorded,
    ) -> Result<Option<Record>> {
        let Recorded { history, promoted, folder, envelope } = recorded;
        let (history, promoted) = (&history, &promoted);
        let mut record = match self.syncing(folder).run(package, history, promoted).await? {
            None => return Ok(None),
            Some(synced @ Synced::Done { .. }) => synced.into_record(),
            Some(Synced::Missing(missing)) => {
                let repair =
                    Repair { promotion: &self.promotion, copy: &self.settings.copy, policy: self.approval_policy() };
                Some(repair.run(package, destination, history, promoted, missing).await?)
            }
        };
        if let Some(record) = &mut record {
            self.warn(record, promoted)?;
            record.warnings.extend(self.promotion.other_key(envelope.as_ref(), history));
        }
        Ok(record)
    }
}
