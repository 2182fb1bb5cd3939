//! SageMaker's model registry: reading it in the source account, reading and writing it in the target account.
//!
//! Descriptions are the raw answers and creation sends the raw document, because the SDK's types drop
//! every member that they do not know. Every answer is checked to be of the group that was asked for.

mod raw;
mod reader;
mod source;
mod summary;
mod target;

pub use source::SourceRegistry;
pub use summary::Summary;
pub use target::TargetRegistry;
