//! Shows the events of a run on standard error.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::HumanBytes;

use super::counted::counted;
use super::known::{Changed, Known};
use super::printer::{failed_in, say, warn, without_run_again};
use super::progress::{LINE, Progress, all_groups, copied, copying, counting};
use super::verbosity::Verbosity;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::GroupArn;
use crate::model::hold::Hold;
use crate::record::FollowResult;
use crate::run::{Event, Observer, Step};

/// Waits that are shorter need no line.
const UNTOLD: Duration = Duration::from_secs(1);
/// The words with which messages begin, before the name of the group.
const KINDS: [&str; 5] = ["warning", "hint", "unconfirmed", "drift", "conflict"];

/// The observer of the run of a group, with the target if there are several.
#[derive(Debug)]
struct OfGroup {
    target: Option<String>,
    group: GroupArn,
    terminal: Arc<Terminal>,
}

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
    /// The target whose events are shown, if there are several.
    target: Option<String>,
    /// The name with which lines begin, if there are several groups or targets.
    group: Option<String>,
    /// The observers of the groups that have begun.
    groups: Arc<Mutex<Vec<OfGroup>>>,
}

impl Terminal {
    /// An observer that prints as much as `verbosity` says.
    pub fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, ..Self::default() }
    }

    /// Shows the progress of a step instead of that of the step before.
    fn show(&self, line: impl Fn(Duration, bool) -> String + Send + 'static) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let is_shown = self.verbosity > Verbosity::Quiet && self.group.is_none();
        let progress = is_shown.then(|| Progress::show(line));
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// The time since the step began whose progress is shown.
    fn elapsed(&self) -> Duration {
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    /// Prints what the run does, unless it has to be quiet.
    pub fn tell(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.say(message);
        }
    }

    /// Prints a step of the only group, or of one of several if the run is verbose.
    fn step(&self, message: &str) {
        match self.group {
            None => self.tell(message),
            Some(_) => self.detail(message),
        }
    }

    /// Prints a message with the name of the group, if there are several.
    fn say(&self, message: &str) {
        match (&self.group, message.split_once(": ")) {
            (None, _) => say(message),
            (Some(group), Some((kind, rest))) if KINDS.contains(&kind) => say(&format!("{kind}: {group}: {rest}")),
            (Some(group), _) => say(&format!("{group}: {message}")),
        }
    }

    /// The progress of all groups.
    fn show_groups(&self, count: usize, ended: &Arc<AtomicU64>) {
        let (groups, ended) = (Arc::clone(&self.groups), Arc::clone(ended));
        self.show(move |_, _| {
            let groups = groups.lock().unwrap_or_else(PoisonError::into_inner);
            let meters = groups.iter().filter_map(|of_group| of_group.terminal.known().meter);
            all_groups((ended.load(Relaxed), count), meters.map(|meter| meter.read()))
        });
    }

    /// Prints a step that only a verbose run tells.
    fn detail(&self, message: &str) {
        if self.verbosity == Verbosity::Verbose {
            self.say(message);
        }
    }

    /// What the run has told so far.
    pub fn known(&self) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = groups.iter().map(|one| (one.group.clone(), one.terminal.known())).collect();
        Known { groups, ..known }
    }

    /// What the run of one group of several has told so far.
    pub fn known_of(&self, target: Option<&str>, group: &GroupArn) -> Known {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let found = groups.iter().find(|one| one.target.as_deref() == target && one.group == *group);
        found.map(|one| one.terminal.known()).unwrap_or_default()
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
        let of_group = OfGroup { target, group, terminal: Arc::clone(&terminal) };
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).push(of_group);
        Some(terminal)
    }

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
                    self.step(&format!("waiting for SageMaker to complete {promoted} ({status}, {waited} s)"));
                }
            }
            Event::CopyStarted { objects, bytes, images, layer_bytes, folder, meter } => {
                self.learn(|known| {
                    known.folder = Some(folder.clone());
                    known.meter = Some(meter.clone());
                });
                if objects > 0 {
                    let objects = counted(objects, "object");
                    self.step(&format!("copying {objects}, {}, to {folder}", HumanBytes(bytes)));
                }
                if images > 0 {
                    self.step(&format!("copying {}, {}", counted(images, "image"), HumanBytes(layer_bytes)));
                }
                let meter = meter.clone();
                self.show(move |elapsed, with_bar| copying(&meter.read(), elapsed, with_bar));
            }
            Event::CopyEnded => {
                self.stop();
                let reading = self.known().meter.map(|meter| meter.read());
                if let Some(done) = reading.and_then(|reading| copied(&reading, self.elapsed())) {
                    self.step(&done);
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
            Event::FollowFailed(error) => match &self.group {
                None => warn(error),
                Some(group) => failed_in(group, error),
            },
            Event::FollowWarning(warning) => self.say(&format!("warning: {}: {}", warning.field, warning.remark)),
            Event::FollowUnconfirmed(unconfirmed) => {
                self.learn(|known| known.unconfirmed.push(unconfirmed.to_owned()));
                self.say(&format!("unconfirmed: {unconfirmed}"));
            }
            Event::Drifted { promoted, fields } => {
                let fields = fields.join(", ");
                self.say(&format!("drift: the source of {promoted} has changed {fields}, which cannot be updated"));
            }
            Event::Conflicting { promoted, fields } => {
                let fields = fields.join(", ");
                self.say(&format!(
                    "conflict: the source of {promoted} has changed {fields}, and so has somebody in the target account; \
                     the target's values stay"
                ));
            }
            Event::Signed(record) => self.tell(&format!("signed {record}, which an earlier run had left unsigned")),
            Event::PromotedWithOtherSettings(promoted) => {
                self.say(&format!(
                    "{promoted} was promoted with other settings; the settings of this run have no effect on it"
                ));
            }
            Event::GroupNotReadable { part, error } => {
                self.say(&format!("the target group is created without the source group's {part}: {error}"));
                // A later run does not set them: the group exists then.
                let act = if part == "tags" { "add the tags by hand" } else { "AWS has no way to change it" };
                self.say(&format!("hint: No later run sets the {part} of this group: {act}"));
                self.say(&format!("hint: For groups that are created later: {}", without_run_again(&error.hint)));
            }
            Event::WaitingForSource { version, status } => {
                self.step(&format!("waiting for SageMaker to complete {version}, which is {status}"));
            }
            Event::WaitingForRun { source, other } => {
                let by = other.map(|other| format!(" ({}, since {})", other.caller, other.started)).unwrap_or_default();
                self.step(&format!("waiting for another run{by} that is registering {source}"));
            }
            Event::Held(hold) => {
                let Hold { target_model_package_group_arn: group, reason, by, since, .. } = hold;
                self.say(&format!("warning: {group} is held since {since} by {by}: {reason}"));
                self.say("hint: To promote into the group again, run `promote release`");
            }
            Event::RolledBack(version) => self.tell(&format!("rejected {version}")),
            Event::Settling(wait) => {
                self.tell(&format!("waiting {} s for approvals that may be under way", wait.as_secs()));
            }
            Event::Groups { count, ended } => self.show_groups(count, ended),
            Event::UploadLeftOpen(error) => {
                self.say(&format!("an unfinished upload could not be aborted; a later run aborts it: {error}"))
            }
        }
    }
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
