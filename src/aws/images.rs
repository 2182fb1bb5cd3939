//! Amazon ECR: reads images of the source account, and reads and writes images of the target account.
//!
//! Manifests are the text that ECR returns, because their digest is the SHA-256 of exactly these bytes.

mod client;
mod download;
mod part;
mod probes;
mod quotas;
mod source;
mod target;
mod types;

pub(in crate::aws) use client::Clients;
pub(in crate::aws) use download::Downloads;
pub use download::{Download, LayerUrl};
pub use part::{PartBody, PartEncoder};
pub use source::SourceImages;
pub use target::TargetImages;
pub use types::{ImageId, LayerUpload, ListedReferrers, RepositorySettings, Sent, StoredImage};
