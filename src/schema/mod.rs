//! The schema of model packages: the treatment of fields, limits of the service model, S3 references, comparison.

pub mod comparison;
pub mod environment;
pub mod members;
pub mod references;
pub mod shapes;
pub mod unknown_members;
