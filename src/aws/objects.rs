//! S3: reads objects of the source account, and reads and writes objects of the target account.

mod body;
mod checksum;
mod contents;
mod encoding;
mod headers;
mod pages;
mod policies;
mod reader;
mod storage;
mod target;
mod types;

pub use body::Body;
pub use checksum::{Algorithm, Checksum};
pub use contents::Contents;
pub(super) use headers::BucketHeaders;
pub use headers::{BucketAccess, CannedAcl, Sse, WriteHeaders};
pub use target::TargetObjects;
pub use types::{Attributes, CopySource, ETag, Encryption, Head, Listed, Part, StoredPart, UploadId, Written};

/// S3 with the source's credentials. A reader has no method that writes.
pub type SourceObjects = reader::ObjectReader;
