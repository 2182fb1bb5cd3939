//! The use cases as a whole: `full`, what it says of artifacts, `status`, interrupted runs, faults at every call, and memory.

mod artifacts;
mod calls;
mod doctor;
pub(crate) mod faults;
mod full;
mod history;
mod images;
mod interruption;
mod library;
mod many;
#[cfg(target_os = "linux")]
mod many_bench;
mod memory;
mod page;
mod plan;
mod promotions;
mod review;
mod rollback;
#[cfg(target_os = "linux")]
mod rounds;
mod status;
mod strict_registry;
mod strict_s3;
mod throttled;
mod unfinished_source;
#[cfg(unix)]
mod unprivileged;
mod withdraw;
