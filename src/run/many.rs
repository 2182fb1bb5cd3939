//! Runs a use case for every source group that a pattern matches, several at a time.

mod find;
mod selection;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_util::{StreamExt, stream};

use super::context::Context;
use super::event::Event;
pub use find::find_groups;
pub use selection::{FoundGroups, GroupPair, GroupSelection, PassedOver};

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
    let ended = Arc::new(AtomicU64::new(0));
    context.notice(Event::Groups { count: groups.len(), ended: &ended });
    let runs = groups.iter().enumerate().map(|(place, group)| {
        let running = run(context.of_group(&group.source), group.clone());
        let ended = &ended;
        async move {
            let result = running.await;
            ended.fetch_add(1, Relaxed);
            (place, result)
        }
    });
    let mut results: Vec<(usize, T)> = stream::iter(runs).buffer_unordered(jobs.max(1)).collect().await;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
