//! Discards versions that this run has registered: one that differs from its request, and one of two that were
//! registered at the same time.

use std::fmt;

use anyhow::Result;

use crate::aws::registry::TargetRegistry;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::promoted::{DISCARDED, PromotedVersion};
use crate::register::decision::{decision, remark};

/// Another run was first: this run's version goes.
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

/// The package is not what was asked for, and must not be served.
#[derive(Debug)]
pub(super) struct NotAsRequested(pub String);

impl fmt::Display for NotAsRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAsRequested {}

/// A package that should go could neither be removed nor rejected.
#[derive(Debug)]
struct NotDiscarded(String);

impl fmt::Display for NotDiscarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotDiscarded {}

/// Removes a package that this run has created, or leaves it Rejected, and says which beside the reason.
pub(super) async fn discard(registry: &TargetRegistry, package: &PackageArn, reason: anyhow::Error) -> anyhow::Error {
    let Err(undeleted) = registry.delete(package).await else {
        return reason.context(format!("{package} was removed again"));
    };
    let update = decision(&ApprovalStatus::Rejected, Some(&remark(DISCARDED, &reason.to_string())));
    match registry.update(package, &update).await {
        Ok(()) => reason.context(format!("{package} could not be removed and was left Rejected")),
        Err(unrejected) => reason.context(NotDiscarded(format!(
            "{package} is pending approval and has to be removed by hand: {undeleted}; {unrejected}"
        ))),
    }
}
