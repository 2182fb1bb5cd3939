//! Shows the events of a run on standard error.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::HumanBytes;

use super::known::{Changed, Known};
use super::printer::{say, warn};
use super::progress::{LINE, Progress, copied, copying};
use super::verbosity::Verbosity;
use crate::model::approval::ApprovalStatus;
use crate::model::hold::Hold;
use crate::record::FollowResult;
use crate::run::{Event, Observer, Step};

/// Waits that are shorter need no line.
const UNTOLD: Duration = Duration::from_secs(1);

/// An observer that prints to standard error.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    verbosity: Verbosity,
    progress: Mutex<Option<Progress>>,
    /// When the step began whose progress is shown.
    began: Mutex<Option<Instant>>,
    known: Mutex<Known>,
    /// When the last line about a wait was printed.
    last_line: Mutex<Option<Instant>>,
}

impl Terminal {
    /// An observer that prints as much as `verbosity` says.
    pub fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, ..Self::default() }
    }

    /// Shows the progress of a step instead of that of the step before.
    fn show(&self, line: impl Fn(Duration, bool) -> String + Send + 'static) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let progress = (self.verbosity > Verbosity::Quiet).then(|| Progress::show(line));
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// The time since the step began whose progress is shown.
    fn elapsed(&self) -> Duration {
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    /// Prints what the run does, unless it has to be quiet.
    fn tell(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            say(message);
        }
    }

    /// Prints a step that only a verbose run tells.
    fn detail(&self, message: &str) {
        if self.verbosity == Verbosity::Verbose {
            say(message);
        }
    }

    /// What the run has told so far.
    pub fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, learn: impl FnOnce(&mut Known)) {
        learn(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether the next line about a wait is due: the first one, and one every 10 seconds.
    fn is_line_due(&self) -> bool {
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= LINE);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }

    /// Removes the progress bar.
    pub fn stop(&self) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Observer for Terminal {
    fn notice(&self, event: Event<'_>) {
        match event {
            Event::Found(source) => {
                self.detail(&format!("found {source}"));
                self.learn(|known| known.source = Some(source.clone()));
            }
            Event::Counting { step, count } => {
                let count = count.clone();
                self.show(move |_, _| counting(step, count.load(Relaxed)));
            }
            Event::Counted(step) => {
                self.stop();
                let act = if step == Step::Listing { "listed" } else { "checked" };
                self.detail(&format!("{act} the artifacts in {:.1} s", self.elapsed().as_secs_f64()));
            }
            Event::Registered(promoted) => {
                self.detail(&format!("registered {promoted}"));
                self.learn(|known| known.registered = Some((promoted.clone(), ApprovalStatus::PendingManualApproval)));
            }
            Event::Completed { promoted, approval } => {
                self.detail(&format!("{promoted} is complete and {approval}"));
                self.learn(|known| known.registered = Some((promoted.clone(), approval.clone())));
            }
            Event::WaitingForSageMaker { promoted, status, waited } => {
                if waited >= UNTOLD && self.is_line_due() {
                    let waited = waited.as_secs();
                    self.tell(&format!("waiting for SageMaker to complete {promoted} ({status}, {waited} s)"));
                }
            }
            Event::CopyStarted { objects, bytes, folder, meter } => {
                self.learn(|known| {
                    known.folder = Some(folder.clone());
                    known.meter = Some(meter.clone());
                });
                if objects > 0 {
                    let what = if objects == 1 { "object" } else { "objects" };
                    self.tell(&format!("copying {objects} {what}, {}, to {folder}", HumanBytes(bytes)));
                }
                let meter = meter.clone();
                self.show(move |elapsed, with_bar| copying(&meter.read(), elapsed, with_bar));
            }
            Event::CopyEnded => {
                self.stop();
                let reading = self.known().meter.map(|meter| meter.read());
                if let Some(done) = reading.and_then(|reading| copied(&reading, self.elapsed())) {
                    self.tell(&done);
                }
            }
            Event::Withdrawn { promoted, source } => {
                self.learn(|known| known.withdrawn.push(promoted.clone()));
                self.tell(&format!("withdrew {promoted}: its source {source} is Rejected"));
            }
            Event::Followed(followed) => {
                if let Some(act) = act(followed.result) {
                    let (model_package_arn, result) = (followed.model_package_arn.clone(), followed.result);
                    self.learn(|known| known.followed.push(Changed { model_package_arn, result }));
                    self.tell(&format!(
                        "{act} {}: its source is {}",
                        followed.model_package_arn, followed.source_model_package_arn
                    ));
                }
            }
            Event::FollowFailed(error) => warn(error),
            Event::FollowWarning(warning) => say(&format!("warning: {}: {}", warning.field, warning.remark)),
            Event::FollowUnconfirmed(unconfirmed) => {
                self.learn(|known| known.unconfirmed.push(unconfirmed.to_owned()));
                say(&format!("unconfirmed: {unconfirmed}"));
            }
            Event::Drifted { promoted, fields } => {
                let fields = fields.join(", ");
                say(&format!("drift: the source of {promoted} has changed {fields}, which cannot be updated"));
            }
            Event::Conflicting { promoted, fields } => {
                let fields = fields.join(", ");
                say(&format!(
                    "conflict: the source of {promoted} has changed {fields}, which somebody else has changed in the \
                     target; they were not updated"
                ));
            }
            Event::Signed(record) => self.tell(&format!("signed {record}, which an earlier run had left unsigned")),
            Event::PromotedWithOtherSettings(promoted) => {
                say(&format!(
                    "{promoted} was promoted with other settings; the settings of this run have no effect on it"
                ));
            }
            Event::GroupNotReadable { part, error } => {
                say(&format!("the target group is created without the source group's {part}: {error}"));
                // A later run does not set them: the group exists then.
                let act = if part == "tags" { "add the tags by hand" } else { "AWS has no way to change it" };
                say(&format!("hint: No later run sets the {part} of this group: {act}"));
                say(&format!("hint: For groups that are created later: {}", without_run_again(&error.hint)));
            }
            Event::WaitingForSource { version, status } => {
                self.tell(&format!("waiting for SageMaker to complete {version}, which is {status}"));
            }
            Event::WaitingForRun { source, other } => {
                let by = other.map(|other| format!(" ({}, since {})", other.caller, other.started)).unwrap_or_default();
                self.tell(&format!("waiting for another run{by} that is registering {source}"));
            }
            Event::Held(hold) => {
                let Hold { target_model_package_group_arn: group, reason, by, since, .. } = hold;
                say(&format!("warning: {group} is held since {since} by {by}: {reason}"));
                say("hint: Release it with `promote release` when it may be promoted into again");
            }
            Event::RolledBack(version) => self.tell(&format!("rejected {version}")),
            Event::Settling(wait) => {
                self.tell(&format!("waiting {} s for approvals that may be under way", wait.as_secs()));
            }
            Event::UploadLeftOpen(error) => {
                say(&format!("an unfinished upload could not be aborted; a later run aborts it: {error}"))
            }
        }
    }
}

/// The progress of a step that counts objects.
fn counting(step: Step, count: u64) -> String {
    let objects = if count == 1 { "object" } else { "objects" };
    match step {
        Step::Listing => format!("listing the artifacts: {count} {objects} so far"),
        Step::Checking => format!("checking the artifacts: {count} {objects} so far"),
    }
}

/// A hint without its end, which says to run again.
fn without_run_again(hint: &str) -> &str {
    hint.split_once(", then run again").map_or(hint, |(grant, _)| grant)
}

/// What a run has done with a version; nothing if it has done nothing.
fn act(result: FollowResult) -> Option<&'static str> {
    match result {
        FollowResult::Approved => Some("approved"),
        FollowResult::ApprovedAgain => Some("approved again"),
        FollowResult::WaitsAgain => Some("set back to pending"),
        FollowResult::Updated => Some("updated"),
        FollowResult::Recorded => Some("recorded changes by others to"),
        FollowResult::Unchanged | FollowResult::Planned | FollowResult::Failed => None,
    }
}
