//! What a run sees of a promotion in the list of all promotions, before it reads the promotion itself.

use anyhow::Result;

use super::listed::ListedPromotions;
use crate::model::arn::PackageArn;
use crate::record::recorded::{Look, Recorded, recorded, recorded_in};
use crate::run::promotion::Promotion;

/// The records of a version, and its promoted version.
pub(in crate::run) enum Seen {
    /// As they are now.
    Now(Option<Recorded>),
    /// As far as the list from the beginning of the run has them. Nothing may be written because of them.
    InList(Recorded),
}

impl Seen {
    /// Looks into the list, or reads the promotion if the list does not have it.
    pub async fn of(
        promotion: &Promotion<'_>,
        source: &PackageArn,
        promotions: &ListedPromotions,
        look: Look,
    ) -> Result<Self> {
        let Promotion { target, destination, permitted, .. } = promotion;
        if permitted.more_than_withdrawals()
            && let Some(listed) = promotions.of(&destination.layout(source))
            && let Some(seen) = recorded_in(target, destination, source, (look, listed)).await?
            && seen.promoted.is_complete()
        {
            return Ok(Self::InList(seen));
        }
        Ok(Self::Now(recorded(target, destination, source, look).await?))
    }
}
