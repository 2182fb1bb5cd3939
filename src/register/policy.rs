//! The settings of a registration.

use std::time::Duration;

use super::decision::{ApprovalPolicy, RecordedApproval};

/// How versions are registered.
#[derive(Debug, Clone)]
pub struct RegistrationPolicy {
    /// How the approval of a version is decided.
    pub approvals: ApprovalPolicy,
    /// The approval of an existing version, if it is recorded.
    pub recorded: Option<RecordedApproval>,
    /// How long SageMaker may take to complete the version.
    pub patience: Duration,
}
