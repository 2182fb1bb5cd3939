//! Decides the approval status of a promoted version, and makes the Update that sets it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::aws::registry::TargetRegistry;
use crate::model::approval::{Approval, ApprovalStatus, DecidedBy};
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::package::Package;
use crate::model::promoted::{DISCARDED, PromotedVersion, WITHDRAWN, WITHDRAWN_PENDING};
pub use crate::register::recorded_approval::RecordedApproval;
use crate::register::visibility::describe_updated;

/// An approval description: one line of at most 1024 characters (UpdateModelPackage).
pub(crate) fn remark(prefix: &str, text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() || "\u{2028}\u{2029}".contains(c) { ' ' } else { c });
    prefix.chars().chain(line).take(1024).collect()
}

/// The Update that gives a package an approval status, and the reason for it.
///
/// An Update changes the members that it names and keeps the others (UpdateModelPackage).
pub fn approval_update(status: &ApprovalStatus, reason: Option<&str>) -> Document {
    let mut update = Document::new();
    status.state_in(&mut update);
    if let Some(reason) = reason {
        update.insert("ApprovalDescription".into(), reason.into());
    }
    update
}

/// How a run decides approvals.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalPolicy {
    /// `--approval`. Without a value, the source's approval is carried over, except to versions that were left pending.
    pub approval: Option<Approval>,
    /// Whether versions whose source is Rejected are withdrawn.
    pub withdraw: bool,
}

impl ApprovalPolicy {
    /// Whether versions are left pending.
    pub fn leaves_pending(&self) -> bool {
        self.approval == Some(Approval::Pending)
    }
}

/// What happens to the approval status of a promoted version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It stays.
    Keep,
    /// A pending version gets the status of its source.
    Carry,
    /// A withdrawn version is Approved again.
    ApproveAgain,
    /// A withdrawn version waits for an approval again.
    WaitAgain,
    /// The version is rejected, because its source is Rejected.
    Withdraw,
}

/// The approval of a promoted version after a run.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What happens.
    pub act: Act,
    /// The status.
    pub status: ApprovalStatus,
    /// The reason to set; nothing if the reason stays.
    pub description: Option<String>,
    /// Who has decided.
    pub decided_by: DecidedBy,
}

impl Decision {
    /// Decides from the source version, the promoted version, the newest record and the policy.
    ///
    /// A decision of somebody in the target account is kept, but a version whose source is Rejected is withdrawn.
    pub fn of(
        package: &Package,
        promoted: &PromotedVersion,
        recorded: Option<&RecordedApproval>,
        policy: ApprovalPolicy,
    ) -> Self {
        let (source, current) = (package.approval(), promoted.approval());
        let withdrawn = is_withdrawn(promoted, recorded);
        let decided_by = decided_by(package, promoted, recorded);
        let approves = match (policy.approval, decided_by) {
            (Some(Approval::Pending), _) | (_, DecidedBy::Target) | (None, DecidedBy::Nobody) => false,
            (Some(Approval::Carry), _) | (None, DecidedBy::Source) => true,
        };
        let leaves_pending = policy.leaves_pending();
        let act = match (&source, &current) {
            (ApprovalStatus::Approved, ApprovalStatus::Rejected) if withdrawn => {
                // A version that was Approved before its withdrawal needs no new decision, except with `--approval pending`.
                let restores = if promoted.was_pending() { approves } else { !leaves_pending };
                if restores { Act::ApproveAgain } else { Act::WaitAgain }
            }
            _ => act(&source, &current, approves, policy),
        };
        // The description of a source that was promoted itself may be a remark of promote, which would be taken for this
        // version's.
        let carried = package.text("ApprovalDescription").filter(|text| !is_remark(text)).map(str::to_owned);
        // Without a reason, the Update would keep the reason of the withdrawal.
        let (status, description) = match act {
            Act::Keep => (current.clone(), None),
            Act::Carry => (source, carried),
            Act::ApproveAgain => (source, carried.or_else(|| Some(again(package)))),
            Act::WaitAgain => (ApprovalStatus::PendingManualApproval, Some(again(package))),
            Act::Withdraw => (source, Some(withdrawal(package, &current))),
        };
        let waits = status == ApprovalStatus::PendingManualApproval;
        let decided_by = match act {
            Act::Carry | Act::ApproveAgain => DecidedBy::Source,
            Act::Withdraw if current == ApprovalStatus::Approved => DecidedBy::Source,
            Act::Keep | Act::WaitAgain if leaves_pending && waits && decided_by == DecidedBy::Source => {
                DecidedBy::Nobody
            }
            Act::Keep | Act::WaitAgain | Act::Withdraw => decided_by,
        };
        Self { act, status, description, decided_by }
    }

