//! Compares a registered package with the request that created it, field by field.
//!
//! The registry adds digests, ETags and default values to a description, and omits empty fields. These changes do not
//! count as differences. Every other change does.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::model::field::{Document, Field, each_leaf, is_map};
use crate::model::secrets::{self, masked};
use crate::schema::members::{Treatment, treatment};

/// A field whose registered value differs from the requested value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    field: Field,
    requested: Option<Value>,
    described: Option<Value>,
}

impl Difference {
    /// The field that differs.
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// The field that differs, without the values.
    pub fn into_field(self) -> Field {
        self.field
    }

    /// The value in the request.
    pub fn requested(&self) -> Option<&Value> {
        self.requested.as_ref()
    }

    /// The value in the described package.
    pub fn described(&self) -> Option<&Value> {
        self.described.as_ref()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| value.as_ref().map(|value| masked(&self.field.to_string(), value));
        match (shown(&self.requested), shown(&self.described)) {
            (Some(requested), Some(described)) => write!(f, "{} is {described}, not {requested}", self.field),
            (Some(requested), None) => write!(f, "{} is missing; it should be {requested}", self.field),
            (None, described) => {
                let described = described.unwrap_or(Value::Null);
                write!(f, "{} is {described}; it should not be there", self.field)
            }
        }
    }
}

/// Fields that the registry fills in when the request omits them: the name of the field, and the value that the
/// registry sets (`None`: any value). Source: API reference of DescribeModelPackage.
const FILLED_IN: [(&str, Option<&str>); 7] = [
    ("ETag", None),
    ("ImageDigest", None),
    ("ManifestEtag", None),
    ("ModelDataETag", None),
    ("ModelPackageRegistrationType", Some("Registered")),
    ("SkipModelValidation", Some("None")),
    ("NearestModelName", Some("")),
];

/// A member that the registry may derive as a whole when the request omits it. AWS does not document when: a package of a
/// group has a card of its own in the console.
const DERIVED: &str = "ModelCard";

/// Lists every difference between a request and the description of the package that it created.
///
/// Compares the carried fields and the group's name. Fields that promote sets itself (approval status, client token,
/// source URI) are not compared.
pub fn differences(request: &Document, description: &Document) -> Vec<Difference> {
    let is_derived = |difference: &Difference| is_derived(request, difference);
    compared(request, description).into_iter().filter(|difference| !is_derived(difference)).collect()
}

/// Lists the fields that the registry has derived: it sets them although the request omits the whole member.
pub fn derived(request: &Document, description: &Document) -> Vec<Difference> {
    let is_derived = |difference: &Difference| is_derived(request, difference);
    compared(request, description).into_iter().filter(is_derived).collect()
}

/// Lists every difference between the descriptions of two packages. Values that the registry fills in whatever the request
/// has, such as ETags, are not compared.
pub fn deviations(one: &Document, other: &Document) -> Vec<Difference> {
    let filled_in = |field: &Field| {
        let always = FILLED_IN.iter().any(|(name, value)| field.name() == Some(name) && value.is_none());
        always && !is_map(&field.parent())
    };
    compared(one, other).into_iter().filter(|difference| !filled_in(&difference.field)).collect()
}

/// The fields of a document that the registry may have filled in or derived.
pub(crate) fn filled_in(document: &Document) -> Vec<Field> {
    let card = document.contains_key(DERIVED).then(|| Field::top(DERIVED));
    let is_default = |value: &Value| *value == Value::Bool(false);
    let filled = leaves(document).into_iter().filter(|(field, value)| is_filled_in(field, value) || is_default(value));
    filled.map(|(field, _)| field).chain(card).collect()
}

fn is_derived(request: &Document, difference: &Difference) -> bool {
    difference.field.root() == DERIVED && !request.contains_key(DERIVED)
}

fn compared(request: &Document, description: &Document) -> Vec<Difference> {
    let (requested, mut described) = (leaves(request), leaves(description));
    let mut found = Vec::new();
    for (field, value) in requested {
        match described.remove(&field) {
            Some(other) if same(&field, &value, &other) => {}
            None if counts_as_absent(&value) => {}
            other => found.push(Difference { field, requested: Some(value), described: other }),
        }
    }
    let unexpected = described.into_iter().filter(|(field, value)| {
        !counts_as_absent(value) && !is_filled_in(field, value) && !is_of_algorithm(request, field)
    });
    found.extend(unexpected.map(|(field, value)| Difference { field, requested: None, described: Some(value) }));
    found
}

