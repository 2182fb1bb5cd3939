//! A version that was promoted before: its record and its copy come in; the copy as its source is now comes out.

use anyhow::Result;
use serde_json::Value;

use super::output::Printer;
use super::records::Records;
use super::signing::Signer;
use super::steps::{Clock, Place, look};
use crate::aws::accounts::TargetAccount;
use crate::aws::error::CallError;
use crate::model::approval::Approval;
use crate::model::package::Package;
use crate::plan::draft::{Carrying, Draft};
use crate::plan::rewriting::Rewritten;
use crate::record::{Conclusion, Record};
use crate::register::decision;
use crate::register::earlier::Own;
use crate::register::sync::Renewal;

/// What a renewal needs.
pub struct Renewing<'a> {
    /// The run.
    pub clock: &'a Clock,
    /// Where the copy is.
    pub target: &'a TargetAccount,
    /// Its group and folder.
    pub place: &'a Place,
    /// How it was carried over.
    pub carrying: &'a Carrying,
    /// The status that it gets when it waits for one.
    pub approval: Approval,
    /// What signs the record.
    pub signer: Option<&'a Signer>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// Where drift is announced.
    pub printer: &'a Printer,
}

impl Renewing<'_> {
    /// Brings the copy up to date, in one Update; `record` is the document that the outcome goes into. Answers nothing
    /// when the copy is to be approved again and one of its artifacts is not there: then it has to be promoted again.
    ///
    /// # Errors
    /// The Update fails, or AWS would refuse it.
    pub async fn run(&self, package: &Package, before: Record, own: &Own, record: Record) -> Result<Option<Record>> {
        let decided = Decision::of(package, own, self.approval);
        if decided.is_some() && !self.has_all(package, &before).await? {
            return Ok(None);
        }
        let mut renewal = self.changes(package, &before, own)?;
        if let Some(Decision { status, reason, .. }) = &decided {
            renewal = renewal.deciding(status, reason, own);
        }
        let mut record = record;
        for artifact in before.artifacts.iter() {
            record.artifacts.push(&artifact?.found_again())?;
        }
        record.left = before.left;
        record.warnings.extend(before.warnings);
        record.request = if renewal.request.is_empty() { before.request } else { Some(renewal.request.clone()) };
        record.source_uri = before.source_uri;
        record.target = Some(self.place.target(package.arn(), Some((&own.arn, own.approval()))));
        self.announce_drift(&renewal, own);
        match (renewal.update.is_empty(), self.dry_run) {
            (true, _) => record.changes = renewal.changes,
            (false, true) => {
                record.outcome = Conclusion::Planned;
                record.changes = renewal.planned();
            }
            (false, false) => {
                record.outcome = decided.map_or(Conclusion::Updated, |decided| decided.outcome);
                self.update(&renewal, own, &mut record).await?;
            }
        }
        Ok(Some(record))
    }

    /// Whether every artifact of the promotion is at the target.
    async fn has_all(&self, package: &Package, before: &Record) -> Result<bool> {
        let there = look(self.target, self.place, package.arn()).await?;
        for artifact in before.artifacts.iter() {
            let artifact = artifact?;
            if !there.has(&artifact.target, artifact.bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A source that is as it was has changed nothing.
    fn changes(&self, package: &Package, before: &Record, own: &Own) -> Result<Renewal> {
        let Some(request) = &before.request else { return Ok(Renewal::default()) };
        let seen = before.source.package.as_ref().map(|source| source.fingerprint.as_str());
        if seen == Some(package.fingerprint().as_str()) {
            return Ok(Renewal::default());
        }
        let draft = Draft::of(package, self.place.group.name(), self.carrying)?;
        let copies = before.artifacts.iter().map(|artifact| {
            let artifact = artifact?;
            Ok((artifact.source, artifact.target))
        });
        let now = Rewritten::of(draft, copies, &self.place.layout(package.arn()))?;
        Renewal::of(package, &now, request, own)
    }

    fn announce_drift(&self, renewal: &Renewal, own: &Own) {
        let fields: Vec<&str> = renewal.drift().map(|change| change.field.as_str()).collect();
        if !fields.is_empty() {
            let named = fields.join(", ");
            self.printer.say(&format!("drift: {} cannot follow its source, which has changed {named}", own.arn));
        }
    }

    async fn update(&self, renewal: &Renewal, own: &Own, record: &mut Record) -> Result<()> {
        self.target.registry().update(&own.arn, &renewal.update).await?;
        record.changes = renewal.changes.clone();
        let mut doubts = Vec::new();
        match self.read_back(renewal, own).await {
            Ok(after) => {
                doubts.extend(not_as_set(renewal, own, &after));
                if let Some(target) = &mut record.target {
                    target.approval_status = Some(after.approval().to_owned());
                }
            }
            Err(error) => doubts.push(format!("its state after the update could not be read back: {error}")),
        }
        let (target, place, kms_key) = (self.target, self.place, self.carrying.kms_key.as_ref());
        let records = Records { target, place, kms_key, signer: self.signer };
        record.doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        if let Err(error) = records.append(record, self.clock).await {
            doubts.push(format!("the record could not be written beside the artifacts: {error:#}"));
            record.doubt = Some(doubts.join("; "));
        }
        Ok(())
    }

    /// A registry that takes an Update for the whole state has forgotten the approval; AWS never answers without one.
    /// To send it along each time could overwrite what somebody decides meanwhile.
    async fn read_back(&self, renewal: &Renewal, own: &Own) -> Result<Own, CallError> {
        let registry = self.target.registry();
        let described = |description| Own { arn: own.arn.clone(), description };
        let after = described(registry.describe(&own.arn).await?);
        if after.text("ModelApprovalStatus").is_some() || renewal.update.contains_key("ModelApprovalStatus") {
            return Ok(after);
        }
        let decided = decision(own.approval(), own.text("ApprovalDescription"), &after.description);
        registry.update(&own.arn, &decided).await?;
        Ok(described(registry.describe(&own.arn).await?))
    }
}

/// An approval that the copy waits for.
struct Decision {
    status: String,
    reason: String,
    outcome: Conclusion,
}

impl Decision {
    /// What was withdrawn waits for its source to be approved again, what was left pending for a run that carries the
    /// approval. What somebody in the target account has decided stays.
    fn of(package: &Package, own: &Own, approval: Approval) -> Option<Self> {
        let source = package.approval();
        // Without a reason, the text that it was withdrawn with would stay.
        let again = || format!("promote: {} is {source} again", package.arn());
        let reason = || package.text("ApprovalDescription").map_or_else(again, str::to_owned);
        let (status, reason, outcome) = match (approval, own.approval()) {
            (Approval::Carry, "PendingManualApproval") if source != "PendingManualApproval" => {
                (source, reason(), Conclusion::Promoted)
            }
            (Approval::Carry, _) if own.is_withdrawn() && source == "Approved" => {
                (source, reason(), Conclusion::ApprovedAgain)
            }
            (Approval::Pending, _) if own.is_withdrawn() && source == "Approved" => {
                ("PendingManualApproval", again(), Conclusion::ApprovedAgain)
            }
            _ => return None,
        };
        Some(Self { status: status.to_owned(), reason, outcome })
    }
}

fn not_as_set(renewal: &Renewal, own: &Own, after: &Own) -> Option<String> {
    let mut missing = renewal.missing(&after.description);
    let status = renewal.update.get("ModelApprovalStatus").and_then(Value::as_str).unwrap_or(own.approval());
    if after.approval() != status {
        missing.push("ModelApprovalStatus".into());
    }
    (!missing.is_empty()).then(|| format!("after the update, {} is not as it was set", missing.join(" and ")))
}
