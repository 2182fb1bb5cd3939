//! How many requests are under way at once, over all objects. A budget starts modestly, grows while that brings more,
//! goes back where answers only come later, and halves when S3 asks to slow down.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::aws::objects::Pressure;

/// How many requests there are at the start, and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    pub first: usize,
    pub most: usize,
}

/// All requests. S3 takes 3,500 writes a second and prefix, which 256 requests of 70 ms use up; from the half of that
/// on even a server that is busy with fewer gains hardly anything by more.
pub const REQUESTS: Reach = Reach { first: 128, most: 256 };
/// Requests that are always allowed.
const LEAST: usize = 4;

/// What a request costs besides its bytes, in bytes: it makes small and large ones comparable.
const OVERHEAD: u64 = 256 << 10;
/// What counts as more throughput than before: less may be chance.
const GAIN: f64 = 1.15;
/// Windows between two attempts at more requests.
const PATIENCE: u32 = 8;

/// Requests under way.
#[derive(Debug)]
pub struct Budget {
    permits: Semaphore,
    state: Mutex<State>,
    pressure: Vec<Pressure>,
    most: usize,
}

#[derive(Debug)]
struct State {
    /// `None` when the number of requests was given.
    pace: Option<Pace>,
    /// Permits that are to disappear when they are given back.
    surplus: usize,
    window: Window,
    began: Instant,
    slow_downs: u64,
}

/// A request that may be sent. It is over when this is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    budget: &'a Budget,
    permit: Option<SemaphorePermit<'a>>,
    work: u64,
}

impl Budget {
    /// Exactly `given` requests at once, or as many within `reach` as turn out well; `pressure` tells when S3 asks to
    /// slow down.
    pub fn new(given: Option<usize>, reach: Reach, pressure: Vec<Pressure>) -> Self {
        let pace = if given.is_none() { Some(Pace::new(reach)) } else { None };
        let state = State { pace, surplus: 0, window: Window::default(), began: Instant::now(), slow_downs: 0 };
        let (first, most) = (given.unwrap_or(reach.first), given.unwrap_or(reach.most));
        Self { permits: Semaphore::new(first), state: Mutex::new(state), pressure, most }
    }

    /// How many requests there will ever be at once: no more need to be prepared.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Waits until a request for so many bytes may be sent.
    pub async fn request(&self, bytes: u64) -> Permit<'_> {
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        Permit { budget: self, permit: Some(permit), work: bytes + OVERHEAD }
    }

    /// A request is over. Whether its place is free for another one.
    fn over(&self, work: u64) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { pace: Some(pace), surplus, window, began, slow_downs } = &mut *state else { return true };
        window.requests += 1;
        window.work += work;
        if window.requests >= pace.limit {
            let told = self.pressure.iter().map(Pressure::slow_downs).sum();
            window.slow_downs = told - std::mem::replace(slow_downs, told);
            window.took = began.elapsed();
            *began = Instant::now();
            let before = pace.limit;
            pace.next(&std::mem::take(window));
            let paid = pace.limit.saturating_sub(before).min(*surplus);
            *surplus = *surplus - paid + before.saturating_sub(pace.limit);
            self.permits.add_permits(pace.limit.saturating_sub(before) - paid);
            *surplus -= self.permits.forget_permits(*surplus);
        }
        match *surplus {
            0 => true,
            _ => {
                *surplus -= 1;
                false
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.budget.over(self.work)
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
        }
    }
}

/// As many requests as were under way, and what they brought.
#[derive(Debug, Default)]
struct Window {
    requests: usize,
    work: u64,
    /// From the first to the last of them.
    took: Duration,
    slow_downs: u64,
}

/// Decides from window to window.
#[derive(Debug)]
struct Pace {
    limit: usize,
    most: usize,
    /// The limit that has proved good.
    good: usize,
    /// The throughput that it brought.
    throughput: f64,
    /// Twice as many each time, until that brings no more.
    doubling: bool,
    /// Windows since more requests were tried.
    held: u32,
}

impl Pace {
    fn new(Reach { first, most }: Reach) -> Self {
        Self { limit: first, most, good: first, throughput: 0.0, doubling: true, held: 0 }
    }

