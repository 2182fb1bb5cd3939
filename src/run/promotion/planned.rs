//! Lists the writes that a dry run leaves out.

use anyhow::Result;

use super::Promotion;
use crate::copy::Outcome;
use crate::image::ImageWrite;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::record::{PlannedAct, PlannedWrite, Record};
use crate::register::decision::{Act, ApprovalPolicy, Decision, RecordedApproval};
use crate::register::sync::SyncPlan;

/// The writes of a promotion, from the record of its preview and the writes of its images. `recorded`: the approval of the
/// current promotion, or of one that was deleted, if it is recorded or claimed. Also returns why the promotion is not
/// approved, if somebody has changed it.
///
/// # Errors
/// A temporary file cannot be read.
pub(in crate::run) fn planned_writes(
    promotion: &Promotion<'_>,
    package: &Package,
    (record, images): (&Record, &[ImageWrite]),
    (current, missing_group): (Option<&PromotedVersion>, bool),
    (policy, recorded): (ApprovalPolicy, Option<&RecordedApproval>),
) -> Result<(Vec<PlannedWrite>, Option<Warning>)> {
    let (destination, mut writes, mut withheld) = (&promotion.destination, Vec::new(), None);
    if missing_group {
        writes.push(PlannedWrite::new(PlannedAct::CreateGroup, &destination.group));
    }
    if to_be_copied(record)? {
        writes.push(PlannedWrite::new(PlannedAct::Copy, destination.layout(package.arn()).folder()));
    }
    writes.extend(images.iter().map(PlannedWrite::from));
    match current {
        Some(current) => {
            let mut decision = Decision::of(package, current, recorded, policy);
            if let Some(request) = &record.request {
                (decision, withheld) = decision.unless_added(current, request);
            }
            writes.extend(PlannedWrite::of(decision.act, &current.arn));
        }
        None => {
            writes.push(PlannedWrite::new(PlannedAct::Register, &destination.group));
            let approves = Decision::planned_act(package, policy, recorded) == Act::Carry;
            writes.extend(approves.then(|| PlannedWrite::new(PlannedAct::Approve, &destination.group)));
        }
    }
    Ok((writes, withheld))
}

fn to_be_copied(record: &Record) -> Result<bool> {
    for artifact in record.artifacts.iter() {
        if artifact?.result == Outcome::Planned {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The writes of a sync.
pub(in crate::run) fn sync_writes(
    decision: &Decision,
    plan: &SyncPlan,
    promoted: &PromotedVersion,
) -> Vec<PlannedWrite> {
    // An Update may set nothing but metadata of the promotion itself.
    let updates = plan.update.len() > decision.update().len();
    let update = updates.then(|| PlannedWrite::new(PlannedAct::Update, &promoted.arn));
    PlannedWrite::of(decision.act, &promoted.arn).into_iter().chain(update).collect()
}

/// The writes of the promotion and of the versions that are followed, greatest first.
pub(in crate::run) fn greatest_first(
    promotion: Option<Vec<PlannedWrite>>,
    followed: Vec<PlannedWrite>,
) -> Vec<PlannedWrite> {
    let mut writes = promotion.unwrap_or_default();
    writes.extend(followed);
    writes.sort_by_key(|write| match write.act {
        PlannedAct::Withdraw | PlannedAct::Discard => 0,
        PlannedAct::ApproveAgain | PlannedAct::WaitAgain => 1,
        PlannedAct::Register => 2,
        PlannedAct::Approve => 3,
        PlannedAct::Copy => 4,
        PlannedAct::CopyImage | PlannedAct::CopyReferrer | PlannedAct::TagImage => 5,
        PlannedAct::CreateGroup | PlannedAct::CreateRepository => 6,
        PlannedAct::Update => 7,
    });
    writes
}
