//! What AWS accepts in a model package: a document comes in, its unknown members and its violations come out.
//!
//! The table is `shapes.json`, written by `tools/shapes.py` from the service model: types, lengths, patterns.
//! Enumerations are not in it: AWS adds values to them, and what the source returned AWS has accepted once.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::model::field::{Document, Field};

/// The root shapes of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The request that registers a package.
    Create,
    /// The answer that describes one.
    Describe,
    /// The request that sets status, approval description and source URI.
    Update,
}

impl Root {
    fn shape(self) -> &'static str {
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
    kind: Kind,
    /// Least length, or least value of a number.
    min: Option<u64>,
    /// Greatest length.
    max: Option<u64>,
    pattern: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Regex>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Kind {
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

static SHAPES: LazyLock<HashMap<String, Shape>> =
    LazyLock::new(|| serde_json::from_str(include_str!("shapes.json")).expect("the table is part of the program"));

/// The names of a structure's members by the structure's name; nothing when the table has no such structure.
pub fn members_of(structure: &str) -> Option<Vec<&'static str>> {
    let Kind::Structure { members, .. } = &SHAPES.get(structure)?.kind else { return None };
    Some(members.keys().map(String::as_str).collect())
}

/// The names of all structures in the table.
pub fn structures() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().filter(|(_, shape)| matches!(shape.kind, Kind::Structure { .. })).map(|(name, _)| name.as_str())
}

/// The members of a described package that the table does not know, each by its path.
pub fn unknown_members(description: &Document) -> Vec<Field> {
    let mut unknown = Vec::new();
    let members = description.iter().map(|(name, value)| (Field::top(name), name.as_str(), value));
    find_unknown(Root::Describe.shape(), members, &mut unknown);
    unknown
}

fn find_unknown<'a>(
    structure: &str,
    given: impl Iterator<Item = (Field, &'a str, &'a Value)>,
    unknown: &mut Vec<Field>,
) {
    let Some(Shape { kind: Kind::Structure { members, .. }, .. }) = SHAPES.get(structure) else { return };
    for (field, name, value) in given {
        match members.get(name) {
            None => unknown.push(field),
            Some(shape) => unknown_below(shape, &field, value, unknown),
        }
    }
}

fn unknown_below(shape: &str, field: &Field, value: &Value, unknown: &mut Vec<Field>) {
    match (SHAPES.get(shape).map(|shape| &shape.kind), value) {
        (Some(Kind::Structure { .. }), Value::Object(given)) => {
            let members = given.iter().map(|(name, value)| (field.member(name), name.as_str(), value));
            find_unknown(shape, members, unknown);
        }
        (Some(Kind::List { member }), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                unknown_below(member, &field.item(index), item, unknown);
            }
        }
        _ => {}
    }
}

/// What AWS would refuse, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where.
    pub field: Field,
    /// The rule that is broken, with the figure found.
    pub reason: String,
}

impl Violation {
    /// `field` breaks the rule that `reason` names.
    pub fn new(field: Field, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// Why AWS would refuse a text of this shape, or nothing.
pub fn refusal(shape: &str, text: &str) -> Option<String> {
    let mut found = Vec::new();
    check(shape, &Field::default(), &Value::from(text), &mut found);
    found.pop().map(|violation| violation.reason)
}

/// Everything in a request that breaks a length, pattern, type or required member of the service model.
pub fn violations(root: Root, request: &Document) -> Vec<Violation> {
    let mut found = Vec::new();
    let value = Value::Object(request.clone());
    check(root.shape(), &Field::default(), &value, &mut found);
    found
}

fn check(name: &str, field: &Field, value: &Value, found: &mut Vec<Violation>) {
    let Some(shape) = SHAPES.get(name) else { return };
    match (&shape.kind, value) {
        (Kind::Structure { members, required }, Value::Object(given)) => {
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
        (Kind::List { member }, Value::Array(items)) => {
            shape.check_size("items", items.len(), field, found);
            for (index, item) in items.iter().enumerate() {
                check(member, &field.item(index), item, found);
            }
        }
        (Kind::Map { key, value }, Value::Object(entries)) => {
            shape.check_size("entries", entries.len(), field, found);
            for (name, entry) in entries {
                check(key, &field.key(name), &Value::String(name.clone()), found);
                check(value, &field.key(name), entry, found);
            }
        }
        (Kind::String, Value::String(text)) => shape.check_text(text, field, found),
        (Kind::Integer, Value::Number(number)) => shape.check_number(number, field, found),
        (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => {}
        (kind, _) => found.push(Violation::new(field.clone(), format!("is not of the type {}", kind.name()))),
    }
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Structure { .. } => "structure",
            Self::List { .. } => "list",
            Self::Map { .. } => "map",
            Self::String => "text",
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

/// AWS matches a pattern against the whole text.
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
    fn every_shape_refers_to_shapes_of_the_table_and_every_pattern_compiles() {
        for (name, shape) in SHAPES.iter() {
            let below: Vec<&String> = match &shape.kind {
                Kind::Structure { members, .. } => members.values().collect(),
                Kind::List { member } => vec![member],
                Kind::Map { key, value } => vec![key, value],
                Kind::String | Kind::Integer | Kind::Boolean | Kind::Timestamp => vec![],
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
    fn every_map_of_the_table_is_known_by_its_name() {
        for (structure, shape) in SHAPES.iter() {
            let Kind::Structure { members, .. } = &shape.kind else { continue };
            for (member, target) in members {
                let map = matches!(SHAPES[target].kind, Kind::Map { .. });
                assert_eq!(map, is_map(&Field::top(member)), "{structure}.{member}");
            }
        }
    }

    #[test]
    fn an_unknown_member_is_named_by_its_path_at_any_depth() {
        let description = document(
            r#"{"NewMember":1,"InferenceSpecification":{"Containers":[{"Image":"i","Shiny":true,"Environment":{"FREE":"x"}}]}}"#,
        );
        let names: Vec<String> = unknown_members(&description).iter().map(Field::to_string).collect();
        assert_eq!(names, ["NewMember", "InferenceSpecification.Containers[0].Shiny"]);
    }

    #[test]
    fn each_kind_of_violation_names_its_field() {
        let mut request = document(r#"{"InferenceSpecification":{},"Task":7,"CustomerMetadataProperties":{"a$":"x"}}"#);
        request.insert("SamplePayloadUrl".into(), format!("s3://b/{}", "k".repeat(1024)).into());
        let found: Vec<String> =
            violations(Root::Create, &request).iter().map(|v| format!("{} {}", v.field, v.reason)).collect();
        assert!(found.contains(&"InferenceSpecification.Containers is required and missing".into()), "{found:?}");
        assert!(found.contains(&"Task is not of the type text".into()), "{found:?}");
        assert!(found.contains(&"SamplePayloadUrl has 1031 characters; at most 1024 are allowed".into()), "{found:?}");
        assert!(found.iter().any(|v| v.starts_with("CustomerMetadataProperties{a$} does not match")), "{found:?}");
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_text_with_a_line_break_is_refused_where_aws_refuses_it() {
        let request = document(
            r#"{"ApprovalDescription":"two\nlines","ModelPackageArn":"arn:aws:sagemaker:eu-central-1:111222333444:model-package/g/1"}"#,
        );
        assert_eq!(violations(Root::Update, &request).len(), 1);
    }
}
