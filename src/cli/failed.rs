//! The document of a run that has failed or was interrupted.

use anyhow::Error;
use serde::Serialize;

use super::known::{DoneSoFar, Known};
use crate::aws::error::{CallError, Side};
use crate::model::arn::PackageArn;
use crate::model::failure::cause;
use crate::model::package::rfc3339;
use crate::model::words::word;
use crate::record::{SCHEMA, Tool};

/// The outcome of a run that a signal has interrupted.
const INTERRUPTED: &str = "interrupted";
/// The outcome of a group that had not begun then.
const NOT_STARTED: &str = "not-started";

/// The document of a run that has failed or was interrupted.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FailedRun {
    schema: u32,
    outcome: &'static str,
    /// The verb.
    verb: &'static str,
    error: FailedCall,
    /// The source version, if it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_model_package_arn: Option<PackageArn>,
    done: DoneSoFar,
    tool: Tool,
    ended: String,
}

/// Why a run has failed.
#[derive(Debug, Clone, Default, Serialize)]
struct FailedCall {
    kind: String,
    message: String,
    hints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Box<str>>,
}

impl FailedRun {
    /// The document of a run that has failed.
    pub fn of(verb: &'static str, error: &Error, known: &Known) -> Self {
        let call: Option<&CallError> = cause(error);
        let failed = FailedCall {
            kind: call.map_or("refused".to_owned(), |call| word(call.kind)),
            message: format!("{error:#}"),
            hints: known.next_steps(error),
            side: call.map(|call| call.side),
            call: call.map(|call| call.call),
            resource: call.map(|call| call.resource.clone()),
            code: call.and_then(|call| call.code.clone()),
            request_id: call.and_then(|call| call.request_id.clone()),
        };
        Self::new(verb, "failed", failed, known)
    }

    /// Why the run has failed.
    pub fn message(&self) -> &str {
        &self.error.message
    }

    /// `failed`, `interrupted` or `not-started`.
    pub fn outcome(&self) -> &'static str {
        self.outcome
    }

    /// Whether a signal has interrupted the run.
    pub fn is_interrupted(&self) -> bool {
        self.outcome == INTERRUPTED
    }

    /// Whether a signal has interrupted the run before this group began.
    pub fn is_not_started(&self) -> bool {
        self.outcome == NOT_STARTED
    }

    /// The document of a run that was interrupted by a signal.
    pub fn interrupted(verb: &'static str, message: &str, known: &Known) -> Self {
        Self::by_signal(verb, INTERRUPTED, message.to_owned(), known)
    }

    /// The document of a group that had not begun when a signal interrupted the run.
    pub fn not_started(verb: &'static str, signal: &str) -> Self {
        let message = format!("{signal}: interrupted before the group began");
        Self::by_signal(verb, NOT_STARTED, message, &Known::default())
    }

    fn by_signal(verb: &'static str, outcome: &'static str, message: String, known: &Known) -> Self {
        let failed = FailedCall {
            kind: "interrupted".to_owned(),
            message,
            hints: vec!["Run again to continue".to_owned()],
            ..FailedCall::default()
        };
        Self::new(verb, outcome, failed, known)
    }

    fn new(verb: &'static str, outcome: &'static str, error: FailedCall, known: &Known) -> Self {
        Self {
            schema: SCHEMA,
            outcome,
            verb,
            error,
            source_model_package_arn: known.source.clone(),
            done: known.done(),
            tool: Tool::default(),
            ended: rfc3339(&std::time::SystemTime::now().into()),
        }
    }
}
