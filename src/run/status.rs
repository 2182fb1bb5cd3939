//! `promote status`: the versions of a source group and their promoted versions side by side.

use anyhow::Result;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::context::Context;
use super::settings::StatusSettings;
use super::standing::{Row, drift, rows};
use crate::aws::accounts::{SourceAccount, callers, target_group};
use crate::model::arn::GroupArn;
use crate::model::promoted::PromotedVersion;
use crate::plan::find::refuse_absent;
use crate::record::{SCHEMA, Tool};
use crate::register::existing::{DESCRIPTIONS_AT_ONCE, describe_all};

/// The document of `promote status`.
#[derive(Debug, Serialize)]
pub struct StatusReport {
    /// The version of this document.
    pub schema: u32,
    /// The source group.
    pub source_group: GroupArn,
    /// The target group.
    pub target_group: GroupArn,
    /// Source versions with their promoted versions, the newest source version first.
    pub versions: Vec<Row>,
    /// The number of versions in the target group that were not promoted from the source group.
    pub others: usize,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Lists the versions of a source group and their promoted versions side by side. Reads only.
///
/// # Errors
/// A group cannot be read.
pub async fn status(context: &Context, settings: &StatusSettings) -> Result<StatusReport> {
    let (source, target) = context.accounts().await?;
    let group = source.group(&settings.group).await?;
    let name = settings.target_group.as_ref().unwrap_or(group.name());
    let (callers, sources, listed) = tokio::join!(
        callers(source, target, group.account()),
        source.registry().list(&group, None),
        target.registry().list(name, None),
    );
    let ((_, writer), sources, listed) = (callers?, sources?, listed?);
    if sources.is_empty() {
        refuse_absent(source.registry(), &group).await?;
    }
    let target_group = target_group(&group, &writer, name)?;
    let arns: Vec<_> = listed.into_iter().map(|summary| summary.arn).collect();
    let described = describe_all(target.registry(), &arns).await?;
    let is_other = |version: &&PromotedVersion| version.source().is_none_or(|source| !source.is_of(&group));
    let others = described.iter().filter(is_other).count();
    let versions = with_drift(source, rows(&group, &sources, described)).await?;
    Ok(StatusReport { schema: SCHEMA, source_group: group, target_group, versions, others, tool: Tool::default() })
}

/// Compares each promoted version with its current source version.
async fn with_drift(source: &SourceAccount, rows: Vec<(Row, Option<PromotedVersion>)>) -> Result<Vec<Row>> {
    let compared = rows.into_iter().map(|(mut row, promoted)| async {
        if let (Some(side), Some(promoted)) = (&row.source, promoted) {
            row.drift = drift(&source.registry().describe(&side.model_package_arn).await?, &promoted);
        }
        anyhow::Ok(row)
    });
    let compared: Vec<Result<Row>> = stream::iter(compared).buffered(DESCRIPTIONS_AT_ONCE).collect().await;
    compared.into_iter().collect()
}
