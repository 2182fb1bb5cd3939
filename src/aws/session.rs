//! Sessions: the credentials, the region and the clients of each account.
//!
//! Opening a session sends nothing; credentials are fetched by the first call and refresh by themselves.

mod access;
mod connection;
mod environment;
mod files;
mod lent;
mod refusal;
mod renewal;
mod retries;
mod sides;

pub use super::principal::Identity;
pub use access::{Access, AssumedRole, session_name};
pub use sides::{SourceSession, TargetSession};
