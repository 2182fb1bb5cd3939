//! `promote hold` and `promote release`: stop promotions into a group, and let them go on.

pub(super) mod now;
mod rejecting;
pub(super) mod rollback;
mod serving;
pub(super) mod settings;

use anyhow::Result;
use serde::Serialize;

use super::context::Context;
use super::settings::HoldSettings;
use crate::aws::accounts::TargetAccount;
use crate::aws::objects::Encryption;
use crate::aws::session::Identity;
use crate::copy::Holds;
use crate::model::arn::GroupArn;
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::hold::{Hold, HoldState, Release};
use crate::model::layout::Layout;
use crate::model::promoted::PromotedVersion;
use crate::record::{SCHEMA, Tool};
use crate::register::existing::describe_all;

/// How often a run tries to write a hold whose number another run takes at the same time.
const ATTEMPTS: usize = 8;

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
    /// Why runs may not look for the hold at this place, or not only there.
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

/// Holds a group: nothing is promoted into it until it is released.
///
/// # Errors
/// The hold cannot be written.
pub async fn hold(context: &Context, settings: &HoldSettings) -> Result<HoldReport> {
    let target = context.target().await?;
    let place = Place::find(target, settings, target.check().await?).await?;
    let holds = place.holds(target, settings);
    let state = holds.state().await?;
    if let Some(hold) = holds.read(state).await? {
        return Ok(place.report(HoldOutcome::AlreadyHeld, Some(hold), None));
    }
    let reason = settings.reason.as_deref().unwrap_or_default();
    let new = |number| Hold::new(number, &place.destination.group, reason, &place.destination.caller, now(context));
    if settings.dry_run {
        return Ok(place.report(HoldOutcome::Planned, Some(new(state.next())), None));
    }
    let hold = put(&holds, state, new).await?;
    Ok(place.report(HoldOutcome::Held, Some(hold), None))
}

/// Releases a group that is held.
///
/// # Errors
/// The release cannot be written.
pub async fn release(context: &Context, settings: &HoldSettings) -> Result<HoldReport> {
    let target = context.target().await?;
    let place = Place::find(target, settings, target.check().await?).await?;
    let holds = place.holds(target, settings);
    let Some(hold) = holds.now().await? else {
        return Ok(place.report(HoldOutcome::NotHeld, None, None));
    };
    let Destination { group, caller, .. } = &place.destination;
    let release = Release::new(hold.number, group, settings.reason.as_deref(), caller, now(context));
    if settings.dry_run {
        return Ok(place.report(HoldOutcome::Planned, Some(hold), Some(release)));
    }
    match holds.release(&release).await? {
        true => Ok(place.report(HoldOutcome::Released, Some(hold), Some(release))),
        // Somebody else has released it meanwhile.
        false => Ok(place.report(HoldOutcome::NotHeld, None, None)),
    }
}

/// Writes a hold with the next number.
///
/// # Errors
/// The hold cannot be written, or other runs take its number again and again.
pub(super) async fn put(holds: &Holds<'_>, state: HoldState, new: impl Fn(u32) -> Hold) -> Result<Hold> {
    let mut number = state.next();
    for _ in 0..ATTEMPTS {
        let hold = new(number);
        if holds.place(&hold).await? {
            return Ok(hold);
        }
        number = holds.state().await?.next().max(number + 1);
    }
    Err(Failure::new(format!("other runs hold and release {} at the same time", holds.group)).hint("Run again").into())
}

/// Where the promotions to a group are.
pub(super) struct Place {
    pub destination: Destination,
    /// The versions of the group, the newest first.
    pub versions: Vec<PromotedVersion>,
    /// What makes it doubtful that runs look for a hold here, or only here.
    pub warnings: Vec<String>,
}

impl Place {
    /// The bucket and the prefix of the settings; otherwise those of the group's newest promoted version.
    ///
    /// # Errors
    /// No bucket is given, and no promoted version names one.
    pub async fn find(target: &TargetAccount, settings: &HoldSettings, identity: Identity) -> Result<Self> {
        let group = identity.group(&settings.target_group);
        let listed = target.registry().list(&settings.target_group, None).await?;
        let arns: Vec<_> = listed.into_iter().map(|summary| summary.arn).collect();
        let mut versions = describe_all(target.registry(), &arns).await?;
        versions.sort_by_key(|version| std::cmp::Reverse(version.arn.version()));
        let unknown = || "unknown".parse().expect("it is a valid bucket name");
        let given = Destination {
            bucket: settings.bucket.clone().unwrap_or_else(unknown),
            prefix: settings.prefix.clone().unwrap_or_default(),
            group,
            caller: identity.arn,
        };
        let named: Vec<Destination> =
            versions.iter().filter_map(|version| given.of(version, &version.source()?)).collect();
        let fits = |place: &&Destination| settings.bucket.as_ref().is_none_or(|bucket| *bucket == place.bucket);
        let found = match (named.iter().find(fits), &settings.bucket) {
            (Some(found), _) => found.clone(),
            (None, Some(_)) => given.clone(),
            (None, None) => {
                let message =
                    format!("the bucket of the promotions is not known: {} has no promoted version", given.group);
                let hint = "Pass `--target-bucket`, and `--target-prefix` if there is one";
                return Err(Failure::new(message).hint(hint).into());
            }
        };
        let prefix = settings.prefix.clone().unwrap_or(found.prefix);
        let destination = Destination { bucket: found.bucket, prefix, ..given };
        let warnings = other_places(&destination, &named);
        Ok(Self { destination, versions, warnings })
    }

    /// Where a version was promoted to: versions of one group may be in several buckets or prefixes.
    pub fn of(&self, version: &PromotedVersion) -> Destination {
        let found = version.source().and_then(|source| self.destination.of(version, &source));
        found.unwrap_or_else(|| self.destination.clone())
    }

    pub fn holds<'a>(&'a self, target: &'a TargetAccount, settings: &HoldSettings) -> Holds<'a> {
        let Destination { bucket, prefix, group, .. } = &self.destination;
        let promotions = Layout::promotions(bucket, prefix, group.name());
        Holds {
            target: target.objects(),
            group,
            promotions,
            encryption: Encryption { kms_key: settings.kms_key.clone() },
        }
    }

    fn report(&self, outcome: HoldOutcome, hold: Option<Hold>, release: Option<Release>) -> HoldReport {
        let target_group = self.destination.group.clone();
        let warnings = self.warnings.clone();
        HoldReport { schema: SCHEMA, outcome, target_group, hold, release, warnings, tool: Tool::default() }
    }
}

/// Warns if runs may look for the hold in another bucket or prefix than that of the destination.
fn other_places(destination: &Destination, named: &[Destination]) -> Vec<String> {
    let of = |place: &Destination| Layout::promotions(&place.bucket, &place.prefix, place.group.name());
    let (own, mut others) = (of(destination), named.iter().map(of).collect::<Vec<_>>());
    others.sort();
    others.dedup();
    let is_used = others.contains(&own);
    others.retain(|other| *other != own);
    let mut warnings = Vec::new();
    if !is_used {
        warnings.push(format!("no version of the group was promoted to {own}"));
    }
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        warnings.push(format!(
            "versions were also promoted to {}, and runs that promote there look for holds there only: run `promote hold` \
             or `promote release` for that place too, with `--target-bucket` and `--target-prefix`",
            others.join(", ")
        ));
    }
    warnings
}

fn now(context: &Context) -> String {
    context.clock.start().time()
}
