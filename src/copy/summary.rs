//! What a copy step has done.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::meter::Reading;

/// How bytes got to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// S3 copied all of them.
    ServerSide,
    /// All of them passed through this process.
    Stream,
    /// S3 copied some of them, and others passed through this process, as the layers of images do.
    Mixed,
}

/// The objects and images that a run has copied, and how long that took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySummary {
    /// The number of objects.
    pub objects: u64,
    /// The number of images.
    pub images: u64,
    /// The size of the objects and layers in bytes.
    pub bytes: u64,
    /// The bytes that passed through this process.
    pub bytes_streamed: u64,
    /// How the bytes got to the target.
    pub transfer: Transfer,
    /// The duration in milliseconds.
    pub duration_ms: u64,
    /// The rate.
    pub bytes_per_second: u64,
}

impl CopySummary {
    /// The summary of a copy that took so long; nothing if it had nothing to copy.
    pub fn of(reading: &Reading, elapsed: Duration) -> Option<Self> {
        let Reading { objects_done, images_done, bytes_done, bytes_streamed, .. } = *reading;
        let transfer = match bytes_streamed {
            0 => Transfer::ServerSide,
            streamed if streamed >= bytes_done => Transfer::Stream,
            _ => Transfer::Mixed,
        };
        (objects_done + images_done > 0).then(|| Self {
            objects: objects_done,
            images: images_done,
            bytes: bytes_done,
            bytes_streamed,
            transfer,
            duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            bytes_per_second: (bytes_done as f64 / elapsed.as_secs_f64().max(0.001)) as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Meter;

    #[test]
    fn a_summary_has_objects_bytes_time_rate_and_how_they_were_transferred() {
        let (meter, two_seconds) = (Meter::default(), Duration::from_secs(2));
        meter.found(1024);
        assert_eq!(CopySummary::of(&meter.read(), two_seconds), None);
        meter.arrived(1024);
        meter.completed();
        let by_s3 = CopySummary {
            objects: 1,
            images: 0,
            bytes: 1024,
            bytes_streamed: 0,
            transfer: Transfer::ServerSide,
            duration_ms: 2000,
            bytes_per_second: 512,
        };
        assert_eq!(CopySummary::of(&meter.read(), two_seconds), Some(by_s3.clone()));
        meter.streamed(3072);
        meter.image_completed();
        let mixed = CopySummary {
            images: 1,
            bytes: 4096,
            bytes_streamed: 3072,
            transfer: Transfer::Mixed,
            bytes_per_second: 2048,
            ..by_s3
        };
        assert_eq!(CopySummary::of(&meter.read(), two_seconds), Some(mixed));
    }
}
