//! Warnings, which do not stop a run.

use serde::{Deserialize, Serialize};

/// A warning, which does not stop a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The affected field or location.
    pub field: String,
    /// The text of the warning.
    pub remark: String,
}
