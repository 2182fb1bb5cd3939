//! Discards versions that are the same promotion as another. Claims prevent them, except where a service works on a
//! request for longer than a claim lasts, or where the response to CreateModelPackage was lost and the registry knows
//! no client tokens.

use anyhow::{Result, anyhow};

use super::attempt::Registering;
use super::decision::{approval_update, remark};
use super::discarded::discard;
use super::existing::{ExistingPromotions, is_kept, is_of_request};
use super::services::{ClaimStore, Registry, SourceVersions};
use super::visibility::Visibility;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::promoted::{DISCARDED, PromotedVersion};
use crate::plan::Warning;

impl<R: Registry, S: SourceVersions, C: ClaimStore> Registering<'_, R, S, C> {
    /// Discards the versions that were registered with the same request as the promotion, which is the lowest of them.
    /// Every run decides the same, whichever versions it sees. A version that differs from the request in a field is
    /// somebody else's and stays. Returns warnings of what was done, and the duplicates that are left.
    ///
    /// # Errors
    /// A version cannot be described.
    pub async fn discard_duplicates(
        &self,
        promoted: &PackageArn,
        approval: &ApprovalStatus,
        existing: &ExistingPromotions,
    ) -> Result<(Vec<Warning>, Vec<String>)> {
        let (mut warnings, mut left) = (Vec::new(), Vec::new());
        for arn in existing.duplicates_of(promoted, self.request) {
            let Some(description) = Visibility::NONE.find(self.registry, arn).await? else { continue };
            let duplicate = PromotedVersion { arn: arn.clone(), description };
            if duplicate.is_abandoned()
                || duplicate.approval() == ApprovalStatus::Rejected
                || !is_of_request(&duplicate.description, self.request)
            {
                continue;
            }
            let done = match is_kept(&duplicate.approval(), approval) {
                true => Ok(format!("it is {} and was kept, because {promoted} is {approval}", duplicate.approval())),
                false => discard_duplicate(self.registry, &duplicate, promoted).await,
            };
            match done {
                Ok(done) => {
                    let remark = format!("it is the same promotion as {promoted}: {done}");
                    warnings.push(Warning { field: arn.to_string(), remark });
                }
                Err(error) => left.push(format!("{arn} is the same promotion as {promoted}: {error}")),
            }
        }
        Ok((warnings, left))
    }
}

/// Deletes or rejects a duplicate. One that was Approved may be deployed, and is only rejected. Says what was done.
///
/// # Errors
/// The duplicate could be neither deleted nor rejected.
async fn discard_duplicate(
    registry: &impl Registry,
    duplicate: &PromotedVersion,
    promoted: &PackageArn,
) -> Result<String> {
    let reason = format!("{promoted} is the same promotion");
    if duplicate.approval() != ApprovalStatus::Approved {
        let discarded = discard(registry, &duplicate.arn, anyhow!(reason)).await;
        return discarded.map(|done| done.to_string());
    }
    let update = approval_update(&ApprovalStatus::Rejected, Some(&remark(DISCARDED, &reason)));
    match registry.update(&duplicate.arn, &update).await {
        Ok(()) => Ok("it was Approved, and was rejected".to_owned()),
        Err(error) => Err(anyhow!("it is Approved, and could not be rejected: {error}")),
    }
}
