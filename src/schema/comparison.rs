//! Whether a package is what was asked for: the request and the description that the registry returns come in, the
//! differences come out, leaf by leaf.
//!
//! A registry returns some members in other forms than it was given: it fills in digests and ETags, writes defaults
//! where nothing was said, and leaves out what is empty. These are no differences; everything else is one.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::model::field::{Document, Field, each_leaf, is_map};
use crate::schema::members::{Verdict, verdict};

/// A member that is not as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    field: Field,
    requested: Option<Value>,
    described: Option<Value>,
}

impl Difference {
    /// Which member.
    pub fn field(&self) -> &Field {
        &self.field
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.requested, &self.described) {
            (Some(requested), Some(described)) => write!(f, "{} is {described}, not {requested}", self.field),
            (Some(requested), None) => write!(f, "{} is missing; it should be {requested}", self.field),
            (None, described) => {
                let described = described.clone().unwrap_or(Value::Null);
                write!(f, "{} is {described}; it should not be there", self.field)
            }
        }
    }
}

/// Values that a registry sets where the request says nothing: by the member's name, with the value that it may have
/// (or any).
const FILLED_IN: [(&str, Option<&str>); 7] = [
    ("ETag", None),
    ("ImageDigest", None),
    ("ManifestEtag", None),
    ("ModelDataETag", None),
    ("ModelPackageRegistrationType", Some("Registered")),
    ("SkipModelValidation", Some("None")),
    ("NearestModelName", Some("")),
];

/// Every difference between a request and the package that it made.
///
/// Members that are set in other ways (approval, token, source URI) are not compared here.
pub fn differences(request: &Document, description: &Document) -> Vec<Difference> {
    let (requested, mut described) = (leaves(request), leaves(description));
    let mut found = Vec::new();
    for (field, value) in requested {
        match described.remove(&field) {
            Some(other) if same(&field, &value, &other) => {}
            None if says_nothing(&value) => {}
            other => found.push(Difference { field, requested: Some(value), described: other }),
        }
    }
    let unasked = described.into_iter().filter(|(field, value)| !says_nothing(value) && !is_filled_in(field, value));
    found.extend(unasked.map(|(field, value)| Difference { field, requested: None, described: Some(value) }));
    found
}

/// The leaves of the members that a package carries, by their paths.
pub(crate) fn leaves(document: &Document) -> BTreeMap<Field, Value> {
    let mut leaves = BTreeMap::new();
    each_leaf(document, &mut |field, value| {
        if verdict(field.root()) == Some(Verdict::Carried) || field.root() == "ModelPackageGroupName" {
            leaves.insert(field.clone(), value.clone());
        }
    });
    leaves
}

pub(crate) fn same(field: &Field, requested: &Value, described: &Value) -> bool {
    if requested == described {
        return true;
    }
    match (field.name(), requested, described) {
        // The same card may come back with other white space or member order.
        (Some("ModelCardContent"), Value::String(one), Value::String(other)) => {
            let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
            parse(one).is_some_and(|card| Some(card) == parse(other))
        }
        // Group names are case-preserving, not case-sensitive.
        (Some("ModelPackageGroupName"), Value::String(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        (_, Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => false,
    }
}

/// Whether two leaves say the same, where nothing stands too.
pub(crate) fn agree(field: &Field, one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(field, one, other),
        (Some(value), None) | (None, Some(value)) => says_nothing(value),
        (None, None) => true,
    }
}

/// An absent member and one of these say the same.
fn says_nothing(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false)) || value.as_str() == Some("")
}

fn is_filled_in(field: &Field, value: &Value) -> bool {
    let free = is_map(&field.parent());
    let filled = FILLED_IN.iter().find(|(name, _)| field.name() == Some(name));
    !free && filled.is_some_and(|(_, allowed)| allowed.is_none_or(|allowed| value.as_str() == Some(allowed)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compare(request: Value, description: Value) -> Vec<String> {
        let object = |value: Value| value.as_object().unwrap().clone();
        differences(&object(request), &object(description)).iter().map(Difference::to_string).collect()
    }

    #[test]
    fn what_a_registry_fills_in_or_leaves_out_is_no_difference() {
        let request = json!({
            "ModelPackageGroupName": "Churn", "ClientToken": "t", "ModelPackageDescription": "",
            "InferenceSpecification": {"Containers": [{"Image": "i", "Environment": {}}]},
            "ModelCard": {"ModelCardContent": "{\"a\":1,\"b\":[2]}"}
        });
        let description = json!({
            "ModelPackageGroupName": "churn", "ModelPackageVersion": 3, "ModelPackageStatus": "Completed",
            "SkipModelValidation": "None", "ModelPackageRegistrationType": "Registered",
            "InferenceSpecification": {"Containers": [{"Image": "i", "ImageDigest": "sha256:0", "ModelDataETag": "e", "IsCheckpoint": false}]},
            "ModelCard": {"ModelCardContent": "{ \"b\": [2], \"a\": 1 }"}
        });
        assert_eq!(compare(request, description), Vec::<String>::new());
    }

    #[test]
    fn a_changed_a_missing_and_an_unasked_leaf_are_named() {
        let request = json!({"Domain": "a", "Task": "OTHER"});
        let description = json!({"Domain": "b", "CustomerMetadataProperties": {"ETag": "x"}});
        assert_eq!(
            compare(request, description),
            [
                r#"Domain is "b", not "a""#,
                r#"Task is missing; it should be "OTHER""#,
                r#"CustomerMetadataProperties{ETag} is "x"; it should not be there"#,
            ]
        );
    }

    #[test]
    fn a_default_other_than_aws_s_own_is_a_difference() {
        let found = compare(json!({}), json!({"SkipModelValidation": "All"}));
        assert_eq!(found, [r#"SkipModelValidation is "All"; it should not be there"#]);
    }

    #[test]
    fn the_order_of_a_list_matters() {
        let with = |types: [&str; 2]| json!({"InferenceSpecification": {"SupportedContentTypes": types}});
        assert_eq!(compare(with(["a", "b"]), with(["b", "a"])).len(), 2);
    }
}
