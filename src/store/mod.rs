//! Long lists that stay out of memory.

pub mod scratch;
pub mod spool;