    fn next(&mut self, window: &Window) {
        let throughput = window.work as f64 / window.took.as_secs_f64().max(1e-6);
        let trying = self.limit > self.good;
        let gained = throughput > self.throughput * GAIN;
        self.held += 1;
        if window.slow_downs > 0 {
            self.settle(self.limit / 2, throughput / 2.0);
        } else if trying && !gained {
            self.settle(self.good, self.throughput);
        } else {
            (self.good, self.throughput) = (self.limit, throughput);
            if self.doubling || trying || self.held >= PATIENCE {
                let more = if self.doubling { self.limit } else { self.limit / 4 };
                self.limit = (self.limit + more).min(self.most);
                self.held = 0;
            }
        }
    }

    fn settle(&mut self, limit: usize, throughput: f64) {
        let limit = limit.max(LEAST);
        *self = Self { limit, most: self.most, good: limit, throughput, doubling: false, held: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(latency: f64, capacity: usize, windows: usize, slow_down_above: usize) -> Vec<usize> {
        limits_within(REQUESTS, latency, capacity, windows, slow_down_above)
    }

    /// A server that takes `latency` for each request, and works on so many at once.
    fn limits_within(
        reach: Reach,
        latency: f64,
        capacity: usize,
        windows: usize,
        slow_down_above: usize,
    ) -> Vec<usize> {
        let mut pace = Pace::new(reach);
        let window = |limit: usize| {
            let rounds = (limit as f64 / capacity as f64).max(1.0);
            let took = Duration::from_secs_f64(latency * rounds);
            let slow_downs = u64::from(limit > slow_down_above);
            Window { requests: limit, work: limit as u64 * OVERHEAD, took, slow_downs }
        };
        let mut next = || {
            pace.next(&window(pace.limit));
            pace.limit
        };
        (0..windows).map(|_| next()).collect()
    }

    #[test]
    fn where_more_requests_bring_more_there_are_soon_as_many_as_allowed() {
        assert!(limits(0.1, 10_000, 50, usize::MAX).into_iter().all(|limit| limit == REQUESTS.most));
    }

    #[test]
    fn where_more_requests_only_wait_longer_there_are_few_more_than_the_server_works_on() {
        let limits = limits(0.01, 8, 100, usize::MAX);
        assert_eq!(limits[..3], [256, 128, 128]);
        assert!(limits[1..].iter().all(|limit| *limit <= 160), "{limits:?}");
        let tried = limits[1..].iter().filter(|limit| **limit > 128).count();
        assert!((1..=12).contains(&tried), "{limits:?}");
    }

    #[test]
    fn a_server_that_asks_to_slow_down_gets_half_as_many() {
        let limits = limits(0.1, 10_000, 40, 100);
        assert_eq!(limits[..4], [64, 64, 64, 64]);
        assert!(limits.iter().all(|limit| *limit < REQUESTS.first), "{limits:?}");
        assert!(limits.iter().any(|limit| *limit > 64), "it tries more again: {limits:?}");
    }

    #[test]
    fn another_reach_begins_with_fewer_and_stays_there_where_more_bring_no_more() {
        let reach = Reach { first: 8, most: 64 };
        assert_eq!(limits_within(reach, 0.1, 10_000, 4, usize::MAX), [16, 32, 64, 64]);
        let slow = limits_within(reach, 0.1, 8, 40, usize::MAX);
        assert!(slow[0] == 16 && slow[1..].iter().all(|limit| *limit <= 10), "{slow:?}");
    }

    #[tokio::test]
    async fn a_given_number_of_requests_stays() {
        let budget = Budget::new(Some(3), REQUESTS, Vec::new());
        for _ in 0..100 {
            drop(budget.request(1).await);
        }
        assert_eq!(budget.permits.available_permits(), 3);
    }

    #[tokio::test]
    async fn permits_grow_and_shrink_with_the_limit() {
        let pressure = Pressure::default();
        let budget = Budget::new(None, REQUESTS, vec![pressure.clone()]);
        let mut first = Vec::new();
        for _ in 0..REQUESTS.first {
            first.push(budget.request(1).await);
        }
        assert_eq!(budget.permits.available_permits(), 0);
        first.clear();
        assert_eq!(budget.permits.available_permits(), 2 * REQUESTS.first);
        pressure.slow_down();
        for _ in 0..2 * REQUESTS.first {
            first.push(budget.request(1).await);
        }
        first.clear();
        assert_eq!(budget.permits.available_permits(), REQUESTS.first);
    }
}
