//! SageMaker's model registry: reads it in the source account, and reads and writes it in the target account.
//!
//! Descriptions are raw JSON responses, and requests are raw JSON documents, because the SDK's types drop unknown members.
//! Every response is checked to be about the requested group.

mod groups;
mod probes;
mod raw;
mod reader;
mod refusal;
mod summary;
mod target;
mod turns;

pub use groups::{GroupsOf, ListedGroup};
pub use refusal::NotCreated;
pub use summary::Summary;
pub use target::TargetRegistry;

/// The source account's registry. A reader has no method that writes.
pub type SourceRegistry = reader::RegistryReader;
