//! What a run may write.

use anyhow::Result;

use crate::model::arn::PackageArn;
use crate::model::package::Package;
use crate::plan::Plan;
use crate::record::{PlannedWrite, ReviewedPlan};
use crate::register::sync::Change;

/// What a run may write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Permitted<'a> {
    /// Everything that its settings ask for.
    Everything,
    /// Withdrawals. Other changes of promoted versions are left to another run.
    Withdrawals,
    /// What the reviewed plan has.
    Planned(&'a ReviewedPlan),
    /// The withdrawals that the reviewed plan has.
    PlannedWithdrawals(&'a ReviewedPlan),
}

impl<'a> Permitted<'a> {
    /// The withdrawals among what is permitted.
    pub fn only_withdrawals(self) -> Self {
        match self {
            Self::Everything | Self::Withdrawals => Self::Withdrawals,
            Self::Planned(reviewed) | Self::PlannedWithdrawals(reviewed) => Self::PlannedWithdrawals(reviewed),
        }
    }

    /// The reviewed plan, if the run carries one out.
    pub fn reviewed(&self) -> Option<&'a ReviewedPlan> {
        match self {
            Self::Everything | Self::Withdrawals => None,
            Self::Planned(reviewed) | Self::PlannedWithdrawals(reviewed) => Some(reviewed),
        }
    }

    /// Refuses another source version, or one that has changed since the review: its approval or any other field.
    ///
    /// # Errors
    /// The message names the version.
    pub fn check_source(&self, package: &Package) -> Result<()> {
        self.reviewed().map_or(Ok(()), |reviewed| reviewed.refuse_other_source(package))
    }

    /// Refuses to promote no version if the reviewed plan has one.
    ///
    /// # Errors
    /// The message names the version.
    pub fn check_no_source(&self) -> Result<()> {
        self.reviewed().map_or(Ok(()), |reviewed| reviewed.refuse_no_source())
    }

    /// Refuses to copy and register what the reviewed plan does not have.
    ///
    /// # Errors
    /// The message names what differs.
    pub fn check_plan(&self, plan: &Plan) -> Result<()> {
        self.reviewed().map_or(Ok(()), |reviewed| reviewed.refuse_other_plan(plan))
    }

    /// Refuses writes about a promoted version that the reviewed plan does not have.
    ///
    /// # Errors
    /// The message names each of them.
    pub fn check(&self, writes: &[PlannedWrite], source: &PackageArn, promoted: &PackageArn) -> Result<()> {
        self.reviewed().map_or(Ok(()), |reviewed| reviewed.refuse_unplanned(writes, source, promoted))
    }

    /// Refuses to update a promoted version with other values than the reviewed plan has.
    ///
    /// # Errors
    /// The message names the version.
    pub fn check_update(&self, promoted: &PackageArn, changes: &[Change]) -> Result<()> {
        self.reviewed().map_or(Ok(()), |reviewed| reviewed.refuse_other_update(promoted, changes))
    }

    /// Whether promoted versions are changed in other ways than by a withdrawal.
    pub fn more_than_withdrawals(&self) -> bool {
        match self {
            Self::Everything | Self::Planned(_) => true,
            Self::Withdrawals | Self::PlannedWithdrawals(_) => false,
        }
    }
}
