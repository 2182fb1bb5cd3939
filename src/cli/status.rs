//! `promote status`: a group comes in; its versions and their copies, side by side, go out.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::exit::Exit;
use super::output::{Printed, Printer};
use super::settings::{OutputArgs, SourceArgs, TargetArgs};
use crate::aws::accounts::{SourceAccount, TargetAccount, callers, target_group};
use crate::model::arn::{GroupArn, GroupName, GroupRef};
use crate::model::promoted::PromotedVersion;
use crate::record::{SCHEMA, Tool};
use crate::register::existing::describe_all;
use crate::run::standing::{Row, Side, State, drift, rows};

/// Source versions described at once.
const AT_ONCE: usize = 16;

/// Show the versions of a source group and their copies side by side
///
/// Says of each version whether it is promoted, pending, withdrawn, rejected or not promoted, and which copies differ
/// from what their source is now. Reads only.
#[derive(Debug, Args)]
pub struct Status {
    /// Model package group of the source: its ARN, or its name in the source session's account and region
    #[arg(long, env = "PROMOTE_GROUP", value_name = "ARN|NAME", help_heading = "Model package")]
    group: GroupRef,
    #[command(flatten)]
    source: SourceArgs,
    /// Model package group of the target [default: the source group's name]
    #[arg(long, env = "PROMOTE_TARGET_GROUP", value_name = "NAME", help_heading = "Target")]
    target_group: Option<GroupName>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// The document.
#[derive(Debug, Serialize)]
struct Standing {
    schema: u32,
    source_group: GroupArn,
    target_group: GroupArn,
    versions: Vec<Row>,
    /// Versions of the target group that others have registered.
    others: usize,
    tool: Tool,
}

impl Status {
    pub(super) async fn run(&self, printer: &Printer) -> Result<Exit> {
        let region = match &self.group {
            GroupRef::Arn(arn) => Some(arn.region()),
            GroupRef::Name(_) => None,
        };
        let source = SourceAccount::open(self.source.access(), region).await?;
        let target = TargetAccount::open(self.target.access()).await?;
        let group = source.group(&self.group).await?;
        let name = self.target_group.as_ref().unwrap_or(group.name());
        let (callers, sources, copies) = tokio::join!(
            callers(&source, &target, group.account()),
            source.registry().list(&group, None),
            target.registry().list(name, None),
        );
        let ((_, identity), sources, copies) = (callers?, sources?, copies?);
        let place = target_group(&group, &identity, name)?;
        let arns: Vec<_> = copies.into_iter().map(|summary| summary.arn).collect();
        let described = describe_all(target.registry(), &arns).await?;
        let others = described.iter().filter(|own| own.source().is_none_or(|source| !source.is_of(&group))).count();
        let versions = with_drift(&source, rows(&group, &sources, described)).await?;
        let tool = Tool::default();
        printer.document(&Standing {
            schema: SCHEMA,
            source_group: group,
            target_group: place,
            versions,
            others,
            tool,
        })?;
        Ok(Exit::Done)
    }
}

/// Compares each copy with its source as it is now.
async fn with_drift(source: &SourceAccount, rows: Vec<(Row, Option<PromotedVersion>)>) -> Result<Vec<Row>> {
    let compared = rows.into_iter().map(|(mut row, own)| async {
        if let (Some(side), Some(own)) = (&row.source, own) {
            row.drift = drift(&source.registry().describe(&side.model_package_arn).await?, &own);
        }
        anyhow::Ok(row)
    });
    let compared: Vec<Result<Row>> = stream::iter(compared).buffered(AT_ONCE).collect().await;
    compared.into_iter().collect()
}

impl Printed for Standing {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        writeln!(out, "{:<11}{}", "Source", self.source_group)?;
        writeln!(out, "{:<11}{}", "Target", self.target_group)?;
        if self.others > 0 {
            writeln!(out, "{:<11}{} more in the target group, registered by others", "", self.others)?;
        }
        if self.versions.is_empty() {
            writeln!(out, "The source group has no version")?;
            return Ok(out);
        }
        writeln!(
            out,
            "\n{:>7}  {:<21}  {:<20}  {:>6}  {:<21}  {:<20}  STATE",
            "VERSION", "SOURCE", "REGISTERED", "COPY", "TARGET", "SINCE"
        )?;
        for row in &self.versions {
            let (version, source, registered) = cells(row.source.as_ref(), |side| &side.created);
            let since = |side: &'_ Side| side.modified.clone().unwrap_or_else(|| side.created.clone());
            let (copy, target, _) = cells(row.target.as_ref(), |side| &side.created);
            let since = row.target.as_ref().map(since).map_or("-".to_owned(), |time| seconds(&time));
            let drift =
                if row.drift.is_empty() { String::new() } else { format!(", drifted: {}", row.drift.join(", ")) };
            let state = state(row.state);
            writeln!(
                out,
                "{version:>7}  {source:<21}  {registered:<20}  {copy:>6}  {target:<21}  {since:<20}  {state}{drift}"
            )?;
        }
        Ok(out)
    }
}

fn cells(side: Option<&Side>, time: impl Fn(&Side) -> &String) -> (String, String, String) {
    side.map_or(("-".into(), "-".into(), "-".into()), |side| {
        (side.version.to_string(), side.approval_status.to_string(), seconds(time(side)))
    })
}

/// A time without its fraction.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::NotPromoted => "not promoted",
        State::Promoted => "promoted",
        State::Pending => "pending in the target",
        State::Withdrawn => "withdrawn",
        State::Rejected => "rejected in the target",
        State::Failed => "failed",
        State::Stale => "offered, but not Approved at the source",
        State::Orphaned => "offered, but gone at the source",
    }
}
