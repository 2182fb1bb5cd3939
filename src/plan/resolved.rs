//! References with their targets.

use crate::model::location::Location;
use crate::schema::references::Reference;

/// A reference of a package with its target location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The reference.
    pub reference: Reference,
    /// The location that replaces it in the target, or `None` if nothing was copied.
    pub target: Option<Location>,
}
