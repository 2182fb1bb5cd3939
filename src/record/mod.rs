//! The record of a run: the document, its history beside the artifacts, its signature and its verification.

mod document;
mod facts;
pub mod files;
pub mod hashing;
pub mod history;
pub mod signature;
pub mod signing;
pub mod verification;

pub use document::{Conclusion, Record, SCHEMA};
pub use facts::{
    ArtifactFacts, Build, ReferenceFacts, Source, SourcePackage, Target, Tool, WithdrawalResult, Withdrawn,
};
