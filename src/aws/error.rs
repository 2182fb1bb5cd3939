//! Errors of calls to AWS: the call, the resource, the cause and the next step.

mod answer;
mod call;
mod chain;
mod denial;
mod hint_texts;
mod refused;
mod regions;
mod translation;

pub use call::{CallError, Kind};
pub use chain::hints;
pub(crate) use chain::with_hints;
pub(crate) use denial::on_folder;
pub(super) use denial::{Spellings, TargetBucket};
pub(super) use hint_texts::Caller;
pub(crate) use refused::Lacks;

pub use crate::model::side::Side;
