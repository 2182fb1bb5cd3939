//! The policies that are there, where they can be read: what mends a denial is merged with them.

use serde_json::Value;

use super::policies::{Mend, Owner};
use super::source::SourceSide;
use super::statements::merged as merged_with;
use super::target::TargetSide;
use crate::aws::error::Side;
use crate::model::image::Repository;

/// Merges each policy with the present one of its resource.
pub(super) async fn merged(mends: Vec<Mend>, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Vec<Mend> {
    let mut merged = Vec::with_capacity(mends.len());
    for mend in mends {
        merged.push(match present(&mend, source, target).await {
            Ok(Some(present)) => Mend { policy: merged_with(&present, &mend.policy), merged: true, ..mend },
            // There is none, so nothing is lost.
            Ok(None) => mend,
            // A command would replace what nobody has read.
            Err(Unread) => Mend { command: None, ..mend },
        });
    }
    merged
}

/// A policy that cannot be read here.
struct Unread;

/// The present policy, if there is one. A policy of a principal is one of its own, beside its other policies.
async fn present(mend: &Mend, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Result<Option<Value>, Unread> {
    let (from, to) = (source.account(), target.account());
    let read = match (&mend.of, mend.side) {
        (Owner::Principal(_), _) => return Ok(None),
        (Owner::Bucket(name), side) => {
            let name = name.parse().map_err(|_| Unread)?;
            match side {
                Side::Source => from.ok_or(Unread)?.objects().bucket_policy(&name).await,
                Side::Target => to.ok_or(Unread)?.objects().bucket_policy(&name).await,
            }
        }
        (Owner::Group(arn), Side::Source) => {
            from.ok_or(Unread)?.registry().group_policy(&arn.parse().map_err(|_| Unread)?).await
        }
        (Owner::Repository(arn), Side::Source) => {
            from.ok_or(Unread)?.images().policy(&Repository::of_arn(arn).ok_or(Unread)?).await
        }
        (Owner::Group(_) | Owner::Repository(_) | Owner::Key(_) | Owner::Trust(_), _) => return Err(Unread),
    };
    let text = read.map_err(|_| Unread)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| Unread)).transpose()
}
