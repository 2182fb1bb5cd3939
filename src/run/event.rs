//! The events of a run, and the observer that receives them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::aws::error::CallError;
use crate::copy::Meter;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::hold::Hold;
use crate::model::location::Location;
use crate::model::package_status::PackageStatus;
use crate::plan::Warning;
use crate::record::{Followed, Unconfirmed};
use crate::register::RegistrationEvent;

/// A step that goes through many objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The objects that the source version refers to are looked up.
    Listing,
    /// The artifacts are compared with their record.
    Checking,
}

/// Something that happened during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The source version of the run was found.
    Found(&'a PackageArn),
    /// Objects are about to be listed or checked, which may take long.
    Counting {
        /// What is done with them.
        step: Step,
        /// The number of objects so far. It can be read at any time.
        count: &'a Arc<AtomicU64>,
    },
    /// The step of [`Event::Counting`] has ended.
    Counted(Step),
    /// Artifacts are about to be copied.
    CopyStarted {
        /// The number of objects that are not in the target yet.
        objects: u64,
        /// Their size in bytes.
        bytes: u64,
        /// The number of images that are not in the target yet.
        images: u64,
        /// The size of the layers that are not in the target yet, in bytes.
        layer_bytes: u64,
        /// The folder of the promotion.
        folder: &'a Location,
        /// The progress of the copy. It can be read at any time.
        meter: &'a Arc<Meter>,
    },
    /// Every artifact was copied, or the copy failed.
    CopyEnded,
    /// A promoted version was rejected, because its source is Rejected.
    Withdrawn {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// The source version.
        source: &'a PackageArn,
    },
    /// A promoted version besides the one that the run promotes was synced.
    Followed(&'a Followed),
    /// A promoted version could not be followed in a run whose promotion failed as well.
    FollowFailed(&'a anyhow::Error),
    /// A followed version was left alone in a run whose promotion failed.
    FollowWarning(&'a Warning),
    /// What could not be confirmed of a followed version in a run whose promotion failed.
    FollowUnconfirmed(&'a Unconfirmed),
    /// The source has changed fields that UpdateModelPackage cannot change.
    Drifted {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// The fields.
        fields: &'a [&'a str],
    },
    /// The source and somebody in the target account have changed the same fields. They were not updated.
    Conflicting {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// The fields.
        fields: &'a [&'a str],
    },
    /// This run has signed a record that an earlier run had left unsigned.
    Signed(&'a Location),
    /// The version was promoted before with other settings, and is not promoted again.
    PromotedWithOtherSettings(&'a PackageArn),
    /// The source group's description or tags cannot be read, so the new target group does not have them.
    GroupNotReadable {
        /// `description` or `tags`.
        part: &'static str,
        /// The reason.
        error: &'a CallError,
    },
    /// SageMaker has not completed the source version yet, and this run waits for it.
    WaitingForSource {
        /// The source version.
        version: &'a PackageArn,
        /// Its status.
        status: &'a PackageStatus,
    },
    /// Something happened during the registration of a version.
    Registration {
        /// The source version.
        source: &'a PackageArn,
        /// What happened.
        event: RegistrationEvent<'a>,
    },
    /// The target group is held: nothing is promoted into it.
    Held(&'a Hold),
    /// A rollback holds the target group.
    HoldSet(&'a GroupArn),
    /// A rollback has rejected a promoted version.
    RolledBack(&'a PackageArn),
    /// A rollback waits for approvals that were under way when the group was held.
    Settling(Duration),
    /// The groups of a pattern are about to run.
    Groups {
        /// Their number.
        count: usize,
        /// The number of groups that have ended. It can be read at any time.
        ended: &'a Arc<AtomicU64>,
    },
    /// A multipart upload could not be aborted. A later run or a lifecycle rule aborts it.
    UploadLeftOpen(&'a CallError),
}

/// Receives the events of a run.
///
/// Events come from the task that runs; an observer must not block.
pub trait Observer: Send + Sync {
    /// Handles an event.
    fn notice(&self, event: Event<'_>);

    /// The observer of one target of several; nothing if this observer receives its events too.
    fn of_target(&self, _: &str) -> Option<Arc<dyn Observer>> {
        None
    }

    /// The observer of one group of a pattern; nothing if this observer receives its events too.
    fn of_group(&self, _: &GroupArn) -> Option<Arc<dyn Observer>> {
        None
    }
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn notice(&self, _: Event<'_>) {}
}
