//! Follows promoted versions that no record at the destination names: promoted to another bucket or prefix, or left by an
//! interrupted run.

use std::collections::HashSet;

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, stream};

use super::event::Event;
use super::follow::{AT_ONCE, FollowedVersions, Following};
use super::promotion::Promotion;
use super::sync::Syncing;
use super::synced::Synced;
use crate::aws::error::{CallError, Kind, with_hints};
use crate::aws::registry::Summary;
use crate::copy::Folder;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::package::Package;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::plan::provenance::marked;
use crate::record::history::History;
use crate::record::{Conclusion, PlannedWrite, Target, WithdrawalResult, Withdrawn};
use crate::register::decision::{Act, Decision, RecordedApproval};
use crate::register::existing::describe;
use crate::register::sync::edits;

/// The newest versions of the target that are always described. Older ones are described only if they are newer than a
/// Rejected source version.
const NEWEST: usize = 16;

impl Following<'_> {
    /// Follows the versions of the target group that no record names and that were promoted from the source group.
    pub(super) async fn unrecorded(&self, listed: &[Summary], known: &HashSet<PackageArn>) -> FollowedVersions {
        let since = self.rejected.iter().map(|summary| summary.created).min();
        // A promoted version is always newer than its source.
        let is_candidate = |(index, summary): &(usize, &Summary)| {
            let may_be_withdrawn = summary.approval != ApprovalStatus::Rejected;
            *index < NEWEST || may_be_withdrawn && since.is_some_and(|since| summary.created >= since)
        };
        let unknown = listed.iter().filter(|summary| summary.status == PackageStatus::Completed);
        let unknown = unknown.filter(|summary| !known.contains(&summary.arn));
        let mut versions = Vec::new();
        for (_, summary) in unknown.enumerate().filter(is_candidate) {
            versions.push(self.follow_unrecorded(&summary.arn).boxed());
        }
        let versions: Vec<_> = stream::iter(versions).buffered(AT_ONCE).collect().await;
        let mut all = FollowedVersions::default();
        for one in versions {
            all.add(one.unwrap_or_else(FollowedVersions::failed));
        }
        all
    }

    async fn follow_unrecorded(&self, arn: &PackageArn) -> Result<FollowedVersions> {
        let Promotion { source: account, target, destination, group, .. } = self.promotion;
        let none = FollowedVersions::default();
        let Some(promoted) = describe(target.registry(), arn.clone()).await? else { return Ok(none) };
        let Some(source) = promoted.source().filter(|source| source.is_of(group)) else { return Ok(none) };
        if Some(&source) == self.except || promoted.is_abandoned() || !promoted.is_complete() {
            return Ok(none);
        }
        let elsewhere = destination.of(&promoted, &source);
        let destination = elsewhere.as_ref().unwrap_or(destination);
        let described = account.registry().describe(&source);
        let (described, history) = tokio::join!(described, self.history(destination, &source));
        let package = match self.source_of(&source, &promoted, described)? {
            Ok(package) => package,
            Err(unclear) => return Ok(unclear),
        };
        let history = history?;
        if Decision::of(&package, &promoted, None, self.policy).act != Act::Withdraw {
            // An unreadable record may have a decision that the others do not have.
            history.refuse_unreadable()?;
        }
        let syncing =
            Syncing { promotion: self.promotion, destination, policy: self.policy, folder: None, restored: None };
        match syncing.run(&package, &history, &promoted).await? {
            Some(Synced::Done { record, recorded, warnings }) => {
                Ok(FollowedVersions { warnings, ..self.done(&promoted, *record, recorded) })
            }
            Some(Synced::Missing(missing)) => Err(super::follow::missing_artifacts(&promoted, &source, missing.len())),
            None if is_ours(&history, elsewhere.is_some(), &promoted) => {
                self.withdraw_unrecorded(&package, destination, &promoted).await
            }
            None => Ok(self.left_alone(&package, &promoted)),
        }
    }

    /// The records of a promotion; none if its bucket does not exist or cannot be read.
    async fn history(&self, destination: &Destination, source: &PackageArn) -> Result<History> {
        let target = self.promotion.target.objects();
        let layout = destination.layout(source);
        let unreadable = |error: &anyhow::Error| {
            let call = error.downcast_ref::<CallError>();
            call.is_some_and(|call| matches!(call.kind, Kind::NotFound | Kind::Denied))
        };
        match Folder::list(target, &layout.records()).await {
            Ok(records) => {
                let keys = records.keys(&layout.records().key)?;
                History::read(target, &layout, keys.into_iter().map(Ok)).await
            }
            Err(error) if unreadable(&error) => Ok(History::default()),
            Err(error) => Err(error),
        }
    }

    /// Withdraws a version without a record. It is not approved: nothing tells what was promoted.
    async fn withdraw_unrecorded(
        &self,
        package: &Package,
        destination: &Destination,
        promoted: &PromotedVersion,
    ) -> Result<FollowedVersions> {
        let promotion = self.promotion;
        let decision = Decision::of(package, promoted, None, self.policy);
        let mut followed = FollowedVersions::default();
        match decision.act {
            Act::Withdraw => {}
            Act::Keep if promoted.approval() != ApprovalStatus::PendingManualApproval => return Ok(followed),
            Act::Keep | Act::Carry | Act::ApproveAgain | Act::WaitAgain => {
                let remark = format!(
                    "no record tells what was promoted, so it was not approved; `promote full --package-version {}` \
                     completes it",
                    package.arn().version()
                );
                followed.warnings.push(Warning { field: promoted.arn.to_string(), remark });
                return Ok(followed);
            }
        }
        let result = if promotion.dry_run { WithdrawalResult::Planned } else { WithdrawalResult::Withdrawn };
        let withdrawn = Withdrawn::of(&promoted.arn, package, result);
        followed.withdrawn.push(withdrawn.clone());
        if promotion.dry_run {
            followed.planned.extend(PlannedWrite::of(decision.act, &promoted.arn));
            return Ok(followed);
        }
        decision.carry_out(promotion.target.registry(), package.arn(), &promoted.arn).await?;
        promotion.context.notice(Event::Withdrawn { promoted: &promoted.arn, source: package.arn() });
        let mut record = promotion.record(Conclusion::Withdrawn, package);
        let mut target = Target::of(destination, package.arn(), Some((&promoted.arn, ApprovalStatus::Rejected)));
        target.set_approval(RecordedApproval {
            status: decision.status,
            description: decision.description,
            decided_by: decision.decided_by,
        });
        record.target = Some(target);
        record.withdrawn = vec![withdrawn];
        if let Err(error) = promotion.records(destination).append(&record).await {
            let arn = &promoted.arn;
            let text = format!("{arn} was withdrawn, but {}", with_hints(&error));
            followed.unconfirmed.push(text);
        }
        Ok(followed)
    }

    /// Warns of a version that only claims to be a promotion, if a promotion would have been withdrawn.
    fn left_alone(&self, package: &Package, promoted: &PromotedVersion) -> FollowedVersions {
        let mut followed = FollowedVersions::default();
        if Decision::of(package, promoted, None, self.policy).act == Act::Withdraw {
            let remark = format!(
                "its metadata names {}, which is Rejected, but no promotion made this version; it was not changed",
                package.arn()
            );
            followed.warnings.push(Warning { field: promoted.arn.to_string(), remark });
        }
        followed
    }
}

/// Whether a version that no record names was promoted from the source that its metadata names. Somebody may have copied
/// the metadata of a promoted version: then the version differs from the request that the metadata has the digest of.
fn is_ours(history: &History, is_in_folder: bool, promoted: &PromotedVersion) -> bool {
    let mut states = history.states().peekable();
    if states.peek().is_none() {
        return is_in_folder;
    }
    let of_version = |request| marked(request).is_some() && marked(request) == marked(&promoted.description);
    states.filter(|state| of_version(state.request)).any(|state| {
        !edits(state.request, state.source_uri, &promoted.description).iter().any(|edit| edit.is_essential())
    })
}
