//! Completes a registration: waits for SageMaker, compares every field, and sends the update that approves.

use anyhow::{Result, bail, ensure};

use super::attempt::Registering;
use super::decision::{Decision, RecordedApproval};
use super::discarded::NotAsRequested;
use super::event::RegistrationEvent;
use super::services::{ClaimStore, Registry, SourceVersions};
use super::sync::{Change, edits};
use super::visibility::{FIRST_WAIT, LONGEST_WAIT, Visibility};
use super::wanted::Wanted;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::package::failure_reasons;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::plan::provenance::marked;
use crate::register::sync::METADATA;
use crate::schema::comparison::{Difference, differences};

const REPORT: &str = "Run again; if the version differs again, report a bug in promote and include this message";
const EDITED: &str = "Carry changes of the source over with `promote full`; if the source has not changed, somebody has edited \
                      the version in the target account";
const OTHER_REQUEST: &str = "Run `promote full` again: it follows a version that another run has registered with other settings, \
                             and carries changes of the source over";

/// The state of a completed version.
pub(super) struct Completion {
    pub approval: RecordedApproval,
    /// The fields that SageMaker has added.
    pub added: Vec<Change>,
    /// The values of the Update; nothing if the version had them already.
    pub updated: Option<Wanted>,
    /// Why the version was not approved, if that is not known for certain.
    pub warning: Option<Warning>,
}

