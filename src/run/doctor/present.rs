//! The policies that are there, where they can be read: what mends a denial is merged with them.

use serde_json::Value;

use super::commands::set_command;
use super::mend::{Form, Mend, Owner};
use super::source::SourceSide;
use super::statements::merged as merged_with;
use super::target::TargetSide;
use crate::aws::error::Side;
use crate::aws::session::Identity;
use crate::model::arn::GroupArn;
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

/// The present policy of a resource, if there is one. One of the principals that need it may read it. The source's may
/// read that of a bucket that only the target's needs.
async fn present(mend: &Mend, source: &SourceSide<'_>, target: &TargetSide<'_>) -> Result<Option<Value>, Unread> {
    let mut read = Err(Unread);
    let partition = |identity: Option<&Identity>| identity.map(|identity| identity.partition().to_owned());
    let is_one_partition = partition(source.identity.as_ref()) == partition(target.identity.as_ref());
    let reads_too = matches!(mend.of, Owner::Bucket(_)) && is_one_partition && !mend.sides.contains(&Side::Source);
    for side in mend.sides.iter().copied().chain(reads_too.then_some(Side::Source)) {
        read = read_by(side, &mend.of, source, target).await;
        if read.is_ok() {
            break;
        }
    }
    read
}

/// The present policy of a resource, as the principal of a side reads it.
async fn read_by(
    side: Side,
    of: &Owner,
    source: &SourceSide<'_>,
    target: &TargetSide<'_>,
) -> Result<Option<Value>, Unread> {
    let (from, to) = (source.account, target.account);
    let read = match (of, side) {
        (Owner::Bucket(name), side) => {
            let name = name.parse().map_err(|_| Unread)?;
            match side {
                Side::Source => from.ok_or(Unread)?.objects().bucket_policy(&name).await,
                Side::Target => to.ok_or(Unread)?.objects().bucket_policy(&name).await,
            }
        }
        // SageMaker shows the policies of groups to their own account only, by their names.
        (Owner::Group(arn), Side::Source) => {
            let group: GroupArn = arn.parse().map_err(|_| Unread)?;
            let is_own = |own: &Identity| own.account == *group.account() && own.region == *group.region();
            source.identity.as_ref().filter(|own| is_own(own)).ok_or(Unread)?;
            from.ok_or(Unread)?.registry().group_policy(&group).await
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
    let parsed = |text: String| serde_json::from_str(&text).ok().filter(Value::is_object).ok_or(Unread);
    text.map(parsed).transpose()
}
