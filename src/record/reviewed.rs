//! A plan that was reviewed: the document of a dry run, and what a later run finds different.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use serde_json::json;

use super::document::Record;
use super::followed::Withdrawn;
use super::images::ImageFacts;
use super::plan_age;
use super::plan_differences::{Fixed, compared, fixed, other_artifact};
use super::plan_digest::PlanText;
use super::planned::{PlanFacts, PlannedAct, PlannedWrite, ReviewedPlanFacts};
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::model::secrets::sealed_document;
use crate::plan::Plan;
use crate::register::sync::{Change, ChangeResult};

/// The differences that a message lists.
const LISTED: usize = 20;

/// The document of a dry run that somebody has reviewed.
#[derive(Debug)]
pub struct ReviewedPlan {
    pub(super) record: Record,
    facts: PlanFacts,
    pub(super) planned: Vec<PlannedWrite>,
    /// The command that makes such a plan.
    command: String,
    /// The digest of the plans of all groups that were reviewed together.
    groups_digest: Option<String>,
}

impl ReviewedPlan {
    /// Takes a document, and all that its file says, as a plan. Hints name `command`, which makes such a plan.
    ///
    /// # Errors
    /// It is not the document of a complete dry run of `promote full`, or it was edited.
    pub fn of((record, text): (Record, PlanText), command: &str) -> Result<Self> {
        let (Some(facts), Some(planned)) = (record.plan.clone(), record.planned.clone()) else {
            return Err(Failure::new("the document has no plan")
                .hint(format!("Make one with `{command}`; it must exit with 0"))
                .into());
        };
        let digest = text.digest()?;
        ensure!(
            digest == facts.digest,
            Failure::new(format!("the plan was edited: its content has the digest {digest}, not {}", facts.digest))
                .hint(format!("Make a new plan with `{command}`"))
        );
        Ok(Self { record, facts, planned, command: command.to_owned(), groups_digest: None })
    }

    /// The plan as a part of the plans that were reviewed together, which have this digest.
    pub fn of_groups(self, digest: &str) -> Self {
        Self { groups_digest: Some(digest.to_owned()), ..self }
    }

    /// What the records of a run with this plan say of it.
    pub fn reviewed(&self) -> ReviewedPlanFacts {
        let (digest, made) = (self.facts.digest.clone(), self.record.ended.clone());
        ReviewedPlanFacts { digest, made, groups_digest: self.groups_digest.clone() }
    }

    /// The digest of the plan.
    pub fn digest(&self) -> &str {
        &self.facts.digest
    }

    /// The number of the version that is promoted; nothing if no version was approved.
    pub fn version(&self) -> Option<u32> {
        self.record.source.package.as_ref().map(|package| package.version)
    }

    /// Refuses a plan that is older than `limit`.
    ///
    /// # Errors
    /// The plan is too old, or its time cannot be read or is in the future.
    pub fn refuse_older(&self, limit: Duration, now: SystemTime) -> Result<()> {
        plan_age::refuse_older(&self.record.ended, limit, now)
    }

    /// Refuses to go on if the plan of now is another one. `versions`: those of [`ReviewedPlan::left_out`] that exist.
    ///
    /// # Errors
    /// The message names what differs.
    pub fn refuse_other(&self, now: &Record, versions: &[PromotedVersion]) -> Result<()> {
        let settings = now.plan.as_ref().map(|plan| plan.settings.clone()).unwrap_or_default();
        let mut found = compared("the setting ", &self.facts.settings, &settings);
        found.extend(compared("the ", &identity(&self.record), &identity(now)));
        found.extend(self.other_request(now.request.as_ref()));
        found.extend(self.other_artifact(fixed(&now.artifacts))?);
        let own = now.target.as_ref().and_then(|target| target.model_package_arn.as_ref());
        let writes = now.planned.as_deref().unwrap_or_default();
        found.extend(self.unplanned(writes, own));
        found.extend(self.no_longer_due(writes, versions));
        found.extend(self.changes(now));
        found.extend(self.not_carried(now));
        found.extend(self.images(now));
        found.extend(self.reasons(now));
        self.refused(&found)
    }

