//! Warnings: remarks that stop nothing.

use serde::{Deserialize, Serialize};

/// A remark that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The member it is about.
    pub field: String,
    /// What was seen.
    pub remark: String,
}
