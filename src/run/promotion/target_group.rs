//! Looks up the target group before the promotion, and creates it with the description and tags of the source group.

use std::cmp::Reverse;
use std::collections::HashSet;

use anyhow::{Result, ensure};
use futures_util::{FutureExt, StreamExt, stream};

use super::Promotion;
use crate::aws::accounts::TargetAccount;
use crate::aws::error::{CallError, Kind};
use crate::copy::There;
use crate::image::Copied;
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::destination::Destination;
use crate::model::failure::{Failure, cause};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::model::words::counted;
use crate::plan::Plan;
use crate::plan::target_group::TargetGroupState;
use crate::record::recorded::{Look, Recorded, recorded};
use crate::register::NewGroup;
use crate::register::existing::{DESCRIPTIONS_AT_ONCE, describe_all};
use crate::run::event::Event;
use crate::run::settings::{FullSettings, RegistrationSettings};

/// Versions of the target group that are described at once, until one is ours.
const NEWEST: usize = 16;

/// Whether the target group has to be created.
///
/// # Errors
/// The group does not exist, and the settings do not allow to create it.
pub(in crate::run) async fn is_missing(
    target: &TargetAccount,
    destination: &Destination,
    settings: &RegistrationSettings,
) -> Result<bool> {
    let missing = target.registry().find_group(destination.group.name()).await?.is_none();
    ensure!(
        !missing || settings.create_group,
        Failure::new(format!("the target group {} does not exist", destination.group))
            .hint("Create the group, or run without `--no-create-group`")
    );
    Ok(missing)
}

/// Plans the promotion of a version, and looks at what the target group has. Also returns where its versions were promoted
/// to.
pub(in crate::run) async fn plan(
    promotion: &Promotion<'_>,
    package: &Package,
    existed: bool,
) -> Result<(Plan, Vec<Location>)> {
    let Promotion { target, destination, group, .. } = promotion;
    let state = look(target, destination, group, existed);
    let (plan, (state, folders)) = tokio::try_join!(promotion.plan(package), state)?;
    Ok((Plan { target_group: Some(state), ..plan }, folders))
}

/// All versions of a target group, the newest first.
///
/// # Errors
/// They cannot be listed or described.
pub(in crate::run) async fn versions(target: &TargetAccount, group: &GroupName) -> Result<Vec<PromotedVersion>> {
    let listed = target.registry().list(group, None).await?;
    let arns: Vec<PackageArn> = listed.into_iter().map(|summary| summary.arn).collect();
    let mut versions = describe_all(target.registry(), &arns).await?;
    versions.sort_by_key(|version| Reverse(version.arn.version()));
    Ok(versions)
}

/// The versions of the target group, by who registered them. Looks at the newest first, until one is ours: a promotion of
/// the source group. Also returns the folders of promotions that these versions name.
pub(in crate::run) async fn look(
    target: &TargetAccount,
    destination: &Destination,
    source: &GroupArn,
    existed: bool,
) -> Result<(TargetGroupState, Vec<Location>)> {
    let registry = target.registry();
    let mut state = TargetGroupState { existed, ..TargetGroupState::default() };
    let listed = if existed { registry.list(destination.group.name(), None).await? } else { Vec::new() };
    let listed: Vec<PackageArn> = listed.into_iter().map(|summary| summary.arn).collect();
    let is_ours = |version: &&PromotedVersion| version.source().is_some_and(|version| version.is_of(source));
    let mut seen = Vec::new();
    state.unread = listed.len();
    for newest in listed.chunks(NEWEST) {
        let described = describe_all(registry, newest).await?;
        let ours = described.iter().filter(is_ours).count();
        state.ours += ours;
        state.others += described.len() - ours;
        state.unread -= newest.len();
        seen.extend(described.into_iter().filter(|version| version.source().is_some()));
        if state.ours > 0 {
            break;
        }
    }
    seen.sort_by_key(|version| Reverse(version.arn.version()));
    if state.is_others() {
        let ours = named_by_records(target, destination, source, &listed).await?;
        (state.ours, state.others) = (ours, state.others.saturating_sub(ours));
    }
    Ok((state, Destination::promotions_of(destination.group.name(), &seen)))
}

