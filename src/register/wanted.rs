//! The final state of a version that is being registered, and the Update that brings it about.

use serde_json::Value;

use super::decision::Decision;
use crate::model::field::Document;

/// The final state of a version that is being registered.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub decision: Decision,
    source_uri: Option<String>,
}

impl Wanted {
    pub fn new(decision: Decision, source_uri: Option<String>) -> Self {
        Self { decision, source_uri }
    }

    /// The Update, or nothing if the version already has the wanted state.
    pub fn update(&self, described: &Document) -> Option<Document> {
        if self.missing(described).is_empty() {
            return None;
        }
        let mut update = self.decision.update();
        if let Some(uri) = &self.source_uri {
            update.insert("SourceUri".into(), uri.as_str().into());
        }
        Some(update)
    }

    /// The members that differ from the Update, as a sentence.
    pub fn unconfirmed(&self, described: &Document) -> Option<String> {
        let missing = self.missing(described);
        (!missing.is_empty())
            .then(|| format!("after the final update, {} differs from the value that was set", missing.join(" and ")))
    }

    fn missing(&self, described: &Document) -> Vec<&'static str> {
        let mut missing = self.decision.missing(described);
        if self.source_uri.is_some() && described.get("SourceUri").and_then(Value::as_str) != self.source_uri.as_deref()
        {
            missing.push("SourceUri");
        }
        missing
    }
}
