//! The document of a dry run for a version that is not promoted yet.

use anyhow::Result;

use super::planned::planned_writes;
use super::{Promotion, planned};
use crate::copy::There;
use crate::image::ImageWrite;
use crate::model::approval::ApprovalStatus;
use crate::model::package::Package;
use crate::plan::{Plan, Warning};
use crate::record::{PlannedAct, PlannedWrite, Record, Target};
use crate::register::decision::{ApprovalPolicy, RecordedApproval};
use crate::register::existing::ExistingPromotions;
use crate::run::settings::CopySettings;

/// What would be copied and registered. `missing_group`: whether the target group would be created.
pub(in crate::run) async fn preview(
    promotion: &Promotion<'_>,
    (settings, policy): (&CopySettings, ApprovalPolicy),
    package: &Package,
    (plan, there): (Plan, There),
    (existing, recorded, missing_group): (&ExistingPromotions, Option<RecordedApproval>, bool),
) -> Result<Record> {
    let (recorded, warning) = known(package, existing, recorded, &there);
    let preview = promotion.preview(settings, plan, there).await?;
    let mut record = promotion.record(planned(existing.current()), package).with_preview(&preview)?;
    record.warnings.extend(warning);
    let registry = (existing, recorded, missing_group);
    with_writes(promotion, policy, package, (record, preview.image_writes()), registry)
}

/// What would be registered, if everything was copied before.
pub(in crate::run) async fn preview_of_copied(
    promotion: &Promotion<'_>,
    policy: ApprovalPolicy,
    package: &Package,
    (plan, there): (Plan, There),
    (existing, recorded, missing_group): (&ExistingPromotions, Option<RecordedApproval>, bool),
) -> Result<Record> {
    let (recorded, warning) = known(package, existing, recorded, &there);
    let copied = promotion.confirm(plan, there).await?;
    let mut record = promotion.record(planned(existing.current()), package).with_copied(&copied)?;
    record.warnings.extend(warning);
    with_writes(promotion, policy, package, (record, &[]), (existing, recorded, missing_group))
}

/// The recorded approval of the promotion. Without a record: what its claim or its last change tells.
fn known(
    package: &Package,
    existing: &ExistingPromotions,
    recorded: Option<RecordedApproval>,
    there: &There,
) -> (Option<RecordedApproval>, Option<Warning>) {
    let current = existing.current().filter(|_| recorded.is_none());
    let Some(current) = current else { return (recorded, None) };
    match RecordedApproval::unrecorded(there.claim()) {
        None => {
            let (changed, warning) = RecordedApproval::of_changed(current).unzip();
            (changed, warning.filter(|_| package.approval() != ApprovalStatus::Rejected))
        }
        claimed => (claimed, None),
    }
}

/// Adds what would be written to the registry.
fn with_writes(
    promotion: &Promotion<'_>,
    policy: ApprovalPolicy,
    package: &Package,
    (mut record, images): (Record, &[ImageWrite]),
    (existing, recorded, missing_group): (&ExistingPromotions, Option<RecordedApproval>, bool),
) -> Result<Record> {
    let current = existing.current();
    record.warnings.extend(existing.warnings());
    let (destination, source) = (&promotion.destination, package.arn());
    record.target = Some(match current {
        Some(current) => Target::of_version(destination, source, current),
        None => Target::of(destination, source),
    });
    let approval = (policy, recorded.as_ref());
    let (mut writes, withheld) =
        planned_writes(promotion, package, (&record, images), (current, missing_group), approval)?;
    record.warnings.extend(withheld);
    if let (Some(current), Some(request)) = (current, &record.request) {
        let approves = |write: &PlannedWrite| matches!(write.act, PlannedAct::Approve | PlannedAct::ApproveAgain);
        let approval = if writes.iter().any(approves) { ApprovalStatus::Approved } else { current.approval() };
        let duplicates = existing.to_be_discarded(&current.arn, &approval, request);
        writes.extend(duplicates.map(|arn| PlannedWrite::new(PlannedAct::Discard, arn)));
    }
    record.planned = Some(writes);
    Ok(record)
}
