//! The accounts that own the buckets of which something is denied.

use std::collections::BTreeSet;

use super::check::Check;
use super::policies::{BucketOwners, bucket_of, grants};
use super::source::SourceSide;
use super::target::TargetSide;
use crate::aws::error::Side;
use crate::aws::session::Access;
use crate::model::arn::AccountId;
use crate::model::location::BucketName;

/// The accounts of the buckets of which something is denied, where they can be known.
///
/// S3 does not tell the owner of a bucket. It answers a request that names the right owner, if the caller may list.
pub(super) async fn bucket_owners(
    checks: &[Check],
    group: Option<&AccountId>,
    source: &SourceSide<'_>,
    (target, target_bucket, access): (&TargetSide<'_>, &BucketName, &Access),
) -> BucketOwners {
    let mut owners = BucketOwners::new();
    let denied: BTreeSet<(Side, String)> =
        grants(checks).filter_map(|grant| Some((grant.principal, bucket_of(grant)?))).collect();
    let own = source.identity.as_ref().map(|identity| &identity.account);
    for (side, bucket) in denied {
        let owner = match side {
            Side::Target if bucket == target_bucket.as_str() => {
                access.buckets.owner.clone().or(target.identity.as_ref().map(|identity| identity.account.clone()))
            }
            Side::Source | Side::Target => {
                let mut owner = None;
                let own = own.filter(|own| Some(*own) != group);
                for account in group.into_iter().chain(own) {
                    if owner.is_none() && owns(source, &bucket, account).await {
                        owner = Some(account.clone());
                    }
                }
                owner
            }
        };
        owners.extend(owner.map(|owner| ((side, bucket), owner)));
    }
    owners
}

async fn owns(source: &SourceSide<'_>, bucket: &str, account: &AccountId) -> bool {
    let (Some(side), Ok(bucket)) = (source.account, bucket.parse()) else { return false };
    side.objects().is_bucket_of(&bucket, account).await
}
