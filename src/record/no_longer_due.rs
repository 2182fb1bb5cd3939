//! Planned writes about promoted versions that a later run does not make: an earlier run has carried them out, or they are
//! no longer due.

use std::collections::{BTreeMap, HashSet};

use super::planned::{PlannedAct, PlannedWrite};
use super::reviewed::{ReviewedPlan, updates};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::promoted::PromotedVersion;
use crate::register::sync::Change;

impl ReviewedPlan {
    /// The promoted versions with planned writes that are not among `writes`.
    pub fn left_out(&self, writes: &[PlannedWrite]) -> HashSet<PackageArn> {
        self.absent(writes).map(|absent| absent.promoted).collect()
    }

    /// The planned writes about promoted versions that are not among `writes`, although the versions do not have what was
    /// planned. `versions`: those of [`ReviewedPlan::left_out`] that exist.
    pub(super) fn no_longer_due<'a>(
        &'a self,
        writes: &'a [PlannedWrite],
        versions: &'a [PromotedVersion],
    ) -> impl Iterator<Item = String> + 'a {
        let changes = updates(&self.record);
        let is_carried_out = move |absent: &WriteAboutVersion<'_>| {
            let version = versions.iter().find(|version| version.arn == absent.promoted);
            version.is_some_and(|version| absent.is_carried_out(version, &changes))
        };
        let left_out = self.absent(writes).filter(move |absent| !is_carried_out(absent));
        left_out.map(|absent| format!("in the plan, but no longer due: {}", absent.write))
    }

    fn absent<'a>(&'a self, writes: &'a [PlannedWrite]) -> impl Iterator<Item = WriteAboutVersion<'a>> + 'a {
        self.planned.iter().filter(|write| !writes.contains(write)).filter_map(WriteAboutVersion::of)
    }
}

/// A planned write about a promoted version.
struct WriteAboutVersion<'a> {
    write: &'a PlannedWrite,
    act: ActOnVersion,
    promoted: PackageArn,
}

/// What a run would do with a promoted version.
enum ActOnVersion {
    /// Approve it, also again.
    Approve,
    WaitAgain,
    Withdraw,
    Update,
}

impl<'a> WriteAboutVersion<'a> {
    /// Nothing if the write is about no promoted version. Copies, registrations and deletions are due as long as something
    /// is missing or too many.
    fn of(write: &'a PlannedWrite) -> Option<Self> {
        let act = match write.act {
            PlannedAct::Approve | PlannedAct::ApproveAgain => ActOnVersion::Approve,
            PlannedAct::WaitAgain => ActOnVersion::WaitAgain,
            PlannedAct::Withdraw => ActOnVersion::Withdraw,
            PlannedAct::Update => ActOnVersion::Update,
            PlannedAct::CreateGroup
            | PlannedAct::Copy
            | PlannedAct::CreateRepository
            | PlannedAct::CopyImage
            | PlannedAct::CopyReferrer
            | PlannedAct::TagImage
            | PlannedAct::Register
            | PlannedAct::Discard => return None,
        };
        // The approval of a version that is not registered yet names the group.
        Some(Self { write, act, promoted: write.subject.parse().ok()? })
    }

    /// Whether the version has what the write gives it.
    fn is_carried_out(&self, version: &PromotedVersion, changes: &BTreeMap<String, Vec<&Change>>) -> bool {
        let (is_rejected, is_pending) = (
            version.approval() == ApprovalStatus::Rejected,
            version.approval() == ApprovalStatus::PendingManualApproval,
        );
        match self.act {
            ActOnVersion::Withdraw => is_rejected,
            ActOnVersion::Approve => !is_rejected && !is_pending,
            // The target account may have approved it since.
            ActOnVersion::WaitAgain => !is_rejected,
            ActOnVersion::Update => {
                let changes = changes.get(&self.write.subject).into_iter().flatten();
                changes.into_iter().all(|change| change.is_in(&version.description))
            }
        }
    }
}
