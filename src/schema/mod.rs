//! The schema of model packages: the treatment of fields, limits of the service model, S3 references, comparison.

pub(crate) mod comparison;
pub(crate) mod environment;
pub mod members;
pub(crate) mod references;
pub mod shapes;
pub(crate) mod unknown_members;
