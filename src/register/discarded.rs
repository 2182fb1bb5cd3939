//! Deletes or rejects versions that this run has registered: a version that differs from its request, or the second of
//! two versions that were registered at the same time.

use std::fmt;

use anyhow::Result;

use crate::aws::registry::TargetRegistry;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::promoted::{DISCARDED, PromotedVersion};
use crate::register::decision::{decision, remark};

/// Discards this run's version, because another run was first.
pub(super) async fn yield_to(
    registry: &TargetRegistry,
    created: &PackageArn,
    first: &PromotedVersion,
) -> Result<PromotedVersion> {
    let reason = anyhow::anyhow!("{} is the same promotion, from another run", first.arn);
    let discarded = discard(registry, created, reason).await;
    match discarded.downcast_ref::<NotDiscarded>() {
        Some(_) => Err(discarded),
        None => Ok(first.clone()),
    }
}

/// The package differs from its request, or SageMaker could not complete it. It must not be approved.
#[derive(Debug)]
pub(super) struct NotAsRequested {
    pub message: String,
    /// The next step, if the version is kept.
    pub hint: Option<&'static str>,
}

impl fmt::Display for NotAsRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotAsRequested {}

/// A package that had to be discarded could be neither deleted nor rejected.
#[derive(Debug)]
struct NotDiscarded(String);

impl fmt::Display for NotDiscarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotDiscarded {}

/// Deletes a package that this run has created, or rejects it. Adds to `reason` which of both was done.
pub(super) async fn discard(registry: &TargetRegistry, package: &PackageArn, reason: anyhow::Error) -> anyhow::Error {
    let Err(undeleted) = registry.delete(package).await else {
        return reason.context(format!("{package} was deleted again"));
    };
    let update = decision(&ApprovalStatus::Rejected, Some(&remark(DISCARDED, &reason.to_string())));
    match registry.update(package, &update).await {
        Ok(()) => reason.context(format!("{package} could not be deleted and was left Rejected")),
        Err(unrejected) => reason.context(NotDiscarded(format!(
            "{package} is pending approval and could be neither deleted nor rejected: {undeleted}; {unrejected}"
        ))),
    }
}
