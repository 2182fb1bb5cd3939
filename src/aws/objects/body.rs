//! Streams the body of an S3 object. A stream that is not complete ends in an error.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt, unfold};
use tokio::time::{Instant, timeout};

use crate::aws::error::{CallError, Caller};
use crate::aws::resource::Resource;
use crate::model::location::Location;

/// The call that returns bodies.
pub(super) const GET: &str = "s3:GetObject";

/// The minimum rate of a download.
const LEAST_BYTES_PER_SECOND: u64 = 1 << 10;

/// The bytes of an object or of a range of it, as a stream. Ends early only with an error.
pub struct Body {
    /// The length in bytes.
    pub length: u64,
    at: Location,
    caller: Arc<Caller>,
    chunks: BoxStream<'static, Result<Bytes, CallError>>,
}

impl Body {
    pub(super) fn new(length: u64, bytes: ByteStream, at: Location, caller: Arc<Caller>) -> Self {
        let (of, by) = (at.clone(), caller.clone());
        let chunks = unfold((bytes, 0u64, false), move |(mut bytes, had, ended)| {
            let (at, caller) = (of.clone(), by.clone());
            async move {
                if ended {
                    return None;
                }
                let chunk = match bytes.next().await {
                    Some(Ok(chunk)) => Ok(chunk),
                    Some(Err(error)) => Err(caller.broken_off(GET, &Resource::Object(&at), &error)),
                    None if had == length => return None,
                    None => Err(caller.cut_off(GET, &Resource::Object(&at), had, length)),
                };
                let (had, ended) = (had + chunk.as_ref().map_or(0, |chunk| chunk.len() as u64), chunk.is_err());
                Some((chunk, (bytes, had, ended)))
            }
        });
        Self { length, at, caller, chunks: chunks.boxed() }
    }

    /// The same body, which ends in an error if it is slower than 1 KiB/s for the time `stall`. Only time that is spent
    /// waiting for the body counts.
    pub fn watched(self, stall: Duration) -> Self {
        let Self { length, at, caller, chunks } = self;
        let cut_off = {
            let (at, caller) = (at.clone(), caller.clone());
            move |had| caller.cut_off(GET, &Resource::Object(&at), had, length)
        };
        let chunks = unfold((chunks, Watch::default(), cut_off), move |(mut chunks, mut watch, cut_off)| async move {
            let began = Instant::now();
            let chunk = match timeout(stall, chunks.next()).await {
                Ok(None) => return None,
                Ok(Some(chunk)) if watch.satisfied(stall, began.elapsed(), &chunk) || watch.had == length => chunk,
                _ => Err(cut_off(watch.had)),
            };
            Some((chunk, (chunks, watch, cut_off)))
        });
        Self { length, at, caller, chunks: chunks.boxed() }
    }
}

/// The bytes of a body, in total and since the last check of the rate.
#[derive(Debug, Default)]
struct Watch {
    had: u64,
    lately: u64,
    waited: Duration,
}

impl Watch {
    /// Adds a chunk that took `waited`. Returns whether the body is fast enough.
    fn satisfied(&mut self, stall: Duration, waited: Duration, chunk: &Result<Bytes, CallError>) -> bool {
        let bytes = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        self.had += bytes;
        self.lately += bytes;
        self.waited += waited;
        if self.waited < stall {
            return true;
        }
        let enough = self.lately >= LEAST_BYTES_PER_SECOND * stall.as_secs().max(1);
        (self.lately, self.waited) = (0, Duration::ZERO);
        enough
    }
}

impl Stream for Body {
    type Item = Result<Bytes, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(20);

    /// Whether a body with these chunks, each with its wait in seconds, is fast enough.
    fn satisfies(chunks: &[(f64, usize)]) -> bool {
        let mut watch = Watch::default();
        let mut satisfied = |waited: f64, bytes: usize| {
            let chunk = Ok(Bytes::from(vec![0; bytes]));
            watch.satisfied(STALL, Duration::from_secs_f64(waited), &chunk)
        };
        chunks.iter().all(|(waited, bytes)| satisfied(*waited, *bytes))
    }

    #[test]
    fn a_body_below_the_minimum_rate_is_given_up() {
        assert!(!satisfies(&[(1.0, 100); 20]));
        assert!(satisfies(&[(1.0, 100); 19]));
    }

    #[test]
    fn a_slow_body_and_a_body_with_pauses_are_fast_enough() {
        assert!(satisfies(&[(1.0, 2048); 100]));
        assert!(satisfies(&[(1.0, 1 << 20), (9.0, 1), (9.0, 1), (1.0, 1 << 20), (9.0, 1)]));
    }
}
