//! What a run has told before it fails or is interrupted.

use std::ops::Not;
use std::sync::Arc;

use serde::Serialize;

use crate::aws::error::hints;
use crate::copy::Meter;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::failure::RUN_AGAIN;
use crate::model::location::Location;
use crate::model::words::counted;
use crate::record::FollowResult;

/// What is known of a run that has not ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The source version.
    pub source: Option<PackageArn>,
    /// What the run has done. [`Self::done`] adds what the other fields tell.
    pub done: DoneSoFar,
    /// The progress of the copy.
    pub meter: Option<Arc<Meter>>,
    /// Whether this run has called CreateModelPackage, and SageMaker has not refused it. The response may be missing.
    pub is_registering: bool,
    /// The version that this run has registered or completed, with its approval status.
    pub registered: Option<(PackageArn, ApprovalStatus)>,
    /// What is known of each group that has begun, if there are several.
    pub groups: Vec<(GroupArn, Known)>,
}

/// A promoted version that a run has changed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Changed {
    pub model_package_arn: PackageArn,
    pub result: FollowResult,
}

/// What a run has done, for its document.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct DoneSoFar {
    /// The folder of the promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<Location>,
    /// The number of objects that this run has copied.
    objects_copied: u64,
    /// The number of images that this run has copied.
    images_copied: u64,
    /// The bytes that this run has copied, with those of unfinished objects and images.
    bytes_copied: u64,
    /// Whether this run has called CreateModelPackage and got no response, so that a pending version may exist.
    #[serde(skip_serializing_if = "Not::not")]
    pending_version_may_exist: bool,
    /// The version that this run has registered or completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    model_package_arn: Option<PackageArn>,
    /// Its approval status, as this run has set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_status: Option<ApprovalStatus>,
    /// The versions that this run has withdrawn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<PackageArn>,
    /// The group that a rollback holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<GroupArn>,
    /// The versions that a rollback has rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<PackageArn>,
    /// Other promoted versions that this run has changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub followed: Vec<Changed>,
    /// What this run could not confirm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed: Vec<String>,
    /// What was done for each group that has begun, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<DoneInGroup>,
}

/// What a run has done for one group of several.
#[derive(Debug, Clone, Serialize)]
struct DoneInGroup {
    group: GroupArn,
    done: DoneSoFar,
}

impl Known {
    /// What was done.
    pub fn done(&self) -> DoneSoFar {
        let reading = self.meter.as_ref().map(|meter| meter.read());
        DoneSoFar {
            objects_copied: reading.map_or(0, |reading| reading.objects_done),
            images_copied: reading.map_or(0, |reading| reading.images_done),
            bytes_copied: reading.map_or(0, |reading| reading.bytes_done),
            pending_version_may_exist: self.has_no_response(),
            model_package_arn: self.registered.as_ref().map(|(arn, _)| arn.clone()),
            approval_status: self.registered.as_ref().map(|(_, approval)| approval.clone()),
            groups: self.groups.iter().map(|(group, known)| known.done_in(group)).collect(),
            ..self.done.clone()
        }
    }

    /// CreateModelPackage is called. A version that this run has registered before was deleted.
    pub fn registers(&mut self) {
        (self.is_registering, self.registered) = (true, None);
    }

    /// Whether CreateModelPackage was called and has not responded.
    fn has_no_response(&self) -> bool {
        self.is_registering && self.registered.is_none()
    }

    /// Whether anything was done or begun.
    pub fn has_done(&self) -> bool {
        let DoneSoFar { withdrawn, rejected, followed, held, .. } = &self.done;
        let has_changed = !withdrawn.is_empty() || !rejected.is_empty() || !followed.is_empty();
        self.meter.is_some() || self.is_registering || self.registered.is_some() || held.is_some() || has_changed
    }

    /// The next steps after a failure. A run that has begun to copy tells that the next run goes on there.
    pub fn next_steps(&self, error: &anyhow::Error) -> Vec<String> {
        let copied = self.meter.as_ref().map(|meter| meter.read());
        let has_copied = copied.is_some_and(|copy| copy.objects + copy.images > copy.objects_there + copy.images_there);
        let is_approved = self.registered.as_ref().is_some_and(|(_, approval)| *approval == ApprovalStatus::Approved);
        let ends = ["run again", RUN_AGAIN];
        let step = |hint: &str| match has_copied && !is_approved && ends.iter().any(|end| hint.ends_with(end)) {
            true => format!("{hint}; finished copies are skipped"),
            false => hint.to_owned(),
        };
        hints(error).into_iter().map(step).collect()
    }

    fn done_in(&self, group: &GroupArn) -> DoneInGroup {
        DoneInGroup { group: group.clone(), done: self.done() }
    }

    /// What was done and for which version, for a message about an interrupted run. `cleaned`: as for [`Self::left`].
    pub fn left_of_run(&self, cleaned: bool) -> String {
        let source = self.source.as_ref().filter(|_| self.has_done());
        let source = source.map(|source| format!("{source}: ")).unwrap_or_default();
        format!("{source}{}", self.left(cleaned))
    }

    /// What was done, for a message about an interrupted run. `cleaned`: whether its uploads were aborted.
    pub fn left(&self, cleaned: bool) -> String {
        let mut left = Vec::new();
        if let Some(reading) = self.meter.as_ref().map(|meter| meter.read()) {
            let there = reading.objects_done + reading.objects_there;
            let images = match reading.images {
                0 => String::new(),
                images => {
                    let there = reading.images_done + reading.images_there;
                    format!(" and {there} of {}", counted(images, "image"))
                }
            };
            left.push(format!("{there} of {}{images} copied", counted(reading.objects, "object")));
            if there < reading.objects {
                left.push(match cleaned {
                    true => "unfinished uploads were aborted".to_owned(),
                    false => "unfinished uploads stay until a later run aborts them".to_owned(),
                });
            }
        }
        left.extend(self.registered.as_ref().map(|(arn, approval)| match approval {
            ApprovalStatus::PendingManualApproval => format!("{arn} is registered and pending approval"),
            approval => format!("{arn} is {approval}, and its record may not be written yet"),
        }));
        if self.has_no_response() {
            left.push("a pending version may exist: CreateModelPackage has not responded".to_owned());
        }
        match &self.done.withdrawn[..] {
            [] => {}
            [withdrawn] => left.push(format!("{withdrawn} was withdrawn")),
            withdrawn => left.push(format!("{} versions were withdrawn", withdrawn.len())),
        }
        left.extend(self.done.held.as_ref().map(|group| format!("{group} is held")));
        left.extend(self.done.rejected.iter().map(|version| format!("{version} was rejected")));
        match &self.done.followed[..] {
            [] => {}
            [changed] => left.push(format!("{} was synced with its source", changed.model_package_arn)),
            changed => left.push(format!("{} versions were synced with their sources", changed.len())),
        }
        for (group, known) in self.groups.iter().filter(|(_, known)| known.has_done()) {
            left.push(format!("{}: {}", group.name(), known.left(cleaned)));
        }
        if left.is_empty() { "nothing was copied or registered".to_owned() } else { left.join("; ") }
    }
}
