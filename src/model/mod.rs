//! The vocabulary of a promotion: ARNs, locations, documents, packages, approval and the folder of a promotion.

pub mod approval;
pub mod arn;
pub mod destination;
pub mod field;
pub mod layout;
pub mod location;
pub mod package;
pub mod package_status;
pub mod promoted;
