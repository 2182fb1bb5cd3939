//! What a run tells while it works.

use std::sync::Arc;

use crate::aws::error::CallError;
use crate::copy::Meter;
use crate::model::arn::PackageArn;
use crate::model::location::Location;

/// Something that happened during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// Artifacts are about to be copied.
    CopyStarted {
        /// Objects that are not at the target yet.
        objects: u64,
        /// Their size in bytes.
        bytes: u64,
        /// The folder of the promotion.
        folder: &'a Location,
        /// Counts the objects and bytes; may be read at any time.
        meter: &'a Arc<Meter>,
    },
    /// Every artifact was copied, or copying failed.
    CopyEnded,
    /// A promoted version was rejected, because its source is Rejected.
    Withdrawn {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// The source version.
        source: &'a PackageArn,
    },
    /// Withdrawing failed in a run whose promotion failed too.
    WithdrawalFailed(&'a anyhow::Error),
    /// Fields have changed at the source that UpdateModelPackage cannot change.
    Drifted {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// The fields.
        fields: &'a [&'a str],
    },
    /// The version was promoted before with other settings, and stays as it is.
    PromotedWithOtherSettings(&'a PackageArn),
    /// The source group's description or tags cannot be read, so the new target group has none.
    GroupNotReadable {
        /// `description` or `tags`.
        part: &'static str,
        /// Why.
        error: &'a CallError,
    },
    /// A multipart upload could not be aborted; a later run or a lifecycle rule aborts it.
    UploadLeftOpen(&'a CallError),
}

/// Receives the events of a run.
///
/// Events come from the task that runs; an observer must not block.
pub trait Observer: Send + Sync {
    /// Receives an event.
    fn notice(&self, event: Event<'_>);
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn notice(&self, _: Event<'_>) {}
}
