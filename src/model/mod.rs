//! The nouns of a promotion: ARNs, locations, documents, packages, failures and the folder of a promotion.

pub mod approval;
pub mod arn;
pub mod failure;
pub mod field;
pub mod layout;
pub mod location;
pub mod package;
