//! Errors of calls to AWS: the call, the resource, the cause and the next step.

mod answer;
mod call;
mod caller;
mod denial;
mod hints;
mod refused;
mod translation;

pub use call::{CallError, Kind, Side};
pub(super) use caller::Caller;
pub use hints::{hints, with_hints};
pub use refused::{Lacks, Refused};
