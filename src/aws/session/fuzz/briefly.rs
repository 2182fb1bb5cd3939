//! Waits that are short enough for many cases.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};

/// Waits for retries end at once. Time limits are kept short enough for many cases, and long enough for a process.
#[derive(Debug, Clone)]
pub struct Briefly;

impl AsyncSleep for Briefly {
    fn sleep(&self, duration: Duration) -> Sleep {
        let is_limit = duration >= Duration::from_secs(5);
        let shorter = if is_limit { Duration::from_millis(50) } else { Duration::ZERO };
        Sleep::new(tokio::time::sleep(shorter))
    }
}
