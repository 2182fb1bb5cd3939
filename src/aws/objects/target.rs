//! Reads, writes and copies objects in the target account, also with multipart uploads. Never overwrites an object.

mod client;
mod probes;
mod uploads;

pub use client::TargetObjects;
