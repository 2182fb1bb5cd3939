//! How the groups of the model registry are spelled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::arn::GroupArn;

/// The spellings of groups whose names have capitals. SageMaker has the name of a group in lower case in the ARNs of its
/// versions.
#[derive(Debug, Clone, Default)]
pub struct Spellings(Arc<Mutex<BTreeMap<String, String>>>);

impl Spellings {
    /// Notes how a group is spelled.
    pub fn note(&self, group: &GroupArn) {
        let canonical = group.canonical();
        if canonical != group.as_str() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(canonical, group.as_str().to_owned());
        }
    }

    /// The ARN of a group as it is spelled, and in lower case if that differs. IAM compares letter by letter, and SageMaker
    /// writes both.
    pub(super) fn of(&self, group: &str) -> Vec<String> {
        let canonical = group.to_ascii_lowercase();
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&canonical).cloned();
        let mut spellings = vec![noted.unwrap_or_else(|| group.to_owned()), canonical];
        spellings.dedup();
        spellings
    }
}
