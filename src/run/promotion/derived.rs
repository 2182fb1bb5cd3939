//! Tells promotions from versions that somebody has derived from a promoted version, or whose deployment somebody has
//! changed.

use crate::model::promoted::PromotedVersion;
use crate::plan::Plan;
use crate::plan::provenance::marked;
use crate::record::history::History;
use crate::register::existing::ExistingPromotions;
use crate::register::sync::{Edit, edits};

/// Leaves out versions that have the metadata of the promotion and deploy something else than the recorded request, or
/// without a record, than the planned one. A version without a record to which somebody has only added inference
/// specifications is left out if it follows another version of the promotion.
pub(in crate::run) fn without_derived(
    existing: ExistingPromotions,
    history: &History,
    plan: &Plan,
) -> ExistingPromotions {
    let is_edited = |version: &PromotedVersion, may_be_added_to: bool| {
        let is_recorded = || history.of_version(version).next().is_some();
        !version.is_abandoned() && differs(version, plan, may_be_added_to) && !is_recorded()
    };
    let existing = existing.without_derived(|version| history.is_derived(version) || is_edited(version, true));
    let first = existing.current().map(|first| first.arn.clone());
    existing.without_derived(|version| first.as_ref() != Some(&version.arn) && is_edited(version, false))
}

/// Whether a version has the digest of the planned request, and deploys something else. With `may_be_added_to`, added
/// inference specifications are no difference.
fn differs(version: &PromotedVersion, plan: &Plan, may_be_added_to: bool) -> bool {
    let edits = || edits(&plan.request, plan.source_uri.as_deref(), &version.description);
    let counts = |edit: &Edit| if may_be_added_to { edit.alters_promotion() } else { edit.is_essential() };
    marked(&version.description) == marked(&plan.request) && edits().iter().any(counts)
}
