//! Finds and compares additional inference specifications by name.

use serde_json::{Value, json};

use crate::model::field::{Document, Field};
use crate::schema::comparison::differences;

/// The member that lists the specifications.
pub const SPECIFICATIONS: &str = "AdditionalInferenceSpecifications";

/// The member of the UpdateModelPackage request that adds specifications.
pub(super) const TO_ADD: &str = "AdditionalInferenceSpecificationsToAdd";

pub(super) fn list(document: &Document) -> impl Iterator<Item = &Value> {
    document.get(SPECIFICATIONS).and_then(Value::as_array).into_iter().flatten()
}

/// The name of a specification.
pub fn name_of(specification: &Value) -> Option<&str> {
    specification.get("Name")?.as_str()
}

/// The names of the specifications of a document.
pub fn names(document: &Document) -> Vec<&str> {
    list(document).filter_map(name_of).collect()
}

pub(super) fn named<'a>(document: &'a Document, name: &str) -> Option<&'a Value> {
    list(document).find(|one| name_of(one) == Some(name))
}

/// Whether two specifications are equal. Fields that the registry fills in are ignored.
pub(super) fn alike(one: Option<&Value>, other: Option<&Value>) -> bool {
    let alone = |one: &Value| Document::from_iter([(SPECIFICATIONS.to_owned(), json!([one]))]);
    match (one, other) {
        (Some(one), Some(other)) => differences(&alone(one), &alone(other)).is_empty(),
        (None, None) => true,
        _ => false,
    }
}

/// The specifications of `now` that `before` does not have.
pub fn added_specifications(now: &Document, before: &Document) -> Vec<Field> {
    let is_new = |name: &&str| named(before, name).is_none();
    let names = names(now).into_iter().enumerate().filter(|(_, name)| is_new(name));
    names.map(|(index, _)| Field::top(SPECIFICATIONS).item(index)).collect()
}

/// Whether a specification refers to an object that was not copied.
pub(super) fn refers_elsewhere(now: &Document, name: &str, unresolved: &[Field]) -> bool {
    let index = names(now).iter().position(|one| *one == name).unwrap_or_default();
    let inside = format!("{}.", Field::top(SPECIFICATIONS).item(index));
    unresolved.iter().any(|field| field.to_string().starts_with(&inside))
}
