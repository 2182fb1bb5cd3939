//! References with their targets.

use crate::model::location::Location;
use crate::schema::references::Reference;

/// A reference of a package, and where it points to in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The reference.
    pub reference: Reference,
    /// What stands for it in the target; nothing when it was not copied.
    pub target: Option<Location>,
}
