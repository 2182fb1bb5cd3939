//! `promote hold` and `promote release`: stop promotions into a group, and let them go on.

mod everywhere;
pub(super) mod now;
mod place;
mod rejecting;
pub(super) mod rollback;
mod serving;
pub(super) mod settings;

use anyhow::Result;
use serde::Serialize;

use super::context::Context;
use super::settings::HoldSettings;
use crate::model::arn::GroupArn;
use crate::model::destination::Destination;
use crate::model::hold::{Hold, Release};
use crate::record::{SCHEMA, Tool};
use everywhere::Everywhere;
use place::Place;

/// The document of `promote hold` and `promote release`.
#[derive(Debug, Serialize)]
pub struct HoldReport {
    /// The version of this document.
    pub schema: u32,
    /// What was done.
    pub outcome: HoldOutcome,
    /// The target group.
    pub target_group: GroupArn,
    /// The hold; nothing if the group is not held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The release of the hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Why runs may not look for the hold at a place, and places that cannot be held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The program that wrote this.
    pub tool: Tool,
}

/// What was done with a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldOutcome {
    /// The group is held now.
    Held,
    /// The group was held before. Its hold was not changed.
    AlreadyHeld,
    /// The group is no longer held.
    Released,
    /// The group was not held.
    NotHeld,
    /// A dry run: nothing was written.
    Planned,
}

/// Holds a group at every place that its versions name: nothing is promoted into it until it is released.
///
/// # Errors
/// The hold cannot be written.
pub async fn hold(context: &Context, settings: &HoldSettings) -> Result<HoldReport> {
    let target = context.target().await?;
    let place = Place::find(target, settings, target.check().await?).await?;
    let mut everywhere = Everywhere::read(target, &place, settings).await?;
    if everywhere.is_held(|_| true) {
        let hold = everywhere.present().next().cloned();
        return Ok(place.report(HoldOutcome::AlreadyHeld, hold, None, everywhere.warnings()));
    }
    let (reason, since) = (settings.reason.as_deref().unwrap_or_default(), now(context));
    let Destination { group, caller, .. } = &place.destination;
    let new = |number| Hold::new(number, group, reason, caller, since.clone());
    if settings.dry_run {
        return Ok(place.report(HoldOutcome::Planned, Some(everywhere.next(new)), None, everywhere.warnings()));
    }
    let put = everywhere.put(|_| true, new).await?;
    put.everywhere?;
    Ok(place.report(HoldOutcome::Held, put.first, None, everywhere.warnings()))
}

/// Releases a group that is held, at every place that its versions or its holds name.
///
/// # Errors
/// The release cannot be written.
pub async fn release(context: &Context, settings: &HoldSettings) -> Result<HoldReport> {
    let target = context.target().await?;
    let place = Place::find(target, settings, target.check().await?).await?.with_root(settings);
    let mut everywhere = Everywhere::read(target, &place, settings).await?;
    let Destination { group, caller, .. } = &place.destination;
    let at = now(context);
    let new = |hold: &Hold| Release::new(hold.number, group, settings.reason.as_deref(), caller, at.clone());
    let (outcome, released) = match settings.dry_run {
        true => (HoldOutcome::Planned, everywhere.present().next().map(|hold| (hold.clone(), new(hold)))),
        false => (HoldOutcome::Released, everywhere.release(new).await?),
    };
    let Some((hold, release)) = released else {
        return Ok(place.report(HoldOutcome::NotHeld, None, None, everywhere.warnings()));
    };
    Ok(place.report(outcome, Some(hold), Some(release), everywhere.warnings()))
}

impl Place {
    fn report(
        &self,
        outcome: HoldOutcome,
        hold: Option<Hold>,
        release: Option<Release>,
        warnings: Vec<String>,
    ) -> HoldReport {
        let target_group = self.destination.group.clone();
        HoldReport { schema: SCHEMA, outcome, target_group, hold, release, warnings, tool: Tool::default() }
    }
}

fn now(context: &Context) -> String {
    context.clock.start().time()
}
