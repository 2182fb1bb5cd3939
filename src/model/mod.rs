//! Types of the domain: ARNs, locations, documents, packages, failures and the layout of a promotion.

pub mod approval;
pub mod arn;
pub(crate) mod claim;
pub(crate) mod destination;
pub mod failure;
pub mod field;
pub mod fingerprints;
pub mod hold;
pub mod image;
pub mod layout;
pub mod location;
pub(crate) mod package;
pub(crate) mod package_status;
pub(crate) mod promoted;
mod record_name;
pub mod secrets;
pub mod side;
pub(crate) mod words;