impl<R: Registry, S: SourceVersions, C: ClaimStore> Registering<'_, R, S, C> {
    /// Waits until the version is complete, compares it with the request, and sets its final status. `new`: whether this run
    /// has registered it.
    pub async fn complete(
        &self,
        promoted: &PromotedVersion,
        recorded: Option<&RecordedApproval>,
        source_now: Document,
        (visibility, new): (Visibility, bool),
    ) -> Result<Completion> {
        let arn = &promoted.arn;
        // Nobody can have decided about a version that was not complete when it was found.
        let is_undecided = new || !promoted.is_complete();
        let (promoted, source_now) = self.wait(promoted, source_now, visibility).await?;
        let description = &promoted.description;
        let lines = self.refused(description, new);
        if !lines.is_empty() {
            let done = match promoted.approval() {
                ApprovalStatus::PendingManualApproval => "was not approved".to_owned(),
                status => format!("is {status}; it was not changed"),
            };
            let message = format!("{arn} differs from its request and {done}:\n{}", lines.join("\n"));
            // Only an Update replaces the digest. SageMaker could only lose it.
            let has_lost_digest = new && marked(description).is_none();
            let is_overtaken = marked(description) != marked(self.request) && !has_lost_digest;
            let is_unused = !is_overtaken && promoted.approval() == ApprovalStatus::PendingManualApproval;
            let hint = match is_overtaken {
                true => OTHER_REQUEST,
                false if new && is_unused => REPORT,
                false => EDITED,
            };
            bail!(NotAsRequested { message, hint, is_unused, is_overtaken });
        }
        let added = Change::added(self.request, description);
        let mut current = promoted.clone();
        let (mut decision, mut warning) = self.decide(&current, recorded, is_undecided);
        if decision.status == ApprovalStatus::Approved && promoted.approval() != ApprovalStatus::Approved {
            self.refuse_changed_source(&source_now, arn)?;
            if new {
                self.source.refuse_held().await?;
            } else {
                // Somebody in the target account may have decided since the run has found the version.
                let (held, now) = tokio::join!(self.source.refuse_held(), visibility.describe(self.registry, arn));
                held?;
                current.description = now?;
                (decision, warning) = self.decide(&current, recorded, is_undecided);
            }
        }
        let approval = decision.approval(&current);
        let wanted = Wanted::new(decision, self.source_uri.map(str::to_owned));
        let Some(update) = wanted.update(description) else {
            return Ok(Completion { approval, added, updated: None, warning });
        };
        self.registry.update(arn, &update).await?;
        Ok(Completion { approval, added, updated: Some(wanted), warning })
    }

    /// Decides about the version. If neither a record nor this run has its approval, a change of it may be a decision.
    /// `is_undecided`: whether nobody can have decided about it before this run.
    fn decide(
        &self,
        current: &PromotedVersion,
        recorded: Option<&RecordedApproval>,
        is_undecided: bool,
    ) -> (Decision, Option<Warning>) {
        let may_have_changed = !is_undecided && recorded.is_none();
        let changed = if may_have_changed { RecordedApproval::of_changed(current) } else { None };
        let (changed, warning) = changed.unzip();
        let warning = warning.filter(|_| self.package.approval() != ApprovalStatus::Rejected);
        let recorded = recorded.or(changed.as_ref());
        let decision = Decision::of(self.package, current, recorded, self.policy.approvals);
        let (decision, withheld) = decision.unless_added(current, self.request);
        (decision, warning.or(withheld))
    }

    /// The fields that differ from the request, a line each. After an earlier run has registered the version with the same
    /// request, others may have edited fields that do not change what was promoted: these are kept. So is a metadata key
    /// that somebody has added to a new version.
    fn refused(&self, description: &Document, new: bool) -> Vec<String> {
        let line = |detail: String| format!("  {detail}");
        if new || marked(description) != marked(self.request) {
            let is_added_key = |found: &Difference| found.field().root() == METADATA && found.requested().is_none();
            let found =
                differences(self.request, description).into_iter().filter(|found| !(new && is_added_key(found)));
            return found.map(|found| line(found.to_string())).collect();
        }
        let edits = edits(self.request, self.source_uri, description).into_iter();
        edits.filter(|edit| edit.alters_promotion()).map(|edit| line(edit.detail)).collect()
    }

    /// Refuses to approve if the approval of the source has changed while its artifacts were copied: this run would not
    /// withdraw the version.
    fn refuse_changed_source(&self, source_now: &Document, arn: &PackageArn) -> Result<()> {
        let (found, now) = (self.package.approval(), ApprovalStatus::of(source_now));
        ensure!(
            found == now,
            Failure::new(format!(
                "the approval of {} changed from {found} to {now} during this run; {arn} was not approved",
                self.package.arn()
            ))
            .hint("Run again")
        );
        Ok(())
    }

    /// Describes the version and its source until the version is complete. Both were described a moment ago.
    async fn wait(
        &self,
        promoted: &PromotedVersion,
        mut source_now: Document,
        visibility: Visibility,
    ) -> Result<(PromotedVersion, Document)> {
        let arn = &promoted.arn;
        let started = self.registry.now();
        let mut pause = FIRST_WAIT;
        let mut description = promoted.description.clone();
        loop {
            match PackageStatus::of(&description) {
                PackageStatus::Completed => return Ok((PromotedVersion { arn: arn.clone(), description }, source_now)),
                PackageStatus::Failed | PackageStatus::Deleting => {
                    let message = format!("SageMaker could not complete {arn}{}", failure_reasons(&description));
                    let hint = "Remove the cause that SageMaker names, then run again";
                    bail!(NotAsRequested { message, hint, is_unused: true, is_overtaken: false });
                }
                status @ (PackageStatus::Pending | PackageStatus::InProgress | PackageStatus::Other(_)) => {
                    let waited = self.registry.now() - started;
                    ensure!(
                        waited < self.policy.patience,
                        Failure::new(format!(
                            "{arn} is still {status} after {} s, and was not approved",
                            self.policy.patience.as_secs()
                        ))
                        .hint("Run again to complete it, with a larger `--wait-seconds` if need be")
                    );
                    (self.tell)(RegistrationEvent::WaitingForSageMaker { promoted: arn, status: &status, waited });
                }
            }
            self.registry.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_WAIT);
            let described = visibility.describe(self.registry, arn);
            let (described, source) = tokio::join!(described, self.source.describe(self.package.arn()));
            (description, source_now) = (described?, source?);
        }
    }
}
