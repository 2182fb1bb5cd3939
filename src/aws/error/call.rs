//! The error of a failed call to AWS.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::aws::resource::COPIED_FROM;
use crate::model::side::Side;

/// The kind of a failure, by which callers decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The resource does not exist: HTTP 404, or a ValidationException of SageMaker that says so. Never a 403.
    NotFound,
    /// The principal does not have the permission: HTTP 403.
    Denied,
    /// A resource of that name already exists.
    AlreadyExists,
    /// A condition on the ETag or the absence of an object failed (412), or a concurrent write conflicted (409).
    PreconditionFailed,
    /// The multipart upload was completed or aborted, or never existed.
    NoSuchUpload,
    /// The request is invalid, or it went to the wrong region.
    Invalid,
    /// The server does not support the request: HTTP 501.
    NotImplemented,
    /// Too many requests, after the SDK's retries.
    Throttled,
    /// 5xx, timeouts and unreachable hosts, after the SDK's retries.
    Unavailable,
    /// No credentials, expired credentials, or a role that cannot be assumed.
    Credentials,
    /// Any other failure, including responses that do not match the request.
    Other,
}

/// A failed call, with the information that a user needs to resolve it.
#[derive(Debug, Clone)]
pub struct CallError {
    /// The account that was called.
    pub side: Side,
    /// The operation, such as `s3:HeadObject`.
    pub call: &'static str,
    /// The resource, such as `s3://bucket/key` or an ARN.
    pub resource: Box<str>,
    /// The kind of the failure.
    pub kind: Kind,
    /// The error code of AWS, if there is one.
    pub code: Option<Box<str>>,
    /// The message of AWS, or promote's if there was no response.
    pub message: Box<str>,
    /// The request ID, for AWS Support.
    pub request_id: Option<Box<str>>,
    /// The region of the bucket, if S3 says that it differs from the region of the call.
    pub bucket_region: Option<Box<str>>,
    /// The next step: one sentence without a full stop. Not part of the message.
    pub hint: Box<str>,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}: ", self.side, self.call, self.unnamed())?;
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

impl CallError {
    /// The resource, without what the message of AWS names as well.
    fn unnamed(&self) -> String {
        if self.call == "sts:GetCallerIdentity" {
            return String::new();
        }
        let (resource, source) = self.resource.split_once(COPIED_FROM).unwrap_or((&self.resource, ""));
        match (self.names(resource), source.is_empty() || self.names(source)) {
            // The message names the source object. The key of the copy ends with that object's key, and adds nothing.
            (false, true) if !source.is_empty() && self.kind == Kind::Denied => String::new(),
            (false, false) => format!(" on {resource}{COPIED_FROM}{source}"),
            (false, true) => format!(" on {resource}"),
            (true, false) => format!(" from {source}"),
            (true, true) => String::new(),
        }
    }

    /// Whether the message names a resource, by its ARN if that is an S3 URL. SageMaker also writes the names of groups in
    /// lower case.
    fn names(&self, resource: &str) -> bool {
        let name = resource.strip_prefix("s3://").map_or(resource.to_owned(), |path| format!(":s3:::{path}"));
        let (name, message) = match name.contains(":sagemaker:") {
            true => (name.to_ascii_lowercase(), self.message.to_ascii_lowercase()),
            false => (name, self.message.to_string()),
        };
        let mut after = message.match_indices(&name).map(|(at, _)| &message[at + name.len()..]);
        after.any(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || "-_/*".contains(next)))
    }
}

impl Error for CallError {}
