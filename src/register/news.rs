//! What a registration tells its caller while it is under way.

use std::time::Duration;

use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::claim::ClaimSeen;
use crate::model::package_status::PackageStatus;

/// What happens during a registration.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// The run waits for another run, which has this claim.
    WaitingForRun(&'a ClaimSeen),
    /// The run calls CreateModelPackage.
    Creating,
    /// SageMaker has refused the request, so there is no version.
    Refused,
    /// The run has registered this version. It is pending approval.
    Created(&'a PackageArn),
    /// The run waits until the registry shows the version.
    NotVisible {
        /// The version.
        promoted: &'a PackageArn,
        /// How long the run has waited.
        waited: Duration,
    },
    /// The run waits for SageMaker to complete the version.
    WaitingForSageMaker {
        /// The version.
        promoted: &'a PackageArn,
        /// Its status.
        status: &'a PackageStatus,
        /// How long the run has waited.
        waited: Duration,
    },
    /// The version is complete and has its final approval status.
    Completed(&'a PackageArn, &'a ApprovalStatus),
}
