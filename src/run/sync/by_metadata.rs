//! Syncs a promoted version that no record at the destination names.

use anyhow::Result;

use super::Syncing;
use super::synced::{Repaired, Synced, missing_artifacts};
use super::withdrawing::Withdrawing;
use crate::aws::error::{CallError, Kind};
use crate::copy::{Folder, claims};
use crate::model::approval::{ApprovalStatus, DecidedBy};
use crate::model::arn::PackageArn;
use crate::model::claim::ClaimSeen;
use crate::model::destination::Destination;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::provenance::marked;
use crate::plan::requested::requested;
use crate::plan::{Plan, Warning};
use crate::record::another_source::AnotherSource;
use crate::record::history::History;
use crate::record::{Conclusion, Record, Target};
use crate::register::decision::{Act, ApprovalPolicy, Decision, RecordedApproval};
use crate::register::existing::ExistingPromotions;
use crate::run::event::Event;
use crate::run::promotion::Promotion;
use crate::schema::comparison::differences;

/// The current promotion of the version, if it was promoted to another folder, or if somebody has decided on it and its
/// request differs from the plan's.
pub(in crate::run) fn promoted_with_other_settings<'a>(
    destination: &Destination,
    plan: &Plan,
    existing: &'a ExistingPromotions,
) -> Option<&'a PromotedVersion> {
    let current = existing.current().filter(|current| current.is_complete())?;
    let is_elsewhere = destination.layout_of(current, &plan.source).is_some_and(|layout| layout != plan.layout);
    let differs = || !differences(&plan.request, &current.description).is_empty();
    (is_elsewhere || current.is_settled() && differs()).then_some(current)
}

/// Syncs a version that was promoted to another folder, or to this one with another request. Nothing is copied again.
pub(in crate::run) async fn sync_elsewhere(
    promotion: &Promotion<'_>,
    policy: ApprovalPolicy,
    package: &Package,
    promoted: &PromotedVersion,
) -> Result<Record> {
    promotion.context.notice(Event::PromotedWithOtherSettings(&promoted.arn));
    let by_metadata = ByMetadata { is_selected: true, ..ByMetadata::of(promotion, policy, package.arn(), promoted) };
    let (done, warnings) = by_metadata.sync(package).await?;
    let mut record = match done {
        Some((record, _)) => record,
        None => {
            let mut record = promotion.record(Conclusion::AlreadyPromoted, package);
            record.target = Some(Target::of_version(&by_metadata.destination, package.arn(), promoted));
            record
        }
    };
    record.warnings.extend(warnings);
    Ok(record)
}

/// Syncs a promoted version that was found by its metadata, with the records in the folder that it refers to.
pub(in crate::run) struct ByMetadata<'a> {
    pub(super) promotion: &'a Promotion<'a>,
    pub(super) policy: ApprovalPolicy,
    pub(super) promoted: &'a PromotedVersion,
    /// The destination that the version was promoted to, as far as is known.
    pub(super) destination: Destination,
    /// Whether the version refers to the folder of its promotion.
    pub(super) is_in_folder: bool,
    /// Whether this run was started for this version. Its own command is then no advice.
    is_selected: bool,
}

/// The document about a version, and whether a record was written.
pub(super) type SyncRecord = Option<(Record, bool)>;

impl<'a> ByMetadata<'a> {
    /// `source`: the source version that the metadata names.
    pub fn of(
        promotion: &'a Promotion<'a>,
        policy: ApprovalPolicy,
        source: &PackageArn,
        promoted: &'a PromotedVersion,
    ) -> Self {
        let folder = promotion.destination.of(promoted, source);
        let is_in_folder = folder.is_some();
        let destination = folder.unwrap_or_else(|| promotion.destination.clone());
        Self { promotion, policy, promoted, destination, is_in_folder, is_selected: false }
    }

