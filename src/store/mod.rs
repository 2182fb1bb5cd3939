//! Storage for data that may exceed memory: temporary databases, lists and documents.

mod database;
mod full;
mod list;
mod spooled;

pub use database::{Database, paged};
pub use list::List;
pub use spooled::{Spooled, Spooling};
