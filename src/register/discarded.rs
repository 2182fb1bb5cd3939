//! Deletes or rejects versions that this run has registered: a version that differs from its request, or the second of
//! two versions that were registered at the same time.

use std::fmt;

use anyhow::Result;

use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::failure::{Failure, Hint};
use crate::model::promoted::DISCARDED;
use crate::register::decision::{approval_update, remark};
use crate::register::services::Registry;

/// The package differs from its request, or SageMaker could not complete it. It must not be approved.
#[derive(Debug)]
pub(super) struct NotAsRequested {
    pub message: String,
    /// The next step.
    pub hint: &'static str,
    /// Whether a package that this run has created can be deleted, because nobody can have used it yet.
    pub is_unused: bool,
    /// Whether an Update has changed the package since: another run may have recorded and synced it.
    pub is_overtaken: bool,
}

/// Whether a run has failed because another run may have recorded and synced its version.
pub fn is_overtaken(error: &anyhow::Error) -> bool {
    let hinted = error.downcast_ref::<Failure>().and_then(Failure::hinted);
    hinted.and_then(|error| error.downcast_ref::<NotAsRequested>()).is_some_and(|failed| failed.is_overtaken)
}

impl fmt::Display for NotAsRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotAsRequested {}

/// Deletes a package that this run has created, or rejects it. Returns `reason` with which of both was done.
///
/// # Errors
/// The package could be neither deleted nor rejected.
pub(super) async fn discard(
    registry: &impl Registry,
    package: &PackageArn,
    reason: anyhow::Error,
) -> Result<anyhow::Error> {
    let Err(undeleted) = registry.delete(package).await else {
        return Ok(reason.context(format!("{package} was deleted")));
    };
    let update = approval_update(&ApprovalStatus::Rejected, Some(&remark(DISCARDED, &reason.to_string())));
    let Err(unrejected) = registry.update(package, &update).await else {
        return Ok(reason.context(format!("{package} could not be deleted and was left Rejected")));
    };
    Err(reason.context(format!(
        "{package} is pending approval and could be neither deleted nor rejected: {undeleted}; {unrejected}"
    )))
    .hint("Delete this version, then run again")
}
