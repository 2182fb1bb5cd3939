//! The use cases.

pub mod standing;
