//! Runs a use case for every source group that a pattern matches, several at a time.

mod find;
mod pairs;
mod plan_file;
mod reviewed;
mod selection;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_util::{StreamExt, stream};

use super::context::Context;
use super::event::Event;
pub use find::{find_groups, find_source_groups};
pub(crate) use plan_file::{PlanKind, STANDARD_INPUT, WantedPlan, not_wanted};
pub(crate) use reviewed::{MAKE, PlanDigest, PlannedGroup, RELEASE};
pub use reviewed::{ReviewedGroups, full_for_group};
pub use selection::{FoundGroups, GroupPair, GroupSelection, PassedOver, RefusedGroup};

/// Groups that run at a time unless the user has chosen another number.
pub const JOBS: usize = 8;

/// Runs `run` for each group, at most `jobs` at a time, and returns the results in the order of the groups. One that fails
/// does not stop the others. All of them share the limits of the context.
pub async fn for_each_group<T, F>(
    context: &Context,
    groups: &[GroupPair],
    jobs: usize,
    run: impl Fn(Context, GroupPair) -> F,
) -> Vec<T>
where
    F: Future<Output = T>,
{
    let pairs = groups.iter().map(|group| (0, group.clone())).collect();
    let results = for_each_pair(context, |_| context, pairs, jobs, |_, context, group| run(context, group)).await;
    results.into_iter().map(|(_, result)| result).collect()
}

/// As [`for_each_group`], for the groups of several targets: each pair has the place of its target, whose context
/// `context_of` returns. The observer of `context` receives how many groups have ended.
pub async fn for_each_pair<'a, T, F>(
    context: &Context,
    context_of: impl Fn(usize) -> &'a Context,
    pairs: Vec<(usize, GroupPair)>,
    jobs: usize,
    run: impl Fn(usize, Context, GroupPair) -> F,
) -> Vec<(usize, T)>
where
    F: Future<Output = T>,
{
    let ended = Arc::new(AtomicU64::new(0));
    context.notice(Event::Groups { count: pairs.len(), ended: &ended });
    let mut runs = Vec::new();
    for (place, (target, group)) in pairs.into_iter().enumerate() {
        let (run, context_of, ended) = (&run, &context_of, &ended);
        // Nothing begins before it is polled.
        runs.push(async move {
            let result = run(target, context_of(target).of_group(&group.source), group).await;
            ended.fetch_add(1, Relaxed);
            (place, (target, result))
        });
    }
    let mut results: Vec<(usize, (usize, T))> = stream::iter(runs).buffer_unordered(jobs.max(1)).collect().await;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
