//! Warnings, which do not stop a run.

use serde::{Deserialize, Serialize};

use crate::model::location::Location;

/// A warning, which does not stop a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The affected field or location.
    pub field: String,
    /// The text of the warning.
    pub remark: String,
}

impl Warning {
    /// Whether the warning is about a field of the version, which the version keeps. Warnings about objects and versions of
    /// the target are about the run that gives them.
    pub fn is_about_field(&self) -> bool {
        !self.field.starts_with("arn:") && !Location::is_claimed_by(&self.field)
    }
}

/// Adds the warnings that are not there: several versions may have the same warning about a bucket.
pub fn add_new(warnings: &mut Vec<Warning>, more: impl IntoIterator<Item = Warning>) {
    for warning in more {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}