    /// For a dry run: what [`Self::of`] will decide about a version that is not registered yet.
    /// `before`: the approval of an earlier promotion of the same version that was deleted.
    pub fn planned_act(package: &Package, policy: ApprovalPolicy, before: Option<&RecordedApproval>) -> Act {
        let approves = match before.filter(|before| before.is_withheld()).map(|before| before.decided_by) {
            None | Some(DecidedBy::Source) => !policy.leaves_pending(),
            Some(DecidedBy::Nobody) => policy.approval == Some(Approval::Carry),
            Some(DecidedBy::Target) => false,
        };
        act(&package.approval(), &ApprovalStatus::PendingManualApproval, approves, policy)
    }

    /// The approval of the version after the decision.
    pub fn approval(&self, promoted: &PromotedVersion) -> RecordedApproval {
        let description = self.description.as_deref().or_else(|| promoted.approval_description());
        RecordedApproval {
            status: self.status.clone(),
            description: description.map(str::to_owned),
            decided_by: self.decided_by,
        }
    }

    /// The approval of the version as it is described after the Update. If it differs from the decision, somebody in the
    /// target account has decided meanwhile.
    pub fn approval_after(&self, after: &PromotedVersion) -> RecordedApproval {
        let status = after.approval();
        let decided_by = if status == self.status { self.decided_by } else { DecidedBy::Target };
        RecordedApproval { status, description: after.approval_description().map(str::to_owned), decided_by }
    }

    /// The Update; empty if the approval stays.
    pub fn update(&self) -> Document {
        match self.act {
            Act::Keep => Document::new(),
            Act::Carry | Act::ApproveAgain | Act::WaitAgain | Act::Withdraw => {
                approval_update(&self.status, self.description.as_deref())
            }
        }
    }

    /// Sends the Update of a withdrawal alone, and describes the version to confirm it.
    ///
    /// # Errors
    /// The version could not be rejected, or is not Rejected afterwards.
    pub async fn carry_out(&self, registry: &TargetRegistry, source: &PackageArn, promoted: &PackageArn) -> Result<()> {
        let context = || format!("withdrawing {promoted}, whose source {source} is Rejected");
        registry.update(promoted, &self.update()).await.with_context(context)?;
        let is_shown = |described: &Document| ApprovalStatus::of(described) == self.status;
        let described = describe_updated(registry, promoted, is_shown).await.with_context(context)?;
        let status = ApprovalStatus::of(&described);
        ensure!(status == self.status, not_withdrawn(promoted, &status));
        Ok(())
    }

    /// The members whose described values differ from the values that were set.
    pub fn missing(&self, described: &Document) -> Vec<&'static str> {
        let described = |member: &str| described.get(member).and_then(Value::as_str);
        let members = [
            ("ModelApprovalStatus", (self.act != Act::Keep).then(|| self.status.as_str())),
            ("ApprovalDescription", self.description.as_deref()),
        ];
        let differs = |(member, set): &(&str, Option<&str>)| set.is_some() && described(member) != *set;
        members.into_iter().filter(differs).map(|(member, _)| member).collect()
    }
}

/// What happens to the approval of a version that was not withdrawn before.
fn act(source: &ApprovalStatus, current: &ApprovalStatus, approves: bool, policy: ApprovalPolicy) -> Act {
    match (source, current) {
        (ApprovalStatus::Rejected, ApprovalStatus::Rejected) => Act::Keep,
        (ApprovalStatus::Rejected, _) if policy.withdraw => Act::Withdraw,
        (ApprovalStatus::Approved | ApprovalStatus::Other(_), ApprovalStatus::PendingManualApproval) if approves => {
            Act::Carry
        }
        _ => Act::Keep,
    }
}

