//! Calls to the two AWS accounts.
//!
//! No type of an AWS SDK leaves this module. The source and the target have distinct types, so that the source can never
//! be written to.

pub(crate) mod accounts;
pub mod error;
pub(crate) mod images;
pub(crate) mod keys;
pub(crate) mod objects;
pub(crate) mod registry;
pub mod session;

mod connector;
mod principal;
mod resource;
mod response_time;
mod timeouts;