/// The number of versions that the newest records name as promotions of the source group: somebody may have removed their
/// metadata.
async fn named_by_records(
    target: &TargetAccount,
    destination: &Destination,
    group: &GroupArn,
    listed: &[PackageArn],
) -> Result<usize> {
    let at = Layout::promotions(&destination.bucket, &destination.prefix, destination.group.name());
    let folders = target.objects().folders(&at.bucket, &at.key).await?;
    let mut sources: Vec<PackageArn> = folders.iter().filter_map(|folder| Layout::source_of(folder, group)).collect();
    sources.sort_by_key(|source| Reverse(source.version()));
    let mut named = Vec::new();
    for source in sources.iter().take(NEWEST) {
        named.push(recorded(target, destination, source, Look::AtRecords).boxed());
    }
    let named: Vec<Result<Option<Recorded>>> = stream::iter(named).buffered(DESCRIPTIONS_AT_ONCE).collect().await;
    let mut ours = HashSet::new();
    for named in named {
        match named {
            Ok(named) => ours.extend(named.map(|recorded| recorded.promoted.arn)),
            Err(error) if cause::<CallError>(&error).is_some() => return Err(error),
            // A file that is no record, or a record without further evidence, makes no version one of this source.
            Err(_) => {}
        }
    }
    Ok(ours.iter().filter(|arn| listed.contains(arn)).count())
}

/// Refuses a group that has versions of others only.
///
/// # Errors
/// The settings do not allow to promote into it, and no earlier run was going to register the version there.
pub(in crate::run) fn refuse_others(
    state: TargetGroupState,
    destination: &Destination,
    source: &GroupArn,
    settings: &RegistrationSettings,
    was_claimed: bool,
) -> Result<()> {
    let (others, target) = (counted(state.others, "version"), &destination.group);
    ensure!(
        !state.is_others() || settings.into_existing_group || was_claimed,
        Failure::new(format!("the target group {target} has {others} that others registered, and none from {source}"))
            .hint(
                "Pass `--into-existing-group` once to promote into this group, or name another group \
             with `--target-group`"
            )
    );
    Ok(())
}

/// Copies the artifacts and creates the group concurrently. Nothing is registered before both are done.
pub(in crate::run) async fn copy_and_create_group(
    promotion: &Promotion<'_>,
    settings: &FullSettings,
    (plan, there): (Plan, There),
    missing_group: bool,
) -> Result<Copied> {
    let creating = async {
        match missing_group {
            true => create_group(promotion, &settings.registration).await,
            false => Ok(()),
        }
    };
    let done = tokio::try_join!(promotion.copy(&settings.copy, plan, there), creating);
    if done.is_err() {
        promotion.context.abort_run(&promotion.uploads).await;
    }
    Ok(done?.0)
}

/// Creates the target group with the source group's description and tags.
pub(in crate::run) async fn create_group(promotion: &Promotion<'_>, settings: &RegistrationSettings) -> Result<()> {
    let (registry, group) = (promotion.source.registry(), &promotion.group);
    let (described, tags) = tokio::join!(registry.find_group(group), registry.group_tags(group));
    let description = readable(described, "description", promotion)?.flatten();
    let description = description.as_ref().and_then(|group| group.get("ModelPackageGroupDescription")?.as_str());
    let tags = readable(tags, "tags", promotion)?.unwrap_or_default();
    let new = NewGroup::of(description.map(str::to_owned), tags, &settings.group_tags);
    let name = promotion.destination.group.name();
    promotion.target.registry().create_group(name, new.description.as_deref(), &new.tags).await?;
    Ok(())
}

/// Continues without a description or tags if the source denies reading them. Other errors stop the run.
fn readable<T>(read: Result<T, CallError>, part: &'static str, promotion: &Promotion<'_>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind == Kind::Denied => {
            promotion.context.notice(Event::GroupNotReadable { part, error: &error });
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
