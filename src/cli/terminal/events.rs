//! What each event of a run prints.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use indicatif::HumanBytes;

use super::{GroupTerminal, Terminal};
use crate::aws::error::{CallError, Kind};
use crate::cli::known::{Changed, Known};
use crate::cli::printer::{failed_in, warn, without_run_again};
use crate::cli::progress::{copied, copying, counting};
use crate::copy::{Meter, stays_open};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::claim::Claim;
use crate::model::hold::Hold;
use crate::model::location::Location;
use crate::model::words::counted;
use crate::record::{Change, ChangeResult, FollowResult, Followed};
use crate::run::{Event, Observer, RegistrationEvent, Step};

/// Waits that are shorter need no line.
const UNTOLD: Duration = Duration::from_secs(1);

impl Observer for Terminal {
    fn of_target(&self, name: &str) -> Option<Arc<dyn Observer>> {
        let (target, group) = (Some(name.to_owned()), Some(name.to_owned()));
        Some(Arc::new(Self { target, group, groups: Arc::clone(&self.groups), ..Self::new(self.verbosity) }))
    }

    fn of_group(&self, group: &GroupArn) -> Option<Arc<dyn Observer>> {
        let name = match &self.target {
            Some(target) => format!("{target}: {}", group.name()),
            None => group.name().to_string(),
        };
        let terminal = Arc::new(Self { group: Some(name), ..Self::new(self.verbosity) });
        let (target, group) = (self.target.clone(), group.clone());
        let of_group = GroupTerminal { target, group, terminal: Arc::clone(&terminal) };
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).push(of_group);
        Some(terminal)
    }

    fn notice(&self, event: Event<'_>) {
        match event {
            Event::Found(source) => self.found(source),
            Event::Counting { step, count } => {
                let count = count.clone();
                self.show(move |_, _| counting(step, count.load(Relaxed)));
            }
            Event::Counted(step) => self.counted(step),
            Event::Registration { source, event } => self.registration(source, event),
            Event::CopyStarted { objects, bytes, images, layer_bytes, folder, meter } => {
                self.copy_started((objects, bytes), (images, layer_bytes), folder, meter);
            }
            Event::CopyEnded => self.copy_ended(),
            Event::Withdrawn { promoted, source } => {
                self.learn(|known| known.done.withdrawn.push(promoted.clone()));
                self.tell(&format!("withdrew {promoted}: its source {source} is Rejected"));
            }
            Event::Followed(followed) => self.followed(followed),
            Event::FollowFailed(error) => match &self.group {
                None => warn(error),
                Some(group) => failed_in(group, error, &self.known()),
            },
            Event::FollowWarning(warning) => {
                self.warn_once(&format!("warning: {}: {}", warning.field, warning.remark), None);
            }
            Event::FollowUnconfirmed(unconfirmed) => {
                self.learn(|known| known.done.unconfirmed.push(unconfirmed.to_string()));
                self.say(&format!("unconfirmed: {unconfirmed}"));
            }
            Event::Drifted { promoted, fields } => self.drifted(promoted, fields),
            Event::Conflicting { promoted, fields } => self.conflicting(promoted, fields),
            Event::Signed(record) => self.tell(&format!("signed {record}, which an earlier run had left unsigned")),
            Event::PromotedWithOtherSettings(promoted) => self.say(&format!(
                "{promoted} was promoted with other settings; the settings of this run have no effect on it"
            )),
            Event::GroupNotReadable { part, error } => self.group_not_readable(part, error),
            Event::WaitingForSource { version, status } => {
                self.step(&format!("waiting for SageMaker to complete {version}, which is {status}"));
            }
            Event::Held(hold) => self.held(hold),
            Event::HoldSet(group) => self.learn(|known| known.done.held = Some(group.clone())),
            Event::RolledBack(version) => self.rolled_back(version),
            Event::Settling(wait) => {
                self.tell(&format!("waiting {} s for approvals that may be under way", wait.as_secs()));
            }
            Event::Groups { count, ended } => self.show_groups(count, ended),
            Event::UploadLeftOpen(error) => {
                self.say(&stays_open(error));
                if error.kind == Kind::Denied {
                    self.say(&format!("hint: {}", without_run_again(&error.hint)));
                }
            }
        }
    }
}

impl Terminal {
    fn found(&self, source: &PackageArn) {
        self.detail(&format!("found {source}"));
        self.learn(|known| known.source = Some(source.clone()));
    }

    fn counted(&self, step: Step) {
        self.stop();
        let act = if step == Step::Listing { "listed" } else { "checked" };
        self.detail(&format!("{act} the artifacts in {:.1} s", self.elapsed().as_secs_f64()));
    }

    fn copy_started(
        &self,
        (objects, bytes): (u64, u64),
        (images, layer_bytes): (u64, u64),
        folder: &Location,
        meter: &Arc<Meter>,
    ) {
        self.learn(|known| {
            known.done.folder = Some(folder.clone());
            known.meter = Some(meter.clone());
        });
        if objects > 0 {
            self.step(&format!("copying {}, {}, to {folder}", counted(objects, "object"), HumanBytes(bytes)));
        }
        if images > 0 {
            self.step(&format!("copying {}, {}", counted(images, "image"), HumanBytes(layer_bytes)));
        }
        let meter = meter.clone();
        self.show(move |elapsed, with_bar| copying(&meter.read(), elapsed, with_bar));
    }