    /// Refuses another source version than the planned one, or one that has changed since.
    ///
    /// # Errors
    /// The message names the version.
    pub fn refuse_other_source(&self, package: &Package) -> Result<()> {
        let planned = self.record.source.package.as_ref();
        let arn = package.arn();
        let other = match planned.filter(|planned| planned.model_package_arn == *arn) {
            None => Some(format!("the source version is now {arn}")),
            Some(planned) if planned.fingerprint != package.fingerprint() => {
                Some(format!("the source version {arn} has changed since the plan was made"))
            }
            Some(_) => None,
        };
        self.refused(&other.into_iter().collect::<Vec<_>>())
    }

    /// Refuses to go on without a version if the promotion of one was planned.
    ///
    /// # Errors
    /// The message names the planned version.
    pub fn refuse_no_source(&self) -> Result<()> {
        let planned = self.record.source.package.as_ref();
        let gone = planned.map(|planned| format!("{} is no longer Approved", planned.model_package_arn));
        self.refused(&gone.into_iter().collect::<Vec<_>>())
    }

    /// Refuses to copy and register anything but what was planned.
    ///
    /// # Errors
    /// As [`ReviewedPlan::refuse_other`].
    pub fn refuse_other_plan(&self, plan: &Plan) -> Result<()> {
        let mut found = self.other_request(Some(&plan.request));
        found.extend(self.other_artifact(plan.artifacts.iter().map(|artifact| artifact.map(Fixed::from)))?);
        self.refused(&found)
    }

    fn refused(&self, found: &[String]) -> Result<()> {
        self.refused_because("cannot be carried out any more", found)
    }

