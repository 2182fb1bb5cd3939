//! `promote verify --group`: checks the promoted version of a group that is live.

use anyhow::Result;
use serde::Serialize;

use super::metadata_gone::named_by_record;
use super::{Verification, verify};
use crate::aws::accounts::target_group;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::package_status::PackageStatus;
use crate::record::{SCHEMA, Tool};
use crate::register::existing::describe_all;
use crate::run::context::Context;
use crate::run::settings::VerifySettings;

/// Versions of the target group that are described at once, until one is from the source group.
const NEWEST: usize = 16;

/// The result of a check of a group.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum GroupVerification {
    /// The newest Approved version that was promoted from the source group.
    Live(Box<Verification>),
    /// There is no such version.
    NothingPromoted(Box<NothingPromoted>),
}

/// The document for a group without an Approved version from the source group.
#[derive(Debug, Serialize)]
pub struct NothingPromoted {
    /// The version of this document.
    pub schema: u32,
    /// `nothing-promoted`.
    pub outcome: &'static str,
    /// The source group.
    pub source_group: GroupArn,
    /// The target group.
    pub target_group: GroupArn,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Checks the newest Approved version of a target group that was promoted from a source group. `settings` are those of
/// the check of a version.
///
/// # Errors
/// As [`verify`], or the target group cannot be read.
pub async fn verify_group(
    context: &Context,
    group: &GroupArn,
    target: &GroupName,
    settings: impl Fn(PackageArn) -> VerifySettings,
) -> Result<GroupVerification> {
    let account = context.target().await?;
    let (writer, listed) = tokio::join!(account.check(), account.registry().list(target, None));
    let (writer, listed) = (writer?, listed?);
    let (target_group, caller) = (target_group(group, &writer, target)?, writer.arn);
    let listed: Vec<PackageArn> = listed
        .into_iter()
        .filter(|summary| summary.approval == ApprovalStatus::Approved && summary.status == PackageStatus::Completed)
        .map(|summary| summary.arn)
        .collect();
    let mut looks_everywhere = true;
    for newest in listed.chunks(NEWEST) {
        let mut described = describe_all(account.registry(), newest).await?;
        described.sort_by_key(|version| std::cmp::Reverse(version.arn.version()));
        for version in described {
            let is_approved = version.is_complete() && version.approval() == ApprovalStatus::Approved;
            if !is_approved {
                continue;
            }
            let mut settings = settings(version.arn.clone());
            let source = match version.source() {
                Some(source) => Some(source),
                None => {
                    // Every folder is read for the version that SageMaker would serve; for others, only the folder that
                    // they refer to.
                    let mut place = settings.clone();
                    if !looks_everywhere {
                        (place.bucket, place.prefix) = (None, None);
                    }
                    let named = named_by_record(account, &place, &version, (&target_group, &caller)).await?;
                    named.map(|(source, destination)| {
                        (settings.bucket, settings.prefix) = (Some(destination.bucket), Some(destination.prefix));
                        source
                    })
                }
            };
            looks_everywhere = false;
            if source.is_some_and(|source| source.is_of(group)) {
                return Ok(GroupVerification::Live(Box::new(verify(context, &settings).await?)));
            }
        }
    }
    Ok(GroupVerification::NothingPromoted(Box::new(NothingPromoted {
        schema: SCHEMA,
        outcome: "nothing-promoted",
        source_group: group.clone(),
        target_group,
        tool: Tool::default(),
    })))
}
