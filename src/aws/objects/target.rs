//! The target account's objects: reading, writing, copying and multipart uploads. Nothing is overwritten unasked.

mod client;
mod uploads;

pub use client::TargetObjects;
