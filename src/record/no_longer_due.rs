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
        self.absent(writes).map(|(promoted, _)| promoted).collect()
    }

    /// The planned writes about promoted versions that are not among `writes`, although the versions do not have what was
    /// planned. `versions`: those of [`ReviewedPlan::left_out`] that exist.
    pub(super) fn no_longer_due<'a>(
        &'a self,
        writes: &'a [PlannedWrite],
        versions: &'a [PromotedVersion],
    ) -> impl Iterator<Item = String> + 'a {
        let changes = updates(&self.record);
        let is_carried_out = move |promoted: &PackageArn, write: &PlannedWrite| {
            let version = versions.iter().find(|version| version.arn == *promoted);
            version.is_some_and(|version| write.is_carried_out(version, &changes))
        };
        let left_out = self.absent(writes).filter(move |(promoted, write)| !is_carried_out(promoted, write));
        left_out.map(|(_, write)| format!("in the plan, but no longer due: {write}"))
    }

    fn absent<'a>(&'a self, writes: &'a [PlannedWrite]) -> impl Iterator<Item = (PackageArn, &'a PlannedWrite)> + 'a {
        let absent = self.planned.iter().filter(|write| !writes.contains(write));
        absent.filter_map(|write| Some((write.promoted()?, write)))
    }
}

impl PlannedWrite {
    /// The promoted version that the write changes. Copies, registrations and deletions are due as long as something is
    /// missing or too many.
    fn promoted(&self) -> Option<PackageArn> {
        match self.act {
            PlannedAct::Approve
            | PlannedAct::ApproveAgain
            | PlannedAct::WaitAgain
            | PlannedAct::Withdraw
            | PlannedAct::Update => self.subject.parse().ok(),
            PlannedAct::CreateGroup
            | PlannedAct::Copy
            | PlannedAct::CreateRepository
            | PlannedAct::CopyImage
            | PlannedAct::CopyReferrer
            | PlannedAct::TagImage
            | PlannedAct::Register
            | PlannedAct::Discard => None,
        }
    }

    /// Whether a promoted version has what the write gives it.
    fn is_carried_out(&self, version: &PromotedVersion, changes: &BTreeMap<String, Vec<&Change>>) -> bool {
        let (is_rejected, is_pending) = (
            version.approval() == ApprovalStatus::Rejected,
            version.approval() == ApprovalStatus::PendingManualApproval,
        );
        match self.act {
            PlannedAct::Withdraw => is_rejected,
            PlannedAct::Approve | PlannedAct::ApproveAgain => !is_rejected && !is_pending,
            // The target account may have approved it since.
            PlannedAct::WaitAgain => !is_rejected,
            PlannedAct::Update => {
                let changes = changes.get(&self.subject).into_iter().flatten();
                changes.into_iter().all(|change| change.is_in(&version.description))
            }
            PlannedAct::CreateGroup
            | PlannedAct::Copy
            | PlannedAct::CreateRepository
            | PlannedAct::CopyImage
            | PlannedAct::CopyReferrer
            | PlannedAct::TagImage
            | PlannedAct::Register
            | PlannedAct::Discard => true,
        }
    }
}
