//! Checks requests against the service model: types, lengths, patterns and required members.
//!
//! `tools/shapes.py` writes the table `shapes.json` from the service model. The table omits enumerations: AWS adds
//! values to them, and has accepted every value of the source package before.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::model::field::{Document, Field};

/// The root shapes of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The request of CreateModelPackage.
    Create,
    /// The response of DescribeModelPackage.
    Describe,
    /// The request of UpdateModelPackage.
    Update,
}

impl Root {
    /// The name of the shape in the table.
    pub(super) fn shape(self) -> &'static str {
        match self {
            Self::Create => "CreateModelPackageInput",
            Self::Describe => "DescribeModelPackageOutput",
            Self::Update => "UpdateModelPackageInput",
        }
    }
}

/// One shape of the service model.
#[derive(Debug, Deserialize)]
pub struct Shape {
    #[serde(flatten)]
    pub(super) kind: ShapeKind,
    /// The minimum length, or the minimum value of a number.
    min: Option<u64>,
    /// The maximum length.
    max: Option<u64>,
    pattern: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Regex>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ShapeKind {
    Structure {
        members: HashMap<String, String>,
        #[serde(default)]
        required: Vec<String>,
    },
    List {
        member: String,
    },
    Map {
        key: String,
        value: String,
    },
    String,
    Integer,
    Boolean,
    Timestamp,
}

/// Every shape by its name.
pub(super) static SHAPES: LazyLock<HashMap<String, Shape>> =
    LazyLock::new(|| serde_json::from_str(include_str!("shapes.json")).expect("the table is part of the program"));

/// The names of the members of a structure, or `None` if the table has no such structure.
pub fn members_of(structure: &str) -> Option<Vec<&'static str>> {
    let ShapeKind::Structure { members, .. } = &SHAPES.get(structure)?.kind else { return None };
    Some(members.keys().map(String::as_str).collect())
}

/// The names of all structures in the table.
pub fn structures() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().filter(|(_, shape)| matches!(shape.kind, ShapeKind::Structure { .. })).map(|(name, _)| name.as_str())
}

/// A value that AWS would reject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field.
    pub field: Field,
    /// The violated rule, with the value found.
    pub reason: String,
}

impl Violation {
    /// A violation of the rule `reason` by `field`.
    pub fn new(field: Field, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.field, self.reason)
    }
}

/// Why AWS would reject `text` as a value of this shape, or `None` if it is valid.
pub fn refusal(shape: &str, text: &str) -> Option<String> {
    let mut found = Vec::new();
    check(shape, &Field::default(), &Value::from(text), &mut found);
    found.pop().map(|violation| violation.reason)
}

/// Lists every violation of the service model in a request: lengths, patterns, types and required members.
pub fn violations(root: Root, request: &Document) -> Vec<Violation> {
    let mut found = Vec::new();
    let value = Value::Object(request.clone());
    check(root.shape(), &Field::default(), &value, &mut found);
    found
}

fn check(name: &str, field: &Field, value: &Value, found: &mut Vec<Violation>) {
    let Some(shape) = SHAPES.get(name) else { return };
    match (&shape.kind, value) {
        (ShapeKind::Structure { members, required }, Value::Object(given)) => {
            for name in required.iter().filter(|name| !given.contains_key(*name)) {
                found.push(Violation::new(field.member(name), "is required and missing"));
            }
            for (name, value) in given {
                match members.get(name) {
                    Some(shape) => check(shape, &field.member(name), value, found),
                    None => found.push(Violation::new(field.member(name), "is not a member of this request")),
                }
            }
        }
        (ShapeKind::List { member }, Value::Array(items)) => {
            shape.check_size("items", items.len(), field, found);
            for (index, item) in items.iter().enumerate() {
                check(member, &field.item(index), item, found);
            }
        }
        (ShapeKind::Map { key, value }, Value::Object(entries)) => {
            shape.check_size("entries", entries.len(), field, found);
            for (name, entry) in entries {
                check(key, &field.key(name), &Value::String(name.clone()), found);
                check(value, &field.key(name), entry, found);
            }
        }
        (ShapeKind::String, Value::String(text)) => shape.check_text(text, field, found),
        (ShapeKind::Integer, Value::Number(number)) => shape.check_number(number, field, found),
        (ShapeKind::Boolean, Value::Bool(_)) | (ShapeKind::Timestamp, Value::Number(_)) => {}
        (kind, _) => found.push(Violation::new(field.clone(), format!("is not of the type {}", kind.name()))),
    }
}

