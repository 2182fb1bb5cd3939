//! The error of a session that cannot be opened.

use crate::aws::error::{CallError, Caller, Kind};

/// The error of a session that cannot be opened.
pub(super) fn refused(caller: &Caller, message: String, hint: String) -> CallError {
    CallError {
        side: caller.side,
        call: "configuration",
        resource: caller.profile.as_deref().map_or("the environment".into(), |name| format!("profile '{name}'").into()),
        kind: Kind::Invalid,
        code: None,
        message: message.into(),
        request_id: None,
        bucket_region: None,
        hint: hint.into(),
    }
}
