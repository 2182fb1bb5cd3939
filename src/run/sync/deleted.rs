//! The last decision of the target account about a promoted version that was deleted.

use anyhow::Result;

use crate::copy::There;
use crate::model::approval::{Approval, ApprovalStatus, DecidedBy};
use crate::model::package::Package;
use crate::model::promoted::WITHDRAWN_PENDING;
use crate::plan::Warning;
use crate::record::history::History;
use crate::register::decision::RecordedApproval;
use crate::register::existing::ExistingPromotions;
use crate::run::promotion::Promotion;
use crate::run::settings::FullSettings;

impl FullSettings {
    /// Whether the user has asked for one version by its number, and for its approval.
    pub(in crate::run) fn is_approved_by_name(&self) -> bool {
        self.selection.version.is_some() && self.registration.approval == Some(Approval::Carry)
    }
}

impl Promotion<'_> {
    /// The records of a promotion whose promoted version does not exist any more; an empty history if there are none.
    ///
    /// # Errors
    /// A record cannot be read.
    pub async fn former_records(&self, package: &Package, there: &There) -> Result<History> {
        let layout = self.destination.layout(package.arn());
        if !there.has_records(&layout)? {
            return Ok(History::default());
        }
        let history = History::list(self.target.objects(), &layout).await?;
        history.refuse_unreadable()?;
        Ok(history)
    }
}

/// The approval that the version begins with: `recorded`, or the last recorded approval of a deleted version, because a
/// deletion does not lift a rejection. Adds a warning. `overrules`: the user has asked for the approval of exactly this
/// version.
pub(in crate::run) fn decided_before(
    package: &Package,
    history: &History,
    existing: ExistingPromotions,
    (recorded, overrules): (Option<RecordedApproval>, bool),
) -> (Option<RecordedApproval>, ExistingPromotions) {
    if recorded.is_some() || overrules {
        return (recorded, existing);
    }
    let last = history.last_approval(package).and_then(|(deleted, last)| Some((deleted, withheld(&last)?, last)));
    let Some((deleted, approval, last)) = last else { return (None, existing) };
    if existing.current().is_some() {
        // An earlier run has told of it.
        return (Some(approval), existing);
    }
    let because = last.description.as_ref().map(|text| format!(" (\"{text}\")")).unwrap_or_default();
    let was = match &last.status {
        ApprovalStatus::Rejected if is_withdrawal(&last) => format!("it was withdrawn{because}"),
        ApprovalStatus::Rejected => format!("it was Rejected in the target account{because}"),
        status => format!("it was {status}{because}"),
    };
    let remark =
        format!("{was} and then deleted; the version that takes its place waits for an approval in the target account");
    (Some(approval), existing.with_warning(Warning { field: deleted.to_string(), remark }))
}

/// The approval that the version in place of a deleted one begins with; nothing if the source decides. A version that was
/// withdrawn while it waited for an approval waits again.
fn withheld(last: &RecordedApproval) -> Option<RecordedApproval> {
    if is_withdrawal(last) && last.decided_by != DecidedBy::Source {
        let status = ApprovalStatus::PendingManualApproval;
        return Some(RecordedApproval { status, description: None, decided_by: last.decided_by });
    }
    last.is_withheld().then(|| last.clone())
}

/// Whether a run has withdrawn the version while it waited for an approval. The source decides about one that was
/// withdrawn while it was Approved.
fn is_withdrawal(last: &RecordedApproval) -> bool {
    last.description.as_deref().is_some_and(|text| text.starts_with(WITHDRAWN_PENDING))
}
