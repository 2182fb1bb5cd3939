//! Who decides on the approval status of a promoted version.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// `--approval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// The status and approval description of the source version
    #[default]
    Carry,
    /// Pending, until somebody in the target account decides
    Pending,
}
