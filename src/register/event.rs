//! The events of a registration.

use std::time::Duration;

use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::claim::Claim;
use crate::model::package_status::PackageStatus;

/// An event of a registration.
#[derive(Debug, Clone, Copy)]
pub enum RegistrationEvent<'a> {
    /// The run waits for another run that is registering the same version, and that has this claim. `None` if the claim
    /// cannot be parsed.
    WaitingForRun(Option<&'a Claim>),
    /// The run is about to call CreateModelPackage: from now on the version may exist, even if no response arrives.
    Creating,
    /// SageMaker has refused the request: the version does not exist.
    Refused,
    /// The run has registered a version, which is pending approval.
    Created(&'a PackageArn),
    /// The registry does not show the version that the run has registered. The run sends this event before each pause.
    NotVisible {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// How long the run has waited.
        waited: Duration,
    },
    /// SageMaker has not completed the version that the run has registered. The run sends this event before each pause.
    WaitingForSageMaker {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// Its status.
        status: &'a PackageStatus,
        /// How long the run has waited.
        waited: Duration,
    },
    /// The promoted version is complete, and has its final approval status.
    Completed {
        /// The promoted version.
        promoted: &'a PackageArn,
        /// Its approval status.
        approval: &'a ApprovalStatus,
    },
}
