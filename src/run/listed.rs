//! What the source group and the target bucket list.

use anyhow::Result;

use super::settings::DestinationSettings;
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::GroupArn;
use crate::model::layout::Layout;

/// The rejected versions of the source; none if promoted versions are not to be withdrawn.
pub(super) async fn rejected_unless(kept: bool, source: &SourceAccount, group: &GroupArn) -> Result<Vec<Summary>> {
    if kept { Ok(Vec::new()) } else { rejected(source, group).await }
}

/// The rejected versions of the source.
pub(super) async fn rejected(source: &SourceAccount, group: &GroupArn) -> Result<Vec<Summary>> {
    Ok(source.registry().list(group, Some(ApprovalStatus::Rejected)).await?)
}

/// The folders of all promotions to the target group.
pub(super) async fn folders(
    destination: &DestinationSettings,
    target: &TargetAccount,
    group: &GroupArn,
) -> Result<Vec<String>> {
    let DestinationSettings { bucket, prefix, group: name } = destination;
    let at = Layout::promotions(bucket, prefix, name.as_ref().unwrap_or(group.name()));
    Ok(target.objects().folders(&at.bucket, &at.key).await?)
}
