//! The error of a failed call to AWS.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Which of the two accounts a call went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The account that is promoted from.
    Source,
    /// The account that is promoted to.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// What a failed call means to its caller. Callers decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The thing is not there: HTTP 404, or SageMaker's ValidationException that says so. Never a 403.
    NotFound,
    /// The principal may not: HTTP 403.
    Denied,
    /// A thing of that name is there already.
    AlreadyExists,
    /// A condition on an ETag or on absence did not hold (412), or another write was under way (409).
    PreconditionFailed,
    /// The multipart upload was completed, aborted or never there.
    NoSuchUpload,
    /// The request itself is refused, or it went to the wrong region.
    Invalid,
    /// Too many calls, after the SDK's own retries.
    Throttled,
    /// 5xx, time-outs, and hosts that cannot be reached, after the SDK's own retries.
    Unavailable,
    /// No credentials, expired ones, or a role that cannot be assumed.
    Credentials,
    /// Anything else, an answer that contradicts the question included.
    Other,
}

/// A call that failed, with everything that a person needs to act on it.
#[derive(Debug, Clone)]
pub struct CallError {
    /// The account that was called.
    pub side: Side,
    /// The operation, such as `s3:HeadObject`.
    pub call: &'static str,
    /// What it was called on, such as `s3://bucket/key` or an ARN.
    pub resource: Box<str>,
    /// What it means.
    pub kind: Kind,
    /// AWS's error code, when it gave one.
    pub code: Option<Box<str>>,
    /// AWS's message, or ours when there was no answer.
    pub message: Box<str>,
    /// AWS's request id, for its support.
    pub request_id: Option<Box<str>>,
    /// The region of the bucket, when S3 says that it is another one than was called.
    pub bucket_region: Option<Box<str>>,
    /// What to do next: one sentence without a full stop. Not part of the message.
    pub hint: Box<str>,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}: ", self.side, self.call, self.resource)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(self.message.trim_end_matches('.'))?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl Error for CallError {}
