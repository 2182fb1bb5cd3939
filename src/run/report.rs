//! The result of a run.

use std::sync::Arc;

use anyhow::Error;
use serde::Serialize;

use crate::model::arn::PackageArn;
use crate::record::{Conclusion, Record, Unconfirmed};

/// The result of a run. It is serialized as its document.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct RunReport {
    /// The document of the run, as `--output json` prints it.
    pub document: Record,
    /// Why promoted versions besides the one of the document could not be followed.
    #[serde(skip)]
    pub failures: Vec<Arc<Error>>,
}

impl RunReport {
    /// The outcome of the run.
    pub fn outcome(&self) -> Conclusion {
        self.document.outcome
    }

    /// The promoted version, if there is one.
    pub fn promoted(&self) -> Option<&PackageArn> {
        self.document.target.as_ref()?.model_package_arn.as_ref()
    }

    /// The report whose document tells the failures, each once.
    pub(super) fn with_failures_told(mut self) -> Self {
        let mut told = Vec::new();
        self.failures.retain(|failure| {
            let text = format!("{failure:#}");
            let is_new = !told.contains(&text);
            told.extend(is_new.then_some(text));
            is_new
        });
        self.document.failures = told;
        self
    }

    /// What could not be confirmed after the promotion.
    pub fn unconfirmed(&self) -> Option<Unconfirmed> {
        self.document.unconfirmed()
    }
}

impl From<Record> for RunReport {
    fn from(document: Record) -> Self {
        Self { document, failures: Vec::new() }
    }
}