/// The leaves of all carried fields and of the group's name, by path.
pub(crate) fn leaves(document: &Document) -> BTreeMap<Field, Value> {
    let mut leaves = BTreeMap::new();
    each_leaf(document, &mut |field, value| {
        if treatment(field.root()) == Some(Treatment::Carried) || field.root() == "ModelPackageGroupName" {
            leaves.insert(field.clone(), value.clone());
        }
    });
    leaves
}

/// Whether a requested value and a described value are equal, allowing for the registry's normalization and for the digests
/// that a record has in place of secrets.
pub(crate) fn same(field: &Field, requested: &Value, described: &Value) -> bool {
    if requested == described {
        return true;
    }
    match (field.name(), requested, described) {
        // The registry may change white space and the order of members in a card.
        (Some("ModelCardContent"), Value::String(one), Value::String(other)) => {
            let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
            parse(one).is_some_and(|card| Some(card) == parse(other))
        }
        // Group names are case-preserving, not case-sensitive.
        (Some("ModelPackageGroupName"), Value::String(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        (_, Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (_, Value::String(_), Value::String(_)) => secrets::agree(&field.to_string(), requested, described),
        _ => false,
    }
}

/// Whether two leaves are equal. An absent leaf equals an empty one.
pub(crate) fn agree(field: &Field, one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(field, one, other),
        (Some(value), None) | (None, Some(value)) => counts_as_absent(value),
        (None, None) => true,
    }
}

/// Whether the registry treats the value like an absent field.
fn counts_as_absent(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false)) || value.as_str() == Some("")
}

fn is_filled_in(field: &Field, value: &Value) -> bool {
    let free = is_map(&field.parent());
    let filled = FILLED_IN.iter().find(|(name, _)| field.name() == Some(name));
    !free && filled.is_some_and(|(_, allowed)| allowed.is_none_or(|allowed| value.as_str() == Some(allowed)))
}

/// Whether the registry takes the field from the algorithm that the version is made from.
fn is_of_algorithm(request: &Document, field: &Field) -> bool {
    field.root() == "InferenceSpecification"
        && !request.contains_key("InferenceSpecification")
        && request.contains_key("SourceAlgorithmSpecification")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Document {
        value.as_object().unwrap().clone()
    }

    fn compare(request: Value, description: Value) -> Vec<String> {
        differences(&object(request), &object(description)).iter().map(Difference::to_string).collect()
    }

    #[test]
    fn values_that_the_registry_adds_or_omits_do_not_count_as_differences() {
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
    fn changed_missing_and_unexpected_fields_are_named() {
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
    fn containers_that_the_registry_takes_from_an_algorithm_do_not_count_as_differences() {
        let containers = json!({"Containers": [{"Image": "of-the-algorithm"}]});
        let algorithm = json!({"SourceAlgorithms": [{"AlgorithmName": "trees"}]});
        let described = json!({"InferenceSpecification": containers, "SourceAlgorithmSpecification": algorithm});
        assert_eq!(
            compare(json!({"SourceAlgorithmSpecification": algorithm}), described.clone()),
            Vec::<String>::new()
        );
        assert_eq!(compare(json!({}), described).len(), 2);
    }

    #[test]
    fn an_unexpected_default_value_is_a_difference() {
        let found = compare(json!({}), json!({"SkipModelValidation": "All"}));
        assert_eq!(found, [r#"SkipModelValidation is "All"; it should not be there"#]);
    }

    #[test]
    fn a_card_is_derived_only_if_the_request_has_none() {
        let card = |status: &str| object(json!({"ModelCard": {"ModelCardStatus": status}}));
        assert_eq!(
            (differences(&object(json!({})), &card("Draft")).len(), derived(&card("Draft"), &card("Draft")).len()),
            (0, 0)
        );
        assert_eq!(
            derived(&object(json!({})), &card("Draft"))[0].to_string(),
            r#"ModelCard.ModelCardStatus is "Draft"; it should not be there"#
        );
        assert_eq!(
            (differences(&card("Draft"), &card("Approved")).len(), derived(&card("Draft"), &card("Approved")).len()),
            (1, 0)
        );
    }

    #[test]
    fn the_order_of_a_list_matters() {
        let with = |types: [&str; 2]| json!({"InferenceSpecification": {"SupportedContentTypes": types}});
        assert_eq!(compare(with(["a", "b"]), with(["b", "a"])).len(), 2);
    }
}