    /// Syncs the version with the records beside its artifacts, wherever those are. Without a record, the version is
    /// withdrawn if its source is Rejected, and otherwise not changed.
    ///
    /// # Errors
    /// The version could not be synced.
    pub async fn sync(&self, package: &Package) -> Result<(SyncRecord, Vec<Warning>)> {
        let (history, mut warnings) = self.history(package.arn()).await?;
        if let Some(another) = history.another_source(self.promoted, package) {
            return Ok((None, self.not_changed(&another)));
        }
        if Decision::of(package, self.promoted, None, self.policy).act != Act::Withdraw {
            // An unreadable record may have a decision that the others do not have.
            history.refuse_unreadable()?;
        }
        let syncing = Syncing {
            promotion: self.promotion,
            destination: &self.destination,
            policy: self.policy,
            folder: None,
            repaired: Repaired::No,
        };
        match syncing.run(package, &history, self.promoted).await? {
            Some(Synced::Done { record, recorded, warnings: more }) => {
                warnings.extend(more);
                return Ok((Some((*record, recorded)), warnings));
            }
            Some(Synced::Missing(missing)) => {
                return Err(missing_artifacts(self.promoted, package.arn(), &missing));
            }
            None => warnings.extend(self.sign_decisions(package, &history).await),
        }
        let (done, more) = self.decide(package, &history).await?;
        warnings.extend(more);
        Ok((done, warnings))
    }

    /// Signs records of decisions about a version whose promotion is not recorded.
    async fn sign_decisions(&self, package: &Package, history: &History) -> Vec<Warning> {
        let signed = self.promotion.sign_unsigned(&self.destination, package, history, self.promoted).await;
        let field = self.promoted.arn.to_string();
        let failed = signed.failed.into_iter().map(|failed| Warning { field: field.clone(), remark: failed.message });
        signed.refused.into_iter().chain(failed).collect()
    }

    /// Withdraws the version of a source that is Rejected and cannot be described.
    ///
    /// # Errors
    /// The version could not be withdrawn.
    pub async fn withdraw(&self, package: &Package) -> Result<(SyncRecord, Vec<Warning>)> {
        let (history, mut warnings) = self.history(package.arn()).await?;
        if let Some(another) = history.another_source(self.promoted, package) {
            return Ok((None, self.not_changed(&another)));
        }
        let (done, more) = self.decide(package, &history).await?;
        warnings.extend(more);
        Ok((done, warnings))
    }

    /// The warning of a version whose source was deleted, if the version is served.
    fn not_changed(&self, another: &AnotherSource) -> Vec<Warning> {
        let is_served = self.promoted.approval() == ApprovalStatus::Approved;
        let warning = is_served.then(|| Warning { field: self.promoted.arn.to_string(), remark: another.remark() });
        warning.into_iter().collect()
    }

    /// Decides the approval alone. A version is not approved: nothing tells what was promoted.
    async fn decide(&self, package: &Package, history: &History) -> Result<(SyncRecord, Vec<Warning>)> {
        let promoted = self.promoted;
        let waits = promoted.approval() == ApprovalStatus::PendingManualApproval;
        let recorded = match history.past(promoted).and_then(|past| past.approval()) {
            // The withdrawal is a later change: only its record will tell that somebody may have suspended the version.
            None if waits && package.approval() == ApprovalStatus::Rejected => {
                RecordedApproval::of_changed(promoted).map(|(approval, _)| approval)
            }
            None if waits => RecordedApproval::claimed(self.claims(package.arn()).await?.last()),
            recorded => recorded,
        };
        let decision = Decision::of(package, promoted, recorded.as_ref(), self.policy);
        let warning = |remark: String| (None, vec![Warning { field: promoted.arn.to_string(), remark }]);
        let is_permitted = decision.act == Act::Withdraw || self.promotion.permitted.more_than_withdrawals();
        let is_served = promoted.approval() == ApprovalStatus::Approved;
        if decision.act == Act::Keep && !waits && !is_served || !is_permitted {
            return Ok((None, Vec::new()));
        }
        if !self.is_ours(history, package).await {
            let remark = |which| {
                let source = package.arn();
                format!(
                    "its metadata names {source}{which}, but promote has no record of this version; it was not changed"
                )
            };
            let is_alone = self.is_in_folder && history.states().next().is_none();
            return Ok(match decision.act {
                Act::Withdraw => warning(remark(", which is Rejected")),
                Act::Keep if is_served && is_alone => warning(remark("")),
                _ => (None, Vec::new()),
            });
        }
        if decision.act == Act::Keep && is_served {
            return Ok(self.record_served(package, history).await);
        }
        let withdrawing =
            Withdrawing { promotion: self.promotion, destination: &self.destination, policy: self.policy };
        match withdrawing.run(package, promoted, recorded.as_ref()).await? {
            Some(record) => {
                let recorded = record.unconfirmed.is_none() && !self.promotion.dry_run;
                Ok((Some((record, recorded)), Vec::new()))
            }
            None => Ok(warning(self.not_completed(package, decision.decided_by))),
        }
    }

