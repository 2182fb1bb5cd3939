//! `promote status`: the versions of a source group and their promoted versions side by side.

use anyhow::Result;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::context::Context;
use super::settings::StatusSettings;
use super::standing::{Row, drift, lineage, rows, without_source};
use crate::aws::accounts::{SourceAccount, target_group};
use crate::aws::error::Kind;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::Failure;
use crate::model::promoted::PromotedVersion;
use crate::plan::find::refuse_absent;
use crate::record::{SCHEMA, Tool};
use crate::register::existing::{DESCRIPTIONS_AT_ONCE, describe_all};

/// The document of `promote status`.
#[derive(Debug, Serialize)]
pub struct StatusReport {
    /// The version of this document.
    pub schema: u32,
    /// The source group, if it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_group: Option<GroupArn>,
    /// Why the source group could not be read. The versions then have no source side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_unread: Option<String>,
    /// The target group.
    pub target_group: GroupArn,
    /// The newest version of the target group that is complete and Approved, whoever registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<PackageArn>,
    /// Source versions with their promoted versions, the newest source version first. Without the source, the promoted
    /// versions, the newest first.
    pub versions: Vec<Row>,
    /// The number of versions in the target group that were not promoted from the source group.
    pub others: usize,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Lists the versions of a source group and their promoted versions side by side. Without a source group, or if it may
/// not be read, lists the promoted versions with their sources. Reads only.
///
/// # Errors
/// The target group, or the source for another reason than a missing permission, cannot be read.
pub async fn status(context: &Context, settings: &StatusSettings) -> Result<StatusReport> {
    let target = context.target().await?;
    let group = match &settings.group {
        Some(group) => Some(context.source().await?.group(group).await?),
        None => None,
    };
    let Some(name) = settings.target_group.as_ref().or(group.as_ref().map(GroupArn::name)) else {
        return Err(Failure::new("no group is given").hint("Pass `--group` or `--target-group`").into());
    };
    let (writer, sources, listed) =
        tokio::join!(target.check(), sources(context, group.as_ref()), target.registry().list(name, None));
    let (writer, sources, listed) = (writer?, sources?, listed?);
    let target_group = match &group {
        Some(group) => target_group(group, &writer, name)?,
        None => writer.group(name),
    };
    let arns: Vec<_> = listed.into_iter().map(|summary| summary.arn).collect();
    let described = describe_all(target.registry(), &arns).await?;
    let is_ours = |version: &PromotedVersion| {
        version.source().is_some_and(|source| group.as_ref().is_none_or(|group| source.is_of(group)))
    };
    let is_live = |version: &&PromotedVersion| version.is_complete() && version.approval() == ApprovalStatus::Approved;
    let live = described.iter().filter(is_live).map(|version| version.arn.clone()).max_by_key(PackageArn::version);
    let (ours, others): (Vec<_>, Vec<_>) = described.into_iter().partition(is_ours);
    let (mut versions, source_unread) = match sources {
        Sources::Listed(source, sources) => (with_drift(source, rows(&sources, ours)).await?, None),
        Sources::Unread(reason) => (lineage(ours), Some(reason)),
        Sources::NotAsked => (lineage(ours), None),
    };
    for row in &mut versions {
        row.live = live.is_some() && row.target.as_ref().map(|side| &side.model_package_arn) == live.as_ref();
    }
    let others = others.len();
    Ok(StatusReport {
        schema: SCHEMA,
        source_group: group,
        source_unread,
        target_group,
        live,
        versions,
        others,
        tool: Tool::default(),
    })
}

/// What is known of the source group.
enum Sources<'a> {
    /// Its versions.
    Listed(&'a SourceAccount, Vec<Summary>),
    /// It may not be read, for this reason.
    Unread(String),
    /// It was not given.
    NotAsked,
}

async fn sources<'a>(context: &'a Context, group: Option<&GroupArn>) -> Result<Sources<'a>> {
    let Some(group) = group else { return Ok(Sources::NotAsked) };
    let source = context.source().await?;
    let (checked, listed) = tokio::join!(source.check(group.account()), source.registry().list(group, None));
    checked?;
    match listed {
        Ok(listed) => {
            if listed.is_empty() {
                refuse_absent(source.registry(), group).await?;
            }
            Ok(Sources::Listed(source, listed))
        }
        Err(error) if error.kind == Kind::Denied => Ok(Sources::Unread(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Compares each promoted version with its current source version. A source version that was deleted after it was listed
/// is left out of its row.
async fn with_drift(source: &SourceAccount, rows: Vec<(Row, Option<PromotedVersion>)>) -> Result<Vec<Row>> {
    let compared = rows.into_iter().map(|(mut row, promoted)| async {
        if let (Some(side), Some(promoted)) = (&row.source, promoted) {
            match source.registry().describe(&side.model_package_arn).await {
                Ok(described) => row.drift = drift(&described, &promoted),
                Err(error) if error.kind == Kind::NotFound => row = without_source(&promoted),
                Err(error) => return Err(error.into()),
            }
        }
        anyhow::Ok(row)
    });
    let compared: Vec<Result<Row>> = stream::iter(compared).buffered(DESCRIPTIONS_AT_ONCE).collect().await;
    compared.into_iter().collect()
}