/// Somebody else has changed the approval at the same time.
pub fn not_withdrawn(promoted: &PackageArn, status: &ApprovalStatus) -> Failure {
    Failure::new(format!("{promoted} is {status} after it was withdrawn: somebody else changed it")).hint("Run again")
}

/// The approval description of a withdrawn version.
fn withdrawal(package: &Package, current: &ApprovalStatus) -> String {
    let reason = package.text("ApprovalDescription").map(|reason| format!(": {reason}")).unwrap_or_default();
    let prefix = if *current == ApprovalStatus::Approved { WITHDRAWN } else { WITHDRAWN_PENDING };
    remark(prefix, &format!("{} is Rejected{reason}", package.arn()))
}

/// The approval description of a version whose source is Approved again without a reason.
fn again(package: &Package) -> String {
    format!("promote: {} is Approved again", package.arn())
}

/// Whether a text begins like a remark by which later runs recognize a version.
fn is_remark(text: &str) -> bool {
    text.starts_with(WITHDRAWN) || text.starts_with(DISCARDED)
}

/// Whether a run's withdrawal has rejected the version. The description alone does not tell: the target account may have
/// approved the version without a new description, and rejected it later. Then the newest record has this description with
/// another status, or names the target account as who has decided about a version that was Approved.
fn is_withdrawn(promoted: &PromotedVersion, recorded: Option<&RecordedApproval>) -> bool {
    let is_theirs = |by: DecidedBy| by == DecidedBy::Target && !promoted.was_pending();
    let kept = |recorded: &RecordedApproval| {
        let is_later = recorded.status != ApprovalStatus::Rejected || is_theirs(recorded.decided_by);
        is_later && recorded.description.as_deref().is_some_and(is_remark)
    };
    promoted.is_withdrawn() && !recorded.is_some_and(kept)
}

/// Who has decided the current status: the recorded decider, unless the status has changed since.
fn decided_by(package: &Package, promoted: &PromotedVersion, recorded: Option<&RecordedApproval>) -> DecidedBy {
    let current = promoted.approval();
    let Some(recorded) = recorded else {
        // An interrupted run has left no record. Versions are registered as pending, without a reason.
        let theirs = match current {
            ApprovalStatus::Rejected => !promoted.is_withdrawn(),
            ApprovalStatus::PendingManualApproval => promoted.approval_description().is_some(),
            ApprovalStatus::Approved | ApprovalStatus::Other(_) => false,
        };
        return if theirs { DecidedBy::Target } else { DecidedBy::Source };
    };
    if is_withdrawn(promoted, Some(recorded)) {
        return match (promoted.was_pending(), &recorded.status) {
            (false, _) => DecidedBy::Source,
            (true, ApprovalStatus::Approved) => DecidedBy::Target,
            (true, _) => recorded.decided_by,
        };
    }
    let waits_again = promoted.approval_description() == Some(again(package).as_str());
    match (&recorded.status, &current) {
        (ApprovalStatus::Rejected, ApprovalStatus::Rejected)
            if recorded.description.as_deref().is_some_and(|text| text.starts_with(WITHDRAWN)) =>
        {
            DecidedBy::Target
        }
        (then, now) if then == now => recorded.decided_by,
        // A run was killed after it approved the version, or made it wait again, and before it wrote the record.
        (_, ApprovalStatus::Approved) if package.approval() == ApprovalStatus::Approved => match recorded.decided_by {
            DecidedBy::Source => DecidedBy::Source,
            DecidedBy::Nobody | DecidedBy::Target => DecidedBy::Target,
        },
        (ApprovalStatus::Rejected, ApprovalStatus::PendingManualApproval) if waits_again => match recorded.decided_by {
            DecidedBy::Source | DecidedBy::Nobody => DecidedBy::Nobody,
            DecidedBy::Target => DecidedBy::Target,
        },
        _ => DecidedBy::Target,
    }
}
