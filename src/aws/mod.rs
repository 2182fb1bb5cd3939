//! Calls to the two AWS accounts.
//!
//! No type of an AWS SDK leaves this module. The source and the target have distinct types, so that the source can never
//! be written to.

pub mod accounts;
pub mod error;
pub mod keys;
pub mod objects;
pub mod registry;
pub mod session;

mod principal;
mod resource;
mod timeouts;
