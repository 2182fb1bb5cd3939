//! The policies that are there, where they can be read: what mends a denial is merged with them.

use serde_json::Value;

use super::commands::set_command;
use super::mend::{Form, Mend, Owner};
use super::source::SourceSide;
use super::statements::merged as merged_with;
use super::target::TargetSide;
use crate::aws::error::Side;
use crate::model::image::Repository;

/// Merges each policy with the present one of its resource.
pub(super) async fn merged(mends: Vec<Mend>, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Vec<Mend> {
    let mut merged = Vec::with_capacity(mends.len());
    for mend in mends {
        if mend.form == Form::Separate {
            merged.push(mend);
            continue;
        }
        merged.push(match present(&mend, source, target).await {
            Ok(Some(present)) => complete(Mend { policy: merged_with(&present, &mend.policy), merged: true, ..mend }),
            Ok(None) => complete(mend),
            Err(Unread) => mend,
        });
    }
    merged
}

/// A policy that may replace the present one, which it contains, or there is none.
fn complete(mend: Mend) -> Mend {
    Mend { form: Form::Complete, command: set_command(&mend.of), read_command: None, ..mend }
}

/// A policy that cannot be read here.
struct Unread;

/// The present policy of a resource, if there is one.
async fn present(mend: &Mend, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Result<Option<Value>, Unread> {
    let (from, to) = (source.account(), target.account());
    let read = match (&mend.of, mend.side) {
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
        // KMS shows the policy of a key to its own account only.
        (Owner::Key(arn), side) => {
            let key = arn.parse().map_err(|_| Unread)?;
            let keys = match side {
                Side::Source => from.ok_or(Unread)?.keys(&key),
                Side::Target => to.ok_or(Unread)?.keys(&key),
            };
            keys.policy(&key).await.map(Some)
        }
        (Owner::Principal(_) | Owner::Group(_) | Owner::Repository(_) | Owner::Trust(_), _) => return Err(Unread),
    };
    let text = read.map_err(|_| Unread)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| Unread)).transpose()
}
