//! A second version of a source version whose promotion is recorded.

use anyhow::Result;

use super::by_metadata::ByMetadata;
use super::followed::FollowedVersions;
use crate::copy::claims;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::plan::Warning;
use crate::plan::provenance::marked;
use crate::plan::requested::requested;
use crate::record::{PlannedAct, PlannedWrite};
use crate::register::discard_duplicate;
use crate::register::existing::describe;
use crate::run::full::permitted::Permitted;

impl ByMetadata<'_> {
    /// Names a second version, and deletes or rejects it if a run has registered it: it equals the request that its
    /// metadata has the digest of, a claim or a record has this digest too, and it refers to the folder of the promotion.
    /// A version that somebody has derived from the promoted one stays.
    ///
    /// # Errors
    /// The records or the recorded version cannot be read.
    pub(super) async fn second(&self, source: &PackageArn, recorded: &PackageArn) -> Result<FollowedVersions> {
        let (promotion, second) = (self.promotion, self.promoted);
        let mut followed = FollowedVersions::default();
        if second.arn == *recorded || second.approval() == ApprovalStatus::Rejected {
            return Ok(followed);
        }
        let mut warn = |remark: String| followed.warnings.push(Warning { field: second.arn.to_string(), remark });
        let registry = promotion.target.registry();
        let is_served = match describe(registry, recorded.clone()).await? {
            Some(recorded) => recorded.approval() != ApprovalStatus::Rejected,
            None => false,
        };
        if !is_served || !self.is_same_request(source).await? {
            warn(format!(
                "its metadata names {source}, whose promoted version is {recorded}; the version was not changed. Reject it \
                 if nobody needs it"
            ));
            return Ok(followed);
        }
        let same = format!("it is the same promotion as {recorded}");
        let write = PlannedWrite::new(PlannedAct::Discard, &second.arn);
        if promotion.dry_run {
            warn(format!("{same}: a run deletes or rejects it"));
            followed.planned.push(write);
            return Ok(followed);
        }
        let is_permitted = match promotion.permitted {
            Permitted::Everything => true,
            Permitted::Planned(reviewed) => reviewed.refuse_unplanned(&[write], source, &second.arn).is_ok(),
            Permitted::Withdrawals | Permitted::PlannedWithdrawals(_) => false,
        };
        if !is_permitted {
            warn(format!("{same}; it was not changed, because this run may not do that"));
            return Ok(followed);
        }
        let done = discard_duplicate(registry, second, recorded).await?;
        warn(format!("{same}: {done}"));
        Ok(followed)
    }

    /// Whether a run has registered the version with the request that its metadata has the digest of.
    async fn is_same_request(&self, source: &PackageArn) -> Result<bool> {
        let description = &self.promoted.description;
        let digest = marked(description).unwrap_or_default();
        if !self.is_in_folder || requested(description).is_none() {
            return Ok(false);
        }
        let (history, _) = self.history(source).await?;
        let is_recorded = history.states().any(|state| marked(state.request) == Some(digest));
        let claims = claims(self.promotion.target.objects(), &self.destination.layout(source)).await?;
        let mut claims = claims.iter().filter_map(|seen| seen.claim.as_ref());
        Ok(is_recorded || claims.any(|claim| claim.request_sha256 == digest))
    }
}
