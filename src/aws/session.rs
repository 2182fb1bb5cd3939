//! Sessions: the credentials, the region and the clients of each account.
//!
//! Opening a session makes no call. The first call fetches the credentials, which are then refreshed automatically.

mod access;
mod authorities;
mod connection;
mod endpoints;
mod environment;
mod files;
#[cfg(test)]
mod fuzz;
mod lent;
mod references;
mod refusal;
mod renewal;
mod retries;
mod surroundings;

pub(crate) use super::principal::Identity;
pub use access::{Access, AssumedRole, BucketAccess, CannedAcl, Sse, WriteHeaders, session_name};
pub(super) use connection::Session;
