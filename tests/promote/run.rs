//! The use cases as a whole: `full`, `status`, interrupted runs, faults at every call, and memory.

pub(crate) mod faults;
mod full;
mod history;
mod interruption;
mod library;
mod memory;
#[cfg(target_os = "linux")]
mod rounds;
mod status;
mod strict_registry;
mod throttled;
mod unfinished_source;
