//! `promote status`: the versions of a source group and their promoted versions side by side.

pub mod lineage;
pub mod named_images;
pub(super) mod page;
pub mod standing;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use serde::{Serialize, Serializer};

use super::context::Context;
use super::hold::now::{HoldNow, folders_of_holds};
use super::settings::StatusSettings;
use crate::aws::accounts::{SourceAccount, target_group};
use crate::aws::error::{CallError, Kind};
use crate::aws::registry::Summary;
use crate::aws::session::Identity;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::hold::Hold;
use crate::model::promoted::PromotedVersion;
use crate::plan::find::refuse_absent;
use crate::record::{SCHEMA, Tool};
use crate::register::existing::{DESCRIPTIONS_AT_ONCE, describe_all};
use lineage::LineageReader;
use standing::{Row, drift, rows, without_source, without_sources};

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
    pub source_unread: Option<UnreadSource>,
    /// The target group.
    pub target_group: GroupArn,
    /// The hold of the target group, if it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Holds at other places that the versions name, if they differ from `hold`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_holds: Vec<Hold>,
    /// Why it is not known whether the target group is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_unread: Option<String>,
    /// The newest version of the target group that is complete and Approved, whoever registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<PackageArn>,
    /// Source versions with their promoted versions, the newest source version first. Without the source, the promoted
    /// versions, the newest first.
    pub versions: Vec<Row>,
    /// The number of versions in the target group that were not promoted from the source group.
    pub others: usize,
    /// The principal that read the source, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_caller: Option<String>,
    /// The principal that read the target.
    pub target_caller: String,
    /// When the groups were read, RFC 3339 in UTC.
    pub read: String,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Why a group could not be read. The document has the message.
#[derive(Debug, Clone)]
pub struct UnreadSource(pub CallError);

impl Serialize for UnreadSource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
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
    let folders = folders_of_holds(&settings.lineage, (&target_group, &writer.arn), &described);
    let (ours, others): (Vec<_>, Vec<_>) = described.into_iter().partition(is_ours);
    let others = others.len();
    let (listed, source_unread) = match sources {
        Sources::Listed(_, _, ref sources) => (rows(sources, ours), None),
        Sources::Unread(_, ref error) => (without_sources(ours), Some(UnreadSource(error.clone()))),
        Sources::NotAsked => (without_sources(ours), None),
    };
    let reading = LineageReader { target, settings: &settings.lineage, group: &target_group, caller: &writer.arn };
    let hold = HoldNow::look(target, &target_group, (settings.lineage.bucket.as_ref(), folders));
    let (versions, hold) = tokio::join!(complete(&sources, live.as_ref(), &reading, listed), hold);
    let versions = versions?;
    Ok(StatusReport {
        schema: SCHEMA,
        source_group: group,
        source_unread,
        hold: hold.hold,
        other_holds: hold.other_holds,
        hold_unread: hold.unread,
        live,
        versions,
        others,
        source_caller: sources.caller(),
        target_caller: writer.arn.clone(),
        read: context.clock.start().time(),
        target_group,
        tool: Tool::default(),
    })
}

/// What is known of the source group.
enum Sources<'a> {
    /// Its versions, and the principal that read them, if it is known.
    Listed(&'a SourceAccount, Option<Identity>, Vec<Summary>),
    /// It may not be read.
    Unread(Option<Identity>, CallError),
    /// It was not given.
    NotAsked,
}

impl Sources<'_> {
    fn caller(&self) -> Option<String> {
        match self {
            Self::Listed(_, caller, _) | Self::Unread(caller, _) => caller.as_ref().map(|caller| caller.arn.clone()),
            Self::NotAsked => None,
        }
    }
}

async fn sources<'a>(context: &'a Context, group: Option<&GroupArn>) -> Result<Sources<'a>> {
    let Some(group) = group else { return Ok(Sources::NotAsked) };
    let source = context.source().await?;
    let (checked, listed) = tokio::join!(source.check(group.account()), source.registry().list(group, None));
    let caller = checked?;
    match listed {
        Ok(listed) => {
            if listed.is_empty() {
                refuse_absent(source.registry(), group).await?;
            }
            Ok(Sources::Listed(source, caller, listed))
        }
        Err(error) if error.kind == Kind::Denied => Ok(Sources::Unread(caller, error)),
        Err(error) => Err(error.into()),
    }
}

/// A promoted version to which its source version is compared.
struct Compared {
    row: Row,
    promoted: Option<PromotedVersion>,
    source: Option<Document>,
}

/// Marks the row of the live version, compares each promoted version with its current source version, and reads the
/// lineage of as many as the settings ask for: the live version, those that drift, and the newest. A source version that
/// was deleted after it was listed is left out of its row.
async fn complete(
    sources: &Sources<'_>,
    live: Option<&PackageArn>,
    reading: &LineageReader<'_>,
    rows: Vec<(Row, Option<PromotedVersion>)>,
) -> Result<Vec<Row>> {
    let compared = rows.into_iter().map(|(row, promoted)| compare(sources, live, row, promoted));
    let compared: Vec<Result<Compared>> = stream::iter(compared).buffered(DESCRIPTIONS_AT_ONCE).collect().await;
    let compared: Vec<Compared> = compared.into_iter().collect::<Result<_>>()?;
    let mut chosen: Vec<usize> = (0..compared.len()).filter(|at| compared[*at].promoted.is_some()).collect();
    chosen.sort_by_key(|at| compared[*at].row.importance());
    chosen.truncate(reading.settings.versions);
    let completed = compared.into_iter().enumerate().map(|(at, Compared { mut row, promoted, source })| {
        let chosen = promoted.filter(|_| chosen.contains(&at));
        async move {
            if let Some(promoted) = chosen {
                row.lineage = Some(reading.lineage(&row.drift, source.as_ref(), &promoted).await);
            }
            row
        }
    });
    Ok(stream::iter(completed).buffered(DESCRIPTIONS_AT_ONCE).collect().await)
}

async fn compare(
    sources: &Sources<'_>,
    live: Option<&PackageArn>,
    mut row: Row,
    promoted: Option<PromotedVersion>,
) -> Result<Compared> {
    let Some(version) = &promoted else { return Ok(Compared { row, promoted, source: None }) };
    let mut source = None;
    if let (Some(side), Sources::Listed(account, ..)) = (&row.source, sources) {
        match account.registry().describe(&side.model_package_arn).await {
            Ok(described) => source = Some(described),
            Err(error) if error.kind == Kind::NotFound => row = without_source(version),
            Err(error) => return Err(error.into()),
        }
    }
    row.live = live == Some(&version.arn);
    row.drift = source.as_ref().map(|source| drift(source, version)).unwrap_or_default();
    Ok(Compared { row, promoted, source })
}
