//! What may be larger than memory: rows in a temporary database, and documents in a temporary file.

mod database;
mod list;
mod spooled;

pub use database::{Database, paged};
pub use list::List;
pub use spooled::{Spooled, Spooling};
