//! What AWS accepts and returns: members and their treatment, shapes, references, comparison.

pub mod comparison;
pub mod members;
pub mod references;
pub mod shapes;
