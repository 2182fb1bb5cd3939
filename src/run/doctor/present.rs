//! The policies that are there, where they can be read: what mends a denial is merged with them.

use serde_json::Value;

use super::policies::{Mend, Owner};
use super::source::SourceSide;
use super::statements::merged as merged_with;
use super::target::TargetSide;
use crate::aws::error::{CallError, Side};

/// Merges each policy with the present one of its resource.
pub(super) async fn merged(mends: Vec<Mend>, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Vec<Mend> {
    let mut merged = Vec::with_capacity(mends.len());
    for mend in mends {
        merged.push(match present(&mend, source, target).await {
            Some(present) => Mend { policy: merged_with(&present, &mend.policy), merged: true, ..mend },
            None => mend,
        });
    }
    merged
}

/// The present policy, if there is one and it can be read.
async fn present(mend: &Mend, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Option<Value> {
    let policy = match (&mend.of, mend.side) {
        (Owner::Bucket(name), Side::Source) => source.account()?.objects().bucket_policy(&name.parse().ok()?).await,
        (Owner::Bucket(name), Side::Target) => target.account()?.objects().bucket_policy(&name.parse().ok()?).await,
        (Owner::Group(arn), Side::Source) => source.account()?.registry().group_policy(&arn.parse().ok()?).await,
        (Owner::Group(_) | Owner::Principal(_) | Owner::Key(_) | Owner::Trust(_), _) => Ok::<_, CallError>(None),
    };
    serde_json::from_str(&policy.ok()??).ok()
}
