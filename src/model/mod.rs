//! What a promotion speaks of: ARNs, locations, documents, packages and the folder of a promotion.

pub mod approval;
pub mod arn;
pub mod destination;
pub mod field;
pub mod layout;
pub mod location;
pub mod package;
pub mod promoted;
