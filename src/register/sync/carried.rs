//! Whether a described version has what an Update gives it.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::register::sync::carry::equal;
use crate::register::sync::change::{Change, SOURCE_URI};
use crate::register::sync::comparison::METADATA;
use crate::register::sync::specifications::{SPECIFICATIONS, alike, list, name_of};
use crate::schema::comparison::{agree, leaves};

impl Change {
    /// Whether a described version has the new value, by the comparison that makes an Update due. SageMaker may complete a
    /// model card: it is new if it differs from the value before.
    pub fn is_in(&self, description: &Document) -> bool {
        if self.field.starts_with(SPECIFICATIONS) {
            let is_named = |specification: &&Value| {
                let field = name_of(specification).map(|name| Field::top(SPECIFICATIONS).key(name));
                field.is_some_and(|field| field.to_string() == self.field)
            };
            return alike(self.is.as_ref(), list(description).find(is_named));
        }
        let leaf = leaves(description).into_iter().find(|(field, _)| field.to_string() == self.field);
        let (field, there) = match leaf {
            Some((field, there)) => (field, Some(there)),
            None => {
                (Field::top(&self.field), description.get(SOURCE_URI).filter(|_| self.field == SOURCE_URI).cloned())
            }
        };
        match self.field.split(['{', '.']).next() {
            Some("ModelCard") => !agree(&field, self.was.as_ref(), there.as_ref()),
            Some(METADATA) => equal(&field, (self.is.as_ref(), there.as_ref())),
            _ => agree(&field, self.is.as_ref(), there.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::register::sync::ChangeResult;

    fn change(field: &str, was: Option<Value>, is: Option<Value>) -> Change {
        Change { field: field.to_owned(), was, is, result: ChangeResult::Planned }
    }

    fn is_in(change: &Change, description: Value) -> bool {
        change.is_in(description.as_object().expect("an object"))
    }

    #[test]
    fn a_change_is_in_a_version_that_has_an_equivalent_spelling_of_the_new_value() {
        let removed = change("ModelLifeCycle.StageDescription", Some(json!("a")), None);
        assert!(is_in(&removed, json!({"ModelLifeCycle": {"Stage": "Prod", "StageDescription": ""}})));
        assert!(!is_in(&removed, json!({"ModelLifeCycle": {"Stage": "Prod", "StageDescription": "a"}})));
        let emptied = change("ModelLifeCycle.StageDescription", Some(json!("a")), Some(json!("")));
        assert!(is_in(&emptied, json!({"ModelLifeCycle": {"Stage": "Prod"}})));
        let uri = change("SourceUri", None, Some(json!("s3://models/a")));
        assert!(is_in(&uri, json!({"SourceUri": "s3://models/a"})));
        assert!(!is_in(&uri, json!({"SourceUri": ""})));
    }

    #[test]
    fn a_model_card_with_the_former_content_in_another_spelling_does_not_have_the_change() {
        let content = change("ModelCard.ModelCardContent", Some(json!("{\"a\":1}")), Some(json!("{\"a\":2}")));
        let card = |content: &str| json!({"ModelCard": {"ModelCardContent": content}});
        assert!(!is_in(&content, card("{ \"a\": 1 }")));
        assert!(is_in(&content, card("{\"a\":2,\"added\":true}")));
    }

    #[test]
    fn a_metadata_entry_that_is_empty_is_not_an_entry_that_was_removed() {
        let removed = change("CustomerMetadataProperties{team}", Some(json!("risk")), None);
        assert!(!is_in(&removed, json!({"CustomerMetadataProperties": {"team": ""}})));
        assert!(is_in(&removed, json!({"CustomerMetadataProperties": {}})));
    }

    #[test]
    fn a_specification_is_in_a_version_if_all_of_it_is_there() {
        let of = |image: &str, more: Value| {
            let mut container = json!({"Image": image});
            container.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({"Name": "gpu", "Containers": [container]})
        };
        let added = change("AdditionalInferenceSpecifications{gpu}", None, Some(of("serve:1", json!({}))));
        let described = |one: Value| json!({"AdditionalInferenceSpecifications": [one]});
        assert!(is_in(&added, described(of("serve:1", json!({"ImageDigest": "sha256:1"})))));
        assert!(!is_in(&added, described(of("serve:2", json!({})))));
    }
}
