//! References with their targets.

use crate::model::field::Field;
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

impl Resolved {
    /// Whether the reference is inside this structure, list or map.
    pub fn is_inside(&self, field: &Field) -> bool {
        self.reference.field.to_string().starts_with(&format!("{field}."))
    }
}
