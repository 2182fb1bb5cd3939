//! The approval of a promoted version in its newest record, or in the claim of the run that registered it.

use crate::model::approval::{Approval, ApprovalStatus, DecidedBy};
use crate::model::claim::ClaimSeen;
use crate::model::package::rfc3339;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;

/// The approval of a promoted version, as its newest record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedApproval {
    /// The status.
    pub status: ApprovalStatus,
    /// The reason.
    pub description: Option<String>,
    /// Who has decided.
    pub decided_by: DecidedBy,
}

impl RecordedApproval {
    /// The approval of a version without a record, by the newest claim: nothing, unless the run that registered the version
    /// was to leave it pending, or the claim cannot be read.
    pub fn claimed(newest: Option<&ClaimSeen>) -> Option<Self> {
        let approves = newest?.claim.as_ref().is_some_and(|claim| claim.approval != Some(Approval::Pending));
        (!approves).then(Self::pending)
    }

    /// The approval of a version that exists and has no record at this destination. If it has no claim there either, it was
    /// promoted to another bucket or prefix, and the decisions about it are recorded there.
    pub fn unrecorded(newest: Option<&ClaimSeen>) -> Option<Self> {
        if newest.is_none() { Some(Self::pending()) } else { Self::claimed(newest) }
    }

    /// The approval of a pending version without a record that somebody has changed, with a warning. Nothing tells whether
    /// that was the approval: a run may have approved the version before it was killed.
    pub fn of_changed(promoted: &PromotedVersion) -> Option<(Self, Warning)> {
        let waits = promoted.approval() == ApprovalStatus::PendingManualApproval && promoted.is_complete();
        let changed = promoted.changed().filter(|_| waits)?;
        let remark = format!(
            "it has no record and was changed on {}, more than a minute after its registration: somebody may have set it \
             to pending, so it was not approved; if it may be deployed, approve it in the target account",
            rfc3339(&changed)
        );
        let description = promoted.approval_description().map(str::to_owned);
        let status = ApprovalStatus::PendingManualApproval;
        let approval = Self { status, description, decided_by: DecidedBy::Target };
        Some((approval, Warning { field: promoted.arn.to_string(), remark }))
    }

    fn pending() -> Self {
        let status = ApprovalStatus::PendingManualApproval;
        Self { status, description: None, decided_by: DecidedBy::Nobody }
    }

    /// Whether no run may approve the version by itself: the target account has rejected or suspended it, or it was left to it.
    pub fn is_withheld(&self) -> bool {
        match (&self.status, self.decided_by) {
            (ApprovalStatus::Approved | ApprovalStatus::Other(_), _) | (_, DecidedBy::Source) => false,
            (ApprovalStatus::Rejected | ApprovalStatus::PendingManualApproval, DecidedBy::Target) => true,
            (status, DecidedBy::Nobody) => *status == ApprovalStatus::PendingManualApproval,
        }
    }
}
