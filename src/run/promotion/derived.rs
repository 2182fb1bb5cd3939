//! Tells promotions from versions that somebody has derived from a promoted version, or whose deployment somebody has
//! changed.

use crate::model::promoted::PromotedVersion;
use crate::plan::Plan;
use crate::plan::provenance::marked;
use crate::record::history::History;
use crate::register::existing::ExistingPromotions;
use crate::register::sync::edits;

/// Leaves out versions that have the metadata of the promotion and deploy something else than the recorded request, or
/// without a record, than the planned one.
pub(in crate::run) fn without_derived(
    existing: ExistingPromotions,
    history: &History,
    plan: &Plan,
) -> ExistingPromotions {
    existing.without_derived(|version| {
        let is_recorded = || history.of_version(version).next().is_some();
        history.is_derived(version) || !is_recorded() && !version.is_abandoned() && is_edited(version, plan)
    })
}

/// Whether a version has the digest of the planned request, and deploys something else.
fn is_edited(version: &PromotedVersion, plan: &Plan) -> bool {
    let edits = || edits(&plan.request, plan.source_uri.as_deref(), &version.description);
    marked(&version.description) == marked(&plan.request) && edits().iter().any(|edit| edit.is_essential())
}