    /// Why a version without a record was not approved, and what to do.
    fn not_completed(&self, package: &Package, decided_by: DecidedBy) -> String {
        let command = self.command(package);
        if decided_by == DecidedBy::Nobody {
            return format!("it was left pending by a run that has written no record; {command} to write the record");
        }
        let other = match self.is_selected && self.is_elsewhere(package) {
            true => ", or delete the version to promote its source again",
            false => "",
        };
        format!("no record describes this version, so it was not approved; {command} to complete the promotion{other}")
    }

    /// Whether the version was promoted to another folder than that of this run.
    fn is_elsewhere(&self, package: &Package) -> bool {
        self.destination.layout(package.arn()) != self.promotion.destination.layout(package.arn())
    }

    /// What to do about the version, as the beginning of a sentence: usually a command. A run about this version has other
    /// settings than the one that registered it, or somebody has changed the version since.
    pub(super) fn command(&self, package: &Package) -> String {
        let Destination { bucket, prefix, .. } = &self.destination;
        let number = package.arn().version();
        if !self.is_selected {
            return format!("run `promote full --package-version {number}`");
        }
        if self.is_elsewhere(package) {
            let prefix = match prefix.as_str().trim_end_matches('/') {
                "" => String::new(),
                prefix => format!(" --target-prefix {prefix}"),
            };
            return format!("run `promote full --package-version {number} --target-bucket {bucket}{prefix}`");
        }
        "if somebody has changed it, delete it; otherwise run again with the settings that it was promoted with".into()
    }

    /// The records of a promotion; none if its bucket does not exist. Records that may not be read are a warning: they
    /// do not prevent a withdrawal.
    pub(super) async fn history(&self, source: &PackageArn) -> Result<(History, Vec<Warning>)> {
        let target = self.promotion.target.objects();
        let layout = self.destination.layout(source);
        let read = async {
            let records = Folder::list(target, &layout.records()).await?;
            let keys = records.keys(&layout.records().key)?;
            History::read(target, &layout, keys.into_iter().map(Ok)).await
        };
        let error = match read.await {
            Ok(history) => return Ok((history, Vec::new())),
            Err(error) => error,
        };
        match error.downcast_ref::<CallError>().map(|call| call.kind) {
            Some(Kind::NotFound) => Ok((History::default(), Vec::new())),
            Some(Kind::Denied) => {
                let remark = format!("its records cannot be read, so only a withdrawal is possible: {error:#}");
                Ok((History::default(), vec![Warning { field: self.promoted.arn.to_string(), remark }]))
            }
            _ => Err(error),
        }
    }

    /// Whether a version that no record names was promoted from the source that its metadata names. Somebody may have
    /// copied the metadata of a promoted version: then the version differs from the request that the metadata has the
    /// digest of.
    async fn is_ours(&self, history: &History, package: &Package) -> bool {
        let description = &self.promoted.description;
        if marked(description).is_none() {
            return false;
        }
        if let Some(is_as_recorded) = history.is_as_recorded(self.promoted) {
            return is_as_recorded;
        }
        // Somebody may have changed the metadata of a promoted version. The source tells what it was.
        requested(description).is_some() || matches!(self.planned(package).await, Ok(Some(_)))
    }

    async fn claims(&self, source: &PackageArn) -> Result<Vec<ClaimSeen>, CallError> {
        claims(self.promotion.target.objects(), &self.destination.layout(source)).await
    }
}
