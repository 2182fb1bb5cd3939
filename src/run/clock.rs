//! The clock of a run, and the start and end times in its record.

use std::time::{Instant, SystemTime};

use aws_smithy_types::DateTime;

use crate::model::package::rfc3339;
use crate::record::{Build, Conclusion, Record, Source};

/// The time of day. Tests set their own clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock(pub fn() -> SystemTime);

impl Default for Clock {
    fn default() -> Self {
        Self(SystemTime::now)
    }
}

impl Clock {
    /// Starts a run.
    pub(crate) fn start(self) -> Started {
        Started { clock: self, time: (self.0)().into(), instant: Instant::now() }
    }
}

/// When a run started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started {
    clock: Clock,
    time: DateTime,
    instant: Instant,
}

impl Started {
    /// The start in RFC 3339.
    pub fn time(&self) -> String {
        rfc3339(&self.time)
    }

    /// The time of day, RFC 3339 in UTC.
    pub fn now(&self) -> String {
        rfc3339(&(self.clock.0)().into())
    }

    /// A record of this run that ends now.
    pub fn record(&self, outcome: Conclusion, source: Source, build: Option<&Build>) -> Record {
        let mut record = Record::new(outcome, source, &self.time);
        record.duration_ms = u64::try_from(self.instant.elapsed().as_millis()).unwrap_or(u64::MAX);
        record.ended = self.now();
        record.build = build.cloned();
        record
    }
}
