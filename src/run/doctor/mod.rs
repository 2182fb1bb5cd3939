//! `promote doctor`: asks for everything that a promotion needs, on both sides, and reports all of it.
//!
//! `source`, `target` and `images` ask, each answer is a `check`, `refusals` asks for what no single request shows, and
//! `policies` makes the policies that mend what is denied.
//! `pattern` asks for what is the same for every group. A request that would change something is one that AWS refuses after
//! it has checked the permission.

mod artifacts;
mod check;
mod commands;
mod destination;
mod grantee;
mod images;
mod mend;
mod merging;
mod optional;
mod owners;
mod pattern;
mod policies;
mod present;
mod refusals;
mod report;
mod repositories;
mod source;
mod statements;
mod target;
mod upload;

use anyhow::Result;

use super::context::Context;
use super::settings::{CopyMode, DestinationSettings, DoctorSettings, FullSettings};
use crate::aws::accounts::{SourceAccount, target_group};
use crate::aws::error::Side;
use crate::aws::session::Identity;
use crate::model::arn::{GroupArn, GroupName, GroupRef};
use crate::model::package::Package;
use crate::plan::images::Images;
use crate::register::NewGroup;
use check::Asked;
pub use check::{Check, Finding};
pub use mend::{Form, Mend, Owner};
pub use merging::merged_policies;
use optional::without;
pub use pattern::doctor_without_groups;
use refusals::{ask_others, ask_plan};
pub use report::DoctorReport;
use report::concluded;
use source::{GroupState, SourceSide};
use target::TargetSide;

/// Asks for everything that [`crate::run::full()`] with the same settings needs. Changes nothing: an upload to the target
/// bucket is begun and aborted, and one to each target repository is begun, which Amazon ECR forgets.
///
/// # Errors
/// The settings contradict each other. What AWS denies is in the report.
pub async fn doctor(context: &Context, settings: &DoctorSettings) -> Result<DoctorReport> {
    let (source, target) = tokio::join!(SourceSide::open(context), TargetSide::open(context));
    let promotion = &settings.promotion;
    let name = group_name(&promotion.selection.group, &promotion.destination);
    let group = match (&promotion.selection.group, &source.identity) {
        (GroupRef::Arn(arn), _) => Some(arn.clone()),
        (GroupRef::Name(name), Some(identity)) => Some(identity.group(name)),
        (GroupRef::Name(_), None) => None,
    };
    let own = target.identity.as_ref().map(|identity| own_group(group.as_ref(), identity, &name)).transpose()?;
    let reader = source_as_target(context, promotion, (&source, &target)).await;
    let as_target = reader.as_ref().map(SourceAccount::objects);
    let ((found, package, mut checks), (state, asked)) = tokio::join!(
        source.ask(promotion, group.as_ref(), &name, as_target),
        target.ask(settings, own.as_ref(), group.as_ref())
    );
    checks.extend(asked);
    if let (GroupState::Exists, Some(account), Some(identity), Some(group)) =
        (state, target.account, &target.identity, &group)
    {
        let destination = promotion.destination.of(group, identity)?;
        checks.extend(ask_others(account, &destination, (group, found.as_ref()), &promotion.registration).await);
    }
    let (tags, asked) = source.ask_tags(group.as_ref(), state).await;
    checks.extend(asked);
    let has_tags =
        tags.is_some_and(|tags| !NewGroup::of(None, tags, &promotion.registration.group_tags).tags.is_empty());
    if !has_tags {
        checks = without(checks, "sagemaker:AddTags", "a target group that promote creates has no tags");
    }
    if promotion.overrides.images == Images::Copy {
        checks.extend(images(settings, (&source, &target), own.as_ref(), package.as_ref()).await);
    }
    if let Some(version) = &found {
        checks.push(ask_plan(context, promotion, version, &checks).await);
    }
    let owner = group.as_ref().map(GroupArn::account);
    let report = concluded(context, settings, (&source, &target), owner, checks).await;
    Ok(DoctorReport { source_model_package_arn: found, target_group: own, ..report })
}

/// Access to the source as the target's principal. Only with `--copy-mode server-side` and two principals: S3 then copies as
/// that principal.
async fn source_as_target(
    context: &Context,
    settings: &FullSettings,
    (source, target): (&SourceSide<'_>, &TargetSide<'_>),
) -> Option<SourceAccount> {
    let (account, _) = (target.account?, target.identity.as_ref()?);
    let has_own = source.account.is_some_and(|source| account.is_separate_from(source));
    match settings.copy.mode {
        CopyMode::ServerSide if has_own => context.source_as_target().await.ok(),
        CopyMode::ServerSide | CopyMode::Auto | CopyMode::Stream => None,
    }
}

/// Asks for the images of the version, if both sides and the version are known.
async fn images(
    settings: &DoctorSettings,
    (source, target): (&SourceSide<'_>, &TargetSide<'_>),
    group: Option<&GroupArn>,
    package: Option<&Package>,
) -> Vec<Check> {
    let (Some(source), Some(target), Some(group)) = (source.account, target.account, group) else {
        return Vec::new();
    };
    match package {
        Some(package) => images::AskedImages { source, target, group, settings }.ask(package).await,
        None => {
            let (action, resource) = ("ecr:BatchGetImage", "the images");
            let asked = Asked { side: Side::Source, action, resource, grant_on: "" };
            let hidden = asked.hidden("the images are not known", "a permission to list and describe the version");
            vec![Check { lacks_version: true, ..hidden }]
        }
    }
}

fn group_name(group: &GroupRef, destination: &DestinationSettings) -> GroupName {
    destination.group.as_ref().unwrap_or(group.name()).clone()
}

fn own_group(source: Option<&GroupArn>, identity: &Identity, name: &GroupName) -> Result<GroupArn> {
    match source {
        Some(source) => target_group(source, identity, name),
        None => Ok(identity.group(name)),
    }
}