    fn refused_because(&self, why: &str, found: &[String]) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let mut lines: Vec<String> = found.iter().take(LISTED).map(|line| format!("  {line}")).collect();
        if found.len() > LISTED {
            lines.push(format!("  and {} more", found.len() - LISTED));
        }
        let digest = &self.facts.digest;
        let message = format!("the plan {digest} {why}:\n{}", lines.join("\n"));
        Err(Failure::new(message).hint(format!("Make a new plan with `{}`, and review it", self.command)).into())
    }

    fn other_request(&self, now: Option<&Document>) -> Vec<String> {
        // Either may have secrets in full.
        let [planned, now] = [self.record.request.as_ref(), now].map(|request| request.map(sealed_document));
        compared("", &planned.unwrap_or_default(), &now.unwrap_or_default())
    }

    fn other_artifact(&self, now: impl Iterator<Item = Result<Fixed>>) -> Result<Option<String>> {
        other_artifact(fixed(&self.record.artifacts), now)
    }

    /// Refuses writes that were not planned.
    ///
    /// # Errors
    /// The message names each of them.
    pub fn refuse_unplanned(&self, writes: &[PlannedWrite], source: &PackageArn, promoted: &PackageArn) -> Result<()> {
        let planned = self.record.source.package.as_ref().map(|package| &package.model_package_arn);
        let own = (planned == Some(source)).then_some(promoted);
        self.refused(&self.unplanned(writes, own).collect::<Vec<_>>())
    }

    /// The writes that were not planned. `own`: the promoted version of the plan's own source version.
    fn unplanned<'a>(
        &'a self,
        writes: &'a [PlannedWrite],
        own: Option<&PackageArn>,
    ) -> impl Iterator<Item = String> + 'a {
        let own = own.map(ToString::to_string);
        let group = own.as_deref().and_then(|own| own.rsplit_once('/')).map(|(group, _)| group.to_lowercase());
        let is_planned = move |write: &PlannedWrite| {
            // If the version was registered after the plan was made, its approval names the version, not the group.
            let is_own = write.act == PlannedAct::Approve && Some(&write.subject) == own.as_ref();
            let of_group = |planned: &PlannedWrite| {
                let subject = planned.subject.replace(":model-package-group/", ":model-package/").to_lowercase();
                planned.act == PlannedAct::Approve && Some(subject) == group
            };
            self.planned.contains(write) || is_own && self.planned.iter().any(of_group)
        };
        let unplanned = writes.iter().filter(move |write| !is_planned(write));
        unplanned.map(|write| format!("not in the plan: {write}"))
    }

    /// Refuses to conclude a run that has left a planned write about a promoted version out. `versions`: those of
    /// [`ReviewedPlan::left_out`] that exist.
    ///
    /// # Errors
    /// The message names each of them.
    pub fn refuse_left_out(&self, versions: &[PromotedVersion]) -> Result<()> {
        let left_out: Vec<String> = self.no_longer_due(&[], versions).collect();
        self.refused_because("was not carried out completely", &left_out)
    }

    /// Refuses to update a promoted version with other values than planned. `changes` has the fields to update with the result
    /// [`ChangeResult::Planned`].
    ///
    /// # Errors
    /// The message names the version.
    pub fn refuse_other_update(&self, promoted: &PackageArn, changes: &[Change]) -> Result<()> {
        self.refused(&self.other_update(promoted.as_str(), &values(changes)).into_iter().collect::<Vec<_>>())
    }

    /// An update with values other than the planned ones. An empty update is no difference: an earlier run has carried it
    /// out.
    fn other_update(&self, promoted: &str, now: &[&Change]) -> Option<String> {
        let planned = updates(&self.record);
        let differs = !now.is_empty() && planned.get(promoted).is_some_and(|then| then != now);
        differs.then(|| format!("{promoted} would be updated with other values"))
    }

    /// Fields that would not be carried over, although the plan carries them.
    fn not_carried(&self, now: &Record) -> Vec<String> {
        let unplanned = now.not_carried.iter().filter(|one| !self.record.not_carried.contains(one));
        unplanned.map(|one| format!("not in the plan: {} is not carried over: {}", one.field, one.reason)).collect()
    }

    /// Images that are others than planned. What was found at the target, and the tags of the source, may differ.
    fn images(&self, now: &Record) -> Vec<String> {
        let planned: BTreeSet<String> = self.record.images.iter().map(ImageFacts::identity).collect();
        let others = now.images.iter().map(ImageFacts::identity).filter(|image| !planned.contains(image));
        others.map(|image| format!("not in the plan: the image {image}")).collect()
    }

    /// Withdrawals whose reason differs from the planned one.
    fn reasons(&self, now: &Record) -> Vec<String> {
        let then =
            |one: &Withdrawn| self.record.withdrawn.iter().find(|then| then.model_package_arn == one.model_package_arn);
        let differing = now.withdrawn.iter().filter(|one| then(one).is_some_and(|then| then.reason != one.reason));
        differing.map(|one| format!("{} would be rejected with another reason", one.model_package_arn)).collect()
    }

    /// Updates of promoted versions that would set other values than planned.
    fn changes(&self, now: &Record) -> Vec<String> {
        updates(now).iter().filter_map(|(promoted, changes)| self.other_update(promoted, changes)).collect()
    }
}

/// What decides a plan besides its request, artifacts and writes.
fn identity(record: &Record) -> Document {
    let package = record.source.package.as_ref();
    let target = record.target.as_ref();
    let identity = json!({
        "source version": package.map(|package| &package.model_package_arn),
        "source fingerprint": package.map(|package| &package.fingerprint),
        "source approval": package.map(|package| &package.approval_status),
        "source group": record.source.group,
        "target group": target.map(|target| (&target.account, &target.region, &target.group)),
        "target folder": target.map(|target| &target.folder),
        "SourceUri": record.source_uri,
    });
    identity.as_object().cloned().unwrap_or_default()
}

/// The planned values of each promoted version that would be updated.
pub(super) fn updates(record: &Record) -> BTreeMap<String, Vec<&Change>> {
    let own = record.target.as_ref().and_then(|target| target.model_package_arn.as_ref());
    let own = own.map(|arn| (arn, &record.changes));
    let others = record.followed.iter().map(|one| (&one.model_package_arn, &one.changes));
    own.into_iter().chain(others).map(|(arn, changes)| (arn.to_string(), values(changes))).collect()
}

/// The values of an Update that is planned.
fn values(changes: &[Change]) -> Vec<&Change> {
    changes.iter().filter(|change| change.result == ChangeResult::Planned).collect()
}
