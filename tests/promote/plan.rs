//! Planning: which version is promoted, which references are rewritten, and what is not carried over.

mod archived;
mod environment;
mod images;
pub(crate) mod lossless;
mod missing;
mod packages;
mod provenance;
pub(crate) mod references;
mod refused;
mod versions;
