//! The digest of a plan. It covers the whole document: what decides, and what a reviewer reads to decide.

use anyhow::Result;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::Record;
use super::planned::PlanFacts;
use crate::model::field::Document;
use crate::model::package;
use crate::model::secrets::sealed_document;

impl Record {
    /// Adds the digest of the plan and the settings that decide to the document of a dry run. Later changes of the
    /// document are edits.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn with_digest(mut self, settings: Document) -> Result<Self> {
        self.plan = Some(PlanFacts { digest: String::new(), settings });
        let digest = self.plan_digest()?;
        if let Some(plan) = &mut self.plan {
            plan.digest = digest;
        }
        Ok(self)
    }

    /// The SHA-256 of the document without the digest itself. The order of its members does not matter. The artifacts may
    /// exceed memory, so they are hashed one after the other.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub(super) fn plan_digest(&mut self) -> Result<String> {
        let artifacts = std::mem::take(&mut self.artifacts);
        let document = serde_json::to_value(&*self);
        self.artifacts = artifacts;
        let mut document = match document? {
            Value::Object(document) => document,
            other => anyhow::bail!("the plan is {other}"),
        };
        if let Some(plan) = document.get_mut("plan").and_then(Value::as_object_mut) {
            plan.remove("digest");
        }
        // A digest of secrets in full would help to guess them.
        if let Some(Value::Object(request)) = document.get_mut("request") {
            *request = sealed_document(request);
        }
        let mut hash = Sha256::new();
        hash.update(package::digest(&document));
        for artifact in self.artifacts.iter() {
            hash.update(format!("\n{}", serde_json::to_string(&artifact?)?));
        }
        Ok(format!("sha256:{}", hex::encode(hash.finalize())))
    }
}
