//! What the source group and the target bucket list.

use anyhow::Result;

use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::objects::Listed;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::layout::Layout;
use crate::plan::find::{Search, latest_approved_of};
use crate::run::context::Context;
use crate::run::settings::{DestinationSettings, Selection};

/// The version to promote, and the rejected versions of the source unless promoted versions are not to be withdrawn.
pub(in crate::run) async fn versions(
    context: &Context,
    selection: &Selection,
    keeps_rejected: bool,
    source: &SourceAccount,
    group: &GroupArn,
) -> Result<(Search, Vec<Summary>)> {
    if context.saves_calls
        && selection.version.is_none()
        && let Some(all) = source.registry().list_in_one_page(group).await?
    {
        let search = latest_approved_of(source.registry(), group, &all).await?;
        let is_rejected = |summary: &Summary| !keeps_rejected && summary.approval == ApprovalStatus::Rejected;
        return Ok((search, all.into_iter().filter(is_rejected).collect()));
    }
    let rejected = async { if keeps_rejected { Ok(Vec::new()) } else { rejected(source, group).await } };
    let (search, rejected) = tokio::join!(selection.find(source, group), rejected);
    Ok((search?, rejected?))
}

/// The rejected versions of the source.
pub(in crate::run) async fn rejected(source: &SourceAccount, group: &GroupArn) -> Result<Vec<Summary>> {
    Ok(source.registry().list(group, Some(ApprovalStatus::Rejected)).await?)
}

/// What the folder of a target group has.
#[derive(Debug)]
pub(in crate::run) struct ListedPromotions {
    /// The folders of all promotions.
    pub folders: Vec<String>,
    /// All objects, if they were listed. Nothing is written because of them: the list may be older than a change.
    objects: Option<Vec<Listed>>,
}

impl ListedPromotions {
    /// The objects, if the records of a version are among them.
    pub fn of(&self, layout: &Layout) -> Option<&[Listed]> {
        let objects = self.objects.as_deref()?;
        let record = layout.record();
        objects.iter().any(|listed| listed.key == record.key).then_some(objects)
    }

    /// Leaves out the folders of other versions than these of the source.
    pub fn retain(&mut self, group: &GroupArn, is_kept: impl Fn(&PackageArn) -> bool) {
        self.folders.retain(|folder| Layout::source_of(folder, group).is_some_and(|source| is_kept(&source)));
    }
}

/// The promotions to the target group. One call lists them, if the run saves calls and they have few objects.
pub(in crate::run) async fn promotions(
    context: &Context,
    destination: &DestinationSettings,
    target: &TargetAccount,
    group: &GroupArn,
) -> Result<ListedPromotions> {
    let DestinationSettings { bucket, prefix, group: name } = destination;
    let at = Layout::promotions(bucket, prefix, name.as_ref().unwrap_or(group.name()));
    if context.saves_calls
        && let Some(objects) = target.objects().list_in_one_page(&at.bucket, &at.key).await?
    {
        let folder = |listed: &Listed| {
            let below = listed.key.strip_prefix(&at.key)?.split_once('/')?.0;
            Some(format!("{}{below}/", at.key))
        };
        let mut folders: Vec<String> = objects.iter().filter_map(folder).collect();
        folders.dedup();
        return Ok(ListedPromotions { folders, objects: Some(objects) });
    }
    Ok(ListedPromotions { folders: target.objects().folders(&at.bucket, &at.key).await?, objects: None })
}
