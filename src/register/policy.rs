//! The settings of a registration.

use std::time::Duration;

use crate::model::approval::Approval;

/// How versions are registered.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Who approves the version.
    pub approval: Approval,
    /// How long SageMaker may take to complete the version.
    pub patience: Duration,
}
