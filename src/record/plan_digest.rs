//! The digest of a plan. It covers the whole document: what decides, and what a reviewer reads to decide.

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::Record;
use super::planned::PlanFacts;
use crate::model::field::Document;
use crate::model::package;
use crate::model::secrets::sealed_document;
use crate::store::{List, Spooled};

/// The document of a plan with all its members, also those that [`Record`] does not have.
#[derive(Debug, Deserialize)]
pub struct PlanText {
    /// They may exceed memory.
    #[serde(default)]
    artifacts: List<Document>,
    #[serde(flatten)]
    others: Document,
}

impl PlanText {
    /// The SHA-256 of the document without the digest itself. The order of its members does not matter. The artifacts are
    /// hashed one after the other.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub(super) fn digest(mut self) -> Result<String> {
        if let Some(plan) = self.others.get_mut("plan").and_then(Value::as_object_mut) {
            plan.remove("digest");
        }
        // A digest of secrets in full would help to guess them.
        if let Some(Value::Object(request)) = self.others.get_mut("request") {
            *request = sealed_document(request);
        }
        let mut hash = Sha256::new();
        hash.update(package::digest(&self.others));
        for artifact in self.artifacts.iter() {
            hash.update(package::digest(&artifact?));
        }
        Ok(format!("sha256:{}", hex::encode(hash.finalize())))
    }
}

impl Record {
    /// Adds the digest of the plan and the settings that decide to the document of a dry run. Later changes of the
    /// document are edits.
    ///
    /// # Errors
    /// A temporary file cannot be read or written.
    pub fn with_digest(mut self, settings: Document) -> Result<Self> {
        self.plan = Some(PlanFacts { digest: String::new(), settings });
        let text = Spooled::json(&self)?;
        let digest = serde_json::from_reader::<_, PlanText>(text.reader())?.digest()?;
        if let Some(plan) = &mut self.plan {
            plan.digest = digest;
        }
        Ok(self)
    }
}
