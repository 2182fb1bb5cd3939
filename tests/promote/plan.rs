//! Planning: which version is promoted, which references are rewritten, and what is not carried over.

pub(crate) mod lossless;
pub(crate) mod references;
mod versions;
