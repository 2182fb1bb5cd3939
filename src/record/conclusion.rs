//! The outcome of a run.

use serde::{Deserialize, Serialize};

use crate::model::approval::ApprovalStatus;
use crate::register::Registration;

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// `find-latest`: a version was found.
    Found,
    /// `copy-artifacts`: everything is at the target and verified.
    Copied,
    /// The version is registered in the target.
    Promoted,
    /// The version was registered before, and nothing had to be done.
    AlreadyPromoted,
    /// Missing artifacts of a version that was registered before were copied again.
    Repaired,
    /// The group has no Approved version.
    NothingApproved,
    /// The promoted version was rejected, because its source is Rejected.
    Withdrawn,
    /// `withdraw`: no promoted version has a source that is Rejected.
    NothingToWithdraw,
    /// `withdraw`: a promoted version could not be withdrawn, and no other was.
    NotWithdrawn,
    /// A withdrawn version was approved again, because its source is Approved again.
    ApprovedAgain,
    /// A withdrawn version is pending again, because its source is Approved again and somebody in the target account decides.
    WaitsAgain,
    /// The promoted version is about to be updated. Another record follows the Update.
    Updating,
    /// The promoted version was updated with changes of its source.
    Updated,
    /// The target group is held: nothing was promoted.
    Held,
    /// A rollback has rejected the promoted version.
    RolledBack,
    /// A dry run: nothing was written.
    Planned,
}

impl Conclusion {
    /// The outcome of a registration.
    pub fn of(registration: &Registration) -> Self {
        match registration {
            Registration { reapproved: true, approval, .. } => match approval.status {
                ApprovalStatus::PendingManualApproval => Self::WaitsAgain,
                _ => Self::ApprovedAgain,
            },
            Registration { changed: true, .. } => Self::Promoted,
            Registration { .. } => Self::AlreadyPromoted,
        }
    }
}
