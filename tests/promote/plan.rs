//! Planning: which version is promoted, which references are rewritten, and what is not carried over.

mod archived;
mod images;
pub(crate) mod lossless;
mod missing;
mod provenance;
pub(crate) mod references;
mod versions;
