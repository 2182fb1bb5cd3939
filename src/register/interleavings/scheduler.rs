//! Chooses which run goes on.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::simulation::Simulation;

/// How far the scheduler deviates from running one run until it waits, then the next.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How often it turns to another run, or lets time pass, although the run could go on.
    pub deviations: usize,
    /// How many runs it kills.
    pub kills: usize,
}

/// How long a run stands still, beside the time until another run wakes up: longer than a claim may be held, and longer
/// than a claim lasts.
const STALLS: [Duration; 2] = [Duration::from_secs(12), Duration::from_secs(61)];

/// No run makes so many calls, unless it never ends.
const MOST_STEPS: u64 = 20_000;

struct Task<F> {
    future: Pin<Box<F>>,
    /// When the run goes on; nothing if it wants to make a call.
    sleeps_until: Option<Duration>,
    has_begun: bool,
}

#[derive(Clone, Copy)]
enum Move {
    Step(usize),
    Advance(Duration),
    Kill(usize),
}

/// Runs futures to their end. Returns nothing for those that were killed.
pub fn drive<F: Future>(services: &Simulation, futures: Vec<F>, limits: Limits) -> Vec<Option<F::Output>> {
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let task = |future| Some(Task { future: Box::pin(future), sleeps_until: None, has_begun: false });
    let mut tasks: Vec<Option<Task<F>>> = futures.into_iter().map(task).collect();
    let (mut current, mut limits) = (0, limits);
    while tasks.iter().any(Option::is_some) {
        match choose(services, &tasks, current, &mut limits) {
            Move::Advance(to) => services.locked().advance(to),
            Move::Kill(run) => {
                tasks[run] = None;
                let mut world = services.locked();
                world.log.push(format!("run {run} is killed"));
                world.kill(run);
            }
            Move::Step(run) => {
                current = run;
                let task = tasks[run].as_mut().expect("it has not ended");
                if let Poll::Ready(result) = step(services, task) {
                    tasks[run] = None;
                    results[run] = Some(result);
                }
            }
        }
    }
    results
}

/// Polls a run: it makes one call at most.
fn step<F: Future>(services: &Simulation, task: &mut Task<F>) -> Poll<F::Output> {
    {
        let mut world = services.locked();
        world.step += 1;
        assert!(world.step < MOST_STEPS, "the runs never end:\n{}", world.log[..100].join("\n"));
        (world.may_call, world.wants_to_call, world.sleeps_until) = (true, false, None);
    }
    task.has_begun = true;
    let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let world = services.locked();
    task.sleeps_until = world.sleeps_until.filter(|_| !world.wants_to_call);
    polled
}

fn choose<F>(services: &Simulation, tasks: &[Option<Task<F>>], current: usize, limits: &mut Limits) -> Move {
    let mut world = services.locked();
    let now = world.now;
    let alive: Vec<(usize, &Task<F>)> =
        tasks.iter().enumerate().filter_map(|(run, task)| Some((run, task.as_ref()?))).collect();
    let ready = |task: &Task<F>| task.sleeps_until.is_none_or(|until| until <= now);
    // The runs are alike, so that it makes no difference which of them begins next.
    let begins = alive.iter().find(|(_, task)| !task.has_begun).map(|(run, _)| *run);
    let may_go_on = |(run, task): &&(usize, &Task<F>)| ready(task) && (task.has_begun || begins == Some(*run));
    let ready: Vec<usize> = alive.iter().filter(may_go_on).map(|(run, _)| *run).collect();
    let wakes = alive.iter().filter_map(|(_, task)| task.sleeps_until).filter(|until| *until > now).min();
    let goes_on = ready.contains(&current);
    let mut moves: Vec<Move> = match wakes {
        _ if goes_on => vec![Move::Step(current)],
        Some(until) if ready.is_empty() => vec![Move::Advance(until)],
        _ => ready.iter().map(|run| Move::Step(*run)).collect(),
    };
    let free = moves.len();
    if limits.deviations > 0 {
        let others = ready.iter().filter(|run| goes_on && **run != current).map(|run| Move::Step(*run));
        let wake = wakes.filter(|_| !ready.is_empty()).map(Move::Advance);
        moves.extend(others.chain(wake).chain(STALLS.map(|stall| Move::Advance(now + stall))));
    }
    let deviations = moves.len();
    if limits.kills > 0 && goes_on {
        moves.push(Move::Kill(current));
    }
    // By chance, a run mostly goes on, so that deviations are spread over the whole run.
    let choices = &mut world.choices;
    let stays = choices.by_chance() && moves.len() > free && choices.pick(4) > 0;
    let chosen = choices.pick(if stays { free } else { moves.len() });
    limits.deviations -= usize::from((free..deviations).contains(&chosen));
    limits.kills -= usize::from(chosen >= deviations);
    moves[chosen]
}
