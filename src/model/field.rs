//! Paths to values in a package, such as `InferenceSpecification.Containers[0].ModelDataUrl`.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// A package or a request as JSON. The order of members is kept, and absent members stay absent.
pub type Document = Map<String, Value>;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum FieldStep {
    Member(String),
    Item(usize),
    Key(String),
}

/// The path to one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Field(Vec<FieldStep>);

impl Field {
    /// A top-level member of the document.
    pub fn top(member: &str) -> Self {
        Self::default().member(member)
    }
    /// The member `name` of the structure at this path.
    pub fn member(&self, name: &str) -> Self {
        self.then(FieldStep::Member(name.to_owned()))
    }
    /// The item `index` of the list at this path.
    pub fn item(&self, index: usize) -> Self {
        self.then(FieldStep::Item(index))
    }
    /// The entry `key` of the map at this path.
    pub fn key(&self, key: &str) -> Self {
        self.then(FieldStep::Key(key.to_owned()))
    }
    /// The path of the structure, list or map that contains this value.
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }
    /// The name of the last member or key, or `None` for a list item.
    pub fn name(&self) -> Option<&str> {
        match self.0.last()? {
            FieldStep::Member(name) | FieldStep::Key(name) => Some(name),
            FieldStep::Item(_) => None,
        }
    }
    /// The name of the top-level member that contains this value.
    pub fn root(&self) -> &str {
        match self.0.first() {
            Some(FieldStep::Member(name)) => name,
            _ => "",
        }
    }

    /// The path with `[]` for every index and `{}` for every key, as the tables in `schema` write it.
    pub fn pattern(&self) -> String {
        self.render(|step, out| match step {
            FieldStep::Member(name) => {
                separate(out);
                out.push_str(name);
            }
            FieldStep::Item(_) => out.push_str("[]"),
            FieldStep::Key(_) => out.push_str("{}"),
        })
    }

    /// The value at this path, if there is one.
    pub fn get<'a>(&self, document: &'a Document) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let FieldStep::Member(name) = first else { return None };
        rest.iter().try_fold(document.get(name)?, |value, step| match step {
            FieldStep::Member(name) | FieldStep::Key(name) => value.get(name),
            FieldStep::Item(index) => value.get(index),
        })
    }

    /// The value at this path, for changes in place.
    pub fn get_mut<'a>(&self, document: &'a mut Document) -> Option<&'a mut Value> {
        let (first, rest) = self.0.split_first()?;
        let FieldStep::Member(name) = first else { return None };
        rest.iter().try_fold(document.get_mut(name)?, |value, step| match step {
            FieldStep::Member(name) | FieldStep::Key(name) => value.get_mut(name),
            FieldStep::Item(index) => value.get_mut(index),
        })
    }

    /// Removes the member at this path from its structure, and returns its value.
    pub fn remove(&self, document: &mut Document) -> Option<Value> {
        let name = self.name()?;
        match self.parent() {
            parent if parent.0.is_empty() => document.shift_remove(name),
            parent => parent.get_mut(document)?.as_object_mut()?.shift_remove(name),
        }
    }

    fn then(&self, step: FieldStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    fn render(&self, write: impl Fn(&FieldStep, &mut String)) -> String {
        let mut out = String::new();
        for step in &self.0 {
            write(step, &mut out);
        }
        out
    }
}

fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push('.');
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(|step, out| match step {
            FieldStep::Member(name) => {
                separate(out);
                out.push_str(name);
            }
            FieldStep::Item(index) => out.push_str(&format!("[{index}]")),
            FieldStep::Key(key) => out.push_str(&format!("{{{key}}}")),
        }))
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether the value at this path is a map with arbitrary keys instead of a structure.
pub fn is_map(field: &Field) -> bool {
    // Every map of a model package has one of these names. A test in `schema::shapes` checks this list.
    matches!(field.name(), Some("Environment" | "CustomerMetadataProperties"))
}

/// Calls `visit` with the path and the value of every leaf (string, number, Boolean, null), in document order.
pub fn each_leaf(document: &Document, visit: &mut impl FnMut(&Field, &Value)) {
    for (name, value) in document {
        leaves_below(&Field::top(name), value, visit);
    }
}

fn leaves_below(field: &Field, value: &Value, visit: &mut impl FnMut(&Field, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let inner = if is_map(field) { field.key(name) } else { field.member(name) };
                leaves_below(&inner, value, visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves_below(&field.item(index), item, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => visit(field, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let text =
            r#"{"InferenceSpecification":{"Containers":[{"Image":"i","Environment":{"A.B":"v"}}]},"Task":"OTHER"}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_path_of_every_visited_leaf_leads_to_its_value() {
        let document = document();
        let mut seen = Vec::new();
        each_leaf(&document, &mut |field, value| {
            assert_eq!(field.get(&document), Some(value));
            seen.push((field.to_string(), field.pattern()));
        });
        let path = "InferenceSpecification.Containers[0].Environment{A.B}";
        let pattern = "InferenceSpecification.Containers[].Environment{}";
        assert!(seen.contains(&(path.into(), pattern.into())), "{seen:?}");
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn a_member_is_removed_from_its_structure() {
        let mut document = document();
        let field = Field::top("InferenceSpecification").member("Containers").item(0).member("Image");
        assert_eq!(field.remove(&mut document), Some("i".into()));
        assert_eq!(field.get(&document), None);
        assert_eq!(Field::top("Task").remove(&mut document), Some("OTHER".into()));
    }
}
