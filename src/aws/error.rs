//! Errors of calls to AWS: what failed, where, what it means, and what the user can do about it.

mod answer;
mod call;
mod caller;
mod hints;
mod translation;

pub use call::{CallError, Kind, Side};
pub(super) use caller::Caller;
pub use hints::{hints, with_hints};
