//! `promote doctor`: asks for everything that a promotion needs, on both sides, and reports all of it.
//!
//! `source` and `target` ask, each answer is a `check`, and `policies` makes the policies that mend what is denied. A
//! request that would change something is one that AWS refuses after it has checked the permission.

mod artifacts;
mod check;
mod destination;
mod policies;
mod present;
mod source;
mod statements;
mod target;
mod upload;

use anyhow::Result;
use serde::Serialize;

use super::context::Context;
use super::settings::{DestinationSettings, DoctorSettings};
use crate::aws::accounts::target_group;
use crate::aws::error::Side;
use crate::aws::session::Identity;
use crate::model::arn::{GroupArn, GroupName, GroupRef, PackageArn};
use crate::plan::images::Images;
use crate::record::{SCHEMA, Tool};
use check::{Asked, distinct};
pub use check::{Check, Finding};
pub use policies::{Mend, Owner};
use source::SourceSide;
use target::TargetSide;

/// The document of `promote doctor`.
#[derive(Debug, Serialize)]
pub struct DoctorReport {
    /// The version of this document.
    pub schema: u32,
    /// The worst result of all checks.
    pub result: Finding,
    /// The source version whose artifacts were asked for, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_model_package_arn: Option<PackageArn>,
    /// The target group, if the target's account is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group: Option<GroupArn>,
    /// The principals of the two sessions, where they are known.
    pub principals: Vec<String>,
    /// Everything that a promotion needs.
    pub checks: Vec<Check>,
    /// The policies that allow what is denied.
    pub policies: Vec<Mend>,
    /// The program that wrote this.
    pub tool: Tool,
}

/// Asks for everything that [`crate::run::full()`] with the same settings needs. Changes nothing: an upload to the target
/// bucket is begun and aborted.
///
/// # Errors
/// The settings contradict each other. What AWS denies is in the report.
pub async fn doctor(context: &Context, settings: &DoctorSettings) -> Result<DoctorReport> {
    let (source, target) = tokio::join!(SourceSide::open(context), TargetSide::open(context));
    let name = group_name(&settings.selection.group, &settings.destination);
    let group = match (&settings.selection.group, source.identity()) {
        (GroupRef::Arn(arn), _) => Some(arn.clone()),
        (GroupRef::Name(name), Some(identity)) => Some(identity.group(name)),
        (GroupRef::Name(_), None) => None,
    };
    let own = target.identity().map(|identity| own_group(group.as_ref(), identity, &name)).transpose()?;
    let target_region = target.identity().map(|identity| identity.region.clone());
    let ((found, mut checks), (state, asked)) = tokio::join!(
        source.ask(settings, group.as_ref(), &name, target_region.as_ref()),
        target.ask(settings, own.as_ref())
    );
    checks.extend(asked);
    if state.needs_tags() {
        checks.extend(source.ask_tags(group.as_ref()).await);
    }
    checks.extend(images(settings));
    let mut checks = distinct(checks);
    checks.sort_by_key(|check| check.side == Side::Target);
    let identities: Vec<(Side, &Identity)> = [(Side::Source, source.identity()), (Side::Target, target.identity())]
        .into_iter()
        .filter_map(|(side, identity)| Some((side, identity?)))
        .collect();
    let mut principals: Vec<String> = identities.iter().map(|(_, identity)| identity.arn.clone()).collect();
    principals.dedup();
    let owner = group.as_ref().map(|group| group.account().clone());
    let policies = policies::mends(&checks, &identities, owner.as_ref());
    let policies = present::merged(policies, &source, &target).await;
    Ok(DoctorReport {
        schema: SCHEMA,
        result: checks.iter().map(|check| check.result).max().unwrap_or(Finding::NotTestable),
        source_model_package_arn: found,
        target_group: own,
        principals,
        checks,
        policies,
        tool: Tool::default(),
    })
}

/// Images are not asked for.
fn images(settings: &DoctorSettings) -> Option<Check> {
    let asked = Asked { side: Side::Target, action: "ecr", resource: "the images", grant_on: "" };
    let reason = "a dry run of `promote full` reads the images; the permissions to copy them are not tested";
    (settings.overrides.images == Some(Images::Copy)).then(|| asked.not_testable(reason))
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
