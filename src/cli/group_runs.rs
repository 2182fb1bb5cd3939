//! The groups of a run and their results, which an interrupted run prints too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exit::Exit;
use super::failed::FailedRun;
use super::of_groups::{Ended, OfGroup};
use super::printer::{say, warn};
use super::render::Rendered;
use super::running::Running;
use super::terminal::Terminal;
use crate::model::arn::GroupArn;
use crate::model::words::counted;
use crate::run::many::GroupPair;

/// The groups of a run. Each has the place of its target; 0 if there is one target.
#[derive(Debug)]
pub(super) struct GroupRuns<T: Ended> {
    verb: &'static str,
    terminal: Arc<Terminal>,
    /// The names of the targets, if there can be several.
    targets: Option<Vec<String>>,
    runs: Mutex<Vec<GroupRun<T>>>,
}

#[derive(Debug)]
struct GroupRun<T: Ended> {
    place: usize,
    group: GroupPair,
    state: RunState<T>,
}

#[derive(Debug)]
enum RunState<T: Ended> {
    NotStarted,
    Running,
    Ended(Box<OfGroup<T>>),
}

impl<T: Ended> GroupRuns<T> {
    /// Groups that have not started.
    pub fn new(running: &Running, targets: Option<Vec<String>>, groups: Vec<(usize, GroupPair)>) -> Arc<Self> {
        let run = |(place, group)| GroupRun { place, group, state: RunState::NotStarted };
        let runs = Mutex::new(groups.into_iter().map(run).collect());
        Arc::new(Self { verb: running.verb, terminal: Arc::clone(&running.terminal), targets, runs })
    }

    /// Adds a group that does not run.
    pub fn add(&self, place: usize, ending: OfGroup<T>) {
        let group = GroupPair { source: ending.group.clone(), target: ending.target_group.clone() };
        self.runs().push(GroupRun { place, group, state: RunState::Ended(Box::new(ending)) });
    }

    /// Notes that a group has started.
    pub fn start(&self, place: usize, group: &GroupArn) {
        self.set(place, group, RunState::Running);
    }

    /// Notes the result of a group.
    pub fn end(&self, place: usize, ending: OfGroup<T>) {
        let group = ending.group.clone();
        self.set(place, &group, RunState::Ended(Box::new(ending)));
    }

    fn set(&self, place: usize, group: &GroupArn, state: RunState<T>) {
        let mut runs = self.runs();
        if let Some(run) = runs.iter_mut().find(|run| run.place == place && run.group.source == *group) {
            run.state = state;
        }
    }

    fn runs(&self) -> MutexGuard<'_, Vec<GroupRun<T>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the groups have run, and makes the document. An interruption prints the document of the groups that have
    /// ended by then.
    pub async fn document<D: Rendered>(
        self: &Arc<Self>,
        running: &Running,
        document: impl FnOnce(Vec<(usize, OfGroup<T>)>) -> (D, Exit) + Clone + Send + 'static,
        run: impl Future<Output = ()>,
    ) -> (D, Exit) {
        running.on_interruption({
            let (runs, document, printer) = (Arc::clone(self), document.clone(), Arc::clone(&running.printer));
            move |signal, cleaned| {
                let (document, _) = document(runs.interrupted(signal, cleaned));
                printer.put(&document).err().iter().for_each(warn);
            }
        });
        run.await;
        running.has_ended();
        document(self.take_all("", true).0)
    }

    /// Takes the results of a run that `signal` interrupts, and tells what it leaves behind. `cleaned`: whether uploads
    /// were aborted.
    fn interrupted(&self, signal: &str, cleaned: bool) -> Vec<(usize, OfGroup<T>)> {
        let (results, left) = self.take_all(signal, cleaned);
        let count = |exit: fn(&FailedRun) -> bool| {
            results.iter().filter(|(_, group)| group.result.as_ref().is_err_and(exit)).count()
        };
        let (unfinished, waiting) = (count(FailedRun::is_interrupted), count(FailedRun::is_not_started));
        let ended = results.len() - unfinished - waiting;
        let counts = format!("{} ended, {unfinished} interrupted, {waiting} not started", counted(ended, "group"));
        say(&format!("{signal}: interrupted; {}. Run again to continue", [vec![counts], left].concat().join("; ")));
        results
    }

    /// The results of all groups, and what was done for those that have not ended.
    fn take_all(&self, signal: &str, cleaned: bool) -> (Vec<(usize, OfGroup<T>)>, Vec<String>) {
        let mut left = Vec::new();
        let runs = std::mem::take(&mut *self.runs());
        let endings = runs.into_iter().map(|GroupRun { place, group, state }| {
            let failed = match state {
                RunState::Ended(ending) => return (place, *ending),
                RunState::NotStarted => FailedRun::not_started(self.verb, signal),
                RunState::Running => {
                    let target = self.targets.as_ref().and_then(|targets| targets.get(place)).map(String::as_str);
                    let known = self.terminal.known_of(target, &group.source);
                    if known.has_done() {
                        let name = target.map_or(String::new(), |target| format!("{target}: "));
                        left.push(format!("{name}{}: {}", group.source.name(), known.left(cleaned)));
                    }
                    let message = format!("{signal}: interrupted; {}", known.left(cleaned));
                    FailedRun::interrupted(self.verb, &message, &known)
                }
            };
            let GroupPair { source, target: target_group } = group;
            (place, OfGroup { group: source, target_group, exit_code: Exit::Interrupted, result: Err(failed) })
        });
        let endings = endings.collect();
        (endings, left)
    }
}
