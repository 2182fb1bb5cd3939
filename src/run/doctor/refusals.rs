//! What the dry run of a promotion refuses, and no single request shows.

use super::check::{Asked, Check, Finding};
use super::source;
use super::target;
use crate::aws::accounts::TargetAccount;
use crate::aws::error::{CallError, with_hints};
use crate::copy::There;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::failure::cause;
use crate::model::hold::Held;
use crate::run::context::Context;
use crate::run::full;
use crate::run::promotion::target_group::{look, refuse_others};
use crate::run::settings::{FullSettings, RegistrationSettings};

/// Why there is no dry run.
const NOT_RUN: &str =
    "`full --dry-run` is not run while something is denied or missing; fix that, then run doctor again";

/// Makes the plan of the promotion, if nothing is known that prevents it.
pub(super) async fn ask_plan(
    context: &Context,
    settings: &FullSettings,
    version: &PackageArn,
    known: &[Check],
) -> Check {
    let asked = source::asked("plan", version.as_str(), "");
    let is_needed = |check: &Check| !check.optional && check.result >= Finding::Missing;
    if known.iter().any(is_needed) {
        return asked.not_testable(NOT_RUN);
    }
    let dry_run = FullSettings { dry_run: true, ..settings.clone() };
    match full(&context.unobserved(), &dry_run).await {
        Ok(report) => asked.with(Finding::Ok, report.document.hold.map(|hold| Held(hold).to_string())),
        Err(error) => {
            let result = cause::<CallError>(&error).map_or(Finding::Missing, Finding::of);
            asked.with(result, Some(with_hints(&error)))
        }
    }
}

/// Says if the target group has versions of others only, and the settings do not allow to promote into it. Says nothing if
/// that cannot be read, which other checks tell.
pub(super) async fn ask_others(
    target: &TargetAccount,
    destination: &Destination,
    (group, version): (&GroupArn, Option<&PackageArn>),
    settings: &RegistrationSettings,
) -> Option<Check> {
    let (state, _) = look(target, destination, group, true).await.ok()?;
    let was_claimed = match version {
        Some(version) if state.is_others() => {
            let layout = destination.layout(version);
            let there = There::look(target.objects(), &layout).await.ok()?;
            there.with_claim(target.objects(), &layout).await.ok()?.was_claimed()
        }
        _ => false,
    };
    let refused = refuse_others(state, destination, group, settings, was_claimed).err()?;
    let asked: Asked<'_> = target::asked("group", destination.group.as_str(), "");
    Some(asked.with(Finding::Missing, Some(with_hints(&refused))))
}
