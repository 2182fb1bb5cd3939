//! Approval: the status of a version, and who gives a promoted version its status.

use serde::{Deserialize, Serialize};

/// `--approval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// The promoted version gets the approval status and description of its source
    #[default]
    Carry,
    /// Somebody in the target account approves the promoted version
    Pending,
}