impl ShapeKind {
    fn name(&self) -> &'static str {
        match self {
            Self::Structure { .. } => "structure",
            Self::List { .. } => "list",
            Self::Map { .. } => "map",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
        }
    }
}

impl Shape {
    fn check_size(&self, of: &str, size: usize, field: &Field, found: &mut Vec<Violation>) {
        let size = size as u64;
        if let Some(max) = self.max.filter(|max| size > *max) {
            found.push(Violation::new(field.clone(), format!("has {size} {of}; at most {max} are allowed")));
        }
        if let Some(min) = self.min.filter(|min| size < *min) {
            found.push(Violation::new(field.clone(), format!("has {size} {of}; at least {min} are required")));
        }
    }

    fn check_text(&self, text: &str, field: &Field, found: &mut Vec<Violation>) {
        self.check_size("characters", text.chars().count(), field, found);
        let Some(pattern) = &self.pattern else { return };
        if !self.compiled.get_or_init(|| whole(pattern)).is_match(text) {
            let reason = match pattern.as_str() {
                ".*" => "has a line break".to_owned(),
                pattern => format!("does not match the pattern {pattern}"),
            };
            found.push(Violation::new(field.clone(), reason));
        }
    }

    fn check_number(&self, number: &serde_json::Number, field: &Field, found: &mut Vec<Violation>) {
        let fits = number.as_u64().is_some_and(|n| self.min.is_none_or(|min| n >= min));
        if !fits {
            let min = self.min.unwrap_or(0);
            found.push(Violation::new(field.clone(), format!("is {number}; a whole number from {min} is required")));
        }
    }
}

/// A regular expression that matches the whole text, as AWS matches patterns.
fn whole(pattern: &str) -> Regex {
    Regex::new(&format!(r"\A(?:{pattern})\z")).expect("a test compiles every pattern of the table")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field::is_map;

    fn document(text: &str) -> Document {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_shape_name_resolves_and_every_pattern_compiles() {
        for (name, shape) in SHAPES.iter() {
            let below: Vec<&String> = match &shape.kind {
                ShapeKind::Structure { members, .. } => members.values().collect(),
                ShapeKind::List { member } => vec![member],
                ShapeKind::Map { key, value } => vec![key, value],
                ShapeKind::String | ShapeKind::Integer | ShapeKind::Boolean | ShapeKind::Timestamp => vec![],
            };
            for target in below {
                assert!(SHAPES.contains_key(target), "{name} refers to {target}");
            }
            if let Some(pattern) = &shape.pattern {
                whole(pattern);
            }
        }
    }

    #[test]
    fn is_map_knows_exactly_the_maps_of_the_table() {
        for (structure, shape) in SHAPES.iter() {
            let ShapeKind::Structure { members, .. } = &shape.kind else { continue };
            for (member, target) in members {
                let map = matches!(SHAPES[target].kind, ShapeKind::Map { .. });
                assert_eq!(map, is_map(&Field::top(member)), "{structure}.{member}");
            }
        }
    }

    #[test]
    fn every_kind_of_violation_names_its_field() {
        let mut request = document(r#"{"InferenceSpecification":{},"Task":7,"CustomerMetadataProperties":{"a$":"x"}}"#);
        request.insert("SamplePayloadUrl".into(), format!("s3://b/{}", "k".repeat(1024)).into());
        let found: Vec<String> = violations(Root::Create, &request).iter().map(Violation::to_string).collect();
        assert!(found.contains(&"InferenceSpecification.Containers is required and missing".into()), "{found:?}");
        assert!(found.contains(&"Task is not of the type string".into()), "{found:?}");
        assert!(found.contains(&"SamplePayloadUrl has 1031 characters; at most 1024 are allowed".into()), "{found:?}");
        assert!(found.iter().any(|v| v.starts_with("CustomerMetadataProperties{a$} does not match")), "{found:?}");
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_line_break_is_refused_where_aws_refuses_it() {
        let request = document(
            r#"{"ApprovalDescription":"two\nlines","ModelPackageArn":"arn:aws:sagemaker:eu-central-1:111222333444:model-package/g/1"}"#,
        );
        assert_eq!(violations(Root::Update, &request).len(), 1);
    }
}
