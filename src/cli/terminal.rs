//! Prints to standard error what a run tells, and shows its progress.

mod events;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::known::Known;
use super::printer::say;
use super::progress::{LINE, Progress, all_groups};
use super::verbosity::Verbosity;
use crate::model::arn::GroupArn;

/// The words with which messages begin, before the name of the group.
const KINDS: [&str; 5] = ["warning", "hint", "unconfirmed", "drift", "conflict"];

/// The observer of the run of a group, with the target if there are several.
#[derive(Debug)]
struct GroupTerminal {
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
    /// Warnings that were printed: a run that carries a plan out compares first, and meets each of them twice.
    warned: Mutex<HashSet<String>>,
    /// The observers of the groups that have begun.
    groups: Arc<Mutex<Vec<GroupTerminal>>>,
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

    /// Prints a warning, with its hint if there is one, unless it was printed before.
    fn warn_once(&self, warning: &str, hint: Option<&str>) {
        let is_new = self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(warning.to_owned());
        for message in [Some(warning), hint].into_iter().flatten().filter(|_| is_new) {
            self.say(message);
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