    fn copy_ended(&self) {
        self.stop();
        let reading = self.known().meter.map(|meter| meter.read());
        if let Some(done) = reading.and_then(|reading| copied(&reading, self.elapsed())) {
            self.step(&done);
        }
    }

    fn registration(&self, source: &PackageArn, event: RegistrationEvent<'_>) {
        match event {
            RegistrationEvent::WaitingForRun(other) => self.waits_for_run(source, other),
            RegistrationEvent::Creating => self.learn(Known::registers),
            RegistrationEvent::Refused => self.learn(|known| known.is_registering = false),
            RegistrationEvent::Created(promoted) => self.registered(promoted),
            RegistrationEvent::NotVisible { promoted, waited } => self.waits(waited, || format!("show {promoted}")),
            RegistrationEvent::WaitingForSageMaker { promoted, status, waited } => {
                self.waits(waited, || format!("complete {promoted}, which is {status}"));
            }
            RegistrationEvent::Completed { promoted, approval } => self.completed(promoted, approval),
        }
    }

    fn registered(&self, promoted: &PackageArn) {
        self.detail(&format!("registered {promoted}"));
        self.learn(|known| known.registered = Some((promoted.clone(), ApprovalStatus::PendingManualApproval)));
    }

    fn completed(&self, promoted: &PackageArn, approval: &ApprovalStatus) {
        self.detail(&format!("{promoted} is complete and {approval}"));
        self.learn(|known| known.registered = Some((promoted.clone(), approval.clone())));
    }

    fn waits(&self, waited: Duration, act: impl FnOnce() -> String) {
        if waited >= UNTOLD && self.is_line_due() {
            self.step(&format!("waiting for SageMaker to {} ({} s)", act(), waited.as_secs()));
        }
    }

    fn waits_for_run(&self, source: &PackageArn, other: Option<&Claim>) {
        let by = other.map(|other| format!(" ({}, since {})", other.caller, other.started)).unwrap_or_default();
        self.step(&format!("waiting for another run{by} that is registering {source}"));
    }

    fn followed(&self, followed: &Followed) {
        let Some(act) = act(followed) else { return };
        let (model_package_arn, result) = (followed.model_package_arn.clone(), followed.result);
        self.learn(|known| known.done.followed.push(Changed { model_package_arn, result }));
        self.tell(&format!(
            "{act} {}: its source is {}",
            followed.model_package_arn, followed.source_model_package_arn
        ));
    }

    fn drifted(&self, promoted: &PackageArn, fields: &[&str]) {
        let fields = fields.join(", ");
        self.warn_once(&format!("drift: the source of {promoted} has changed {fields}, which cannot be updated"), None);
    }

    fn conflicting(&self, promoted: &PackageArn, fields: &[&str]) {
        let fields = fields.join(", ");
        let conflict = format!(
            "conflict: the source of {promoted} has changed {fields}, and so has somebody in the target account; the \
             target's values were kept"
        );
        self.warn_once(&conflict, None);
    }

    fn group_not_readable(&self, part: &str, error: &CallError) {
        self.say(&format!("the target group is created without the source group's {part}: {error}"));
        // A later run does not set them: the group exists then.
        let act = if part == "tags" { "add the tags by hand" } else { "AWS has no way to change it" };
        self.say(&format!("hint: No later run sets the {part} of this group: {act}"));
        self.say(&format!("hint: For groups that are created later: {}", without_run_again(&error.hint)));
    }

    fn rolled_back(&self, version: &PackageArn) {
        self.learn(|known| {
            known.done.rejected.retain(|one| one != version);
            known.done.rejected.push(version.clone());
        });
        self.tell(&format!("rejected {version}"));
    }

    fn held(&self, hold: &Hold) {
        let Hold { target_model_package_group_arn: group, reason, by, since, .. } = hold;
        let warning = format!("warning: {group} is held since {since} by {by}: {reason}");
        let hint = format!("hint: To promote into the group again, run `{}`", hold.release());
        self.warn_once(&warning, Some(&hint));
    }
}

/// What a run has done with a version; nothing if it has done nothing.
fn act(followed: &Followed) -> Option<&'static str> {
    let is_theirs = |change: &Change| matches!(change.result, ChangeResult::Kept | ChangeResult::Conflict);
    match followed.result {
        FollowResult::Approved => Some("approved"),
        FollowResult::ApprovedAgain => Some("approved again"),
        FollowResult::WaitsAgain => Some("set back to pending"),
        FollowResult::Updated => Some("updated"),
        FollowResult::Recorded if followed.changes.iter().any(is_theirs) => Some("recorded changes by others to"),
        FollowResult::Recorded => Some("wrote a record of"),
        FollowResult::Unchanged | FollowResult::Planned | FollowResult::Held | FollowResult::Failed => None,
    }
}
