//! Finds what somebody else has changed in a promoted version.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::model::promoted::{REQUEST_KEY, is_own_key};
use crate::register::sync::specifications::{SPECIFICATIONS, list, name_of, named, names};
use crate::schema::comparison::{derived, differences};

/// Members that UpdateModelPackage accepts and that do not change what is deployed.
const DESCRIPTIVE: [&str; 5] =
    ["CustomerMetadataProperties", "ModelCard", "ModelLifeCycle", "ModelPackageRegistrationType", "SourceUri"];

/// A field of a promoted version that differs from its request.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The field. An added or missing inference specification is named as a whole.
    pub field: Field,
    /// The value in the promoted version.
    pub is: Option<Value>,
    /// The difference as a sentence.
    pub detail: String,
    kind: EditKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EditKind {
    /// Somebody has added this inference specification.
    Added,
    /// The version does not have this inference specification.
    Missing,
    /// Another field.
    Changed,
}

impl Edit {
    /// Whether the edit changes what is deployed, or where the version comes from.
    pub fn is_essential(&self) -> bool {
        // Every Update sets the digest of the request, and the keys that somebody has removed.
        let is_set_again = self.is_provenance() && (self.is.is_none() || self.field.name() == Some(REQUEST_KEY));
        let is_descriptive = DESCRIPTIVE.contains(&self.field.root()) && !self.is_provenance();
        !is_set_again && !is_descriptive
    }

    /// Whether the edit changes what was promoted. An inference specification that somebody has added does not.
    pub fn alters_promotion(&self) -> bool {
        self.is_essential() && self.kind != EditKind::Added
    }

    /// Whether the version does not have this inference specification: an Update that was not sent yet may add it. Nobody
    /// can remove one.
    pub fn is_missing(&self) -> bool {
        self.kind == EditKind::Missing
    }

    /// Whether the edit changes a metadata key that a promotion sets.
    pub fn is_provenance(&self) -> bool {
        self.field.root() == "CustomerMetadataProperties" && self.field.name().is_some_and(is_own_key)
    }

    fn of_specification(name: &str, is: Option<&Value>) -> Self {
        let field = Field::top(SPECIFICATIONS).key(name);
        let (detail, kind) = match is {
            Some(_) => (format!("{field} was added"), EditKind::Added),
            None => (format!("{field} is missing"), EditKind::Missing),
        };
        Self { field, is: is.cloned(), detail, kind }
    }
}

/// Every field of a described version that differs from the request that describes it since its last Update.
pub fn edits(request: &Document, source_uri: Option<&str>, description: &Document) -> Vec<Edit> {
    let (asked, has) = (names(request), names(description));
    let compared = differences(request, &aligned(request, description));
    let changed = compared.into_iter().chain(derived(request, description)).map(|difference| Edit {
        detail: difference.to_string(),
        is: difference.described().cloned(),
        field: difference.into_field(),
        kind: EditKind::Changed,
    });
    let missing = asked.iter().filter(|name| !has.contains(name)).map(|name| Edit::of_specification(name, None));
    let added = list(description).filter(|one| name_of(one).is_none_or(|name| !asked.contains(&name)));
    let added = added.map(|one| Edit::of_specification(name_of(one).unwrap_or_default(), Some(one)));
    let mut edits: Vec<Edit> = changed.chain(missing).chain(added).collect();
    let uri = description.get("SourceUri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
    if uri != source_uri {
        let shown = |uri: Option<&str>| uri.map_or("absent".to_owned(), |uri| format!("\"{uri}\""));
        edits.push(Edit {
            field: Field::top("SourceUri"),
            is: uri.map(Value::from),
            detail: format!("SourceUri is {}, not {}", shown(uri), shown(source_uri)),
            kind: EditKind::Changed,
        });
    }
    edits
}

/// The inference specifications that somebody has added to a version since it was registered with the request, as
/// sentences.
pub fn specifications_of_others(request: &Document, description: &Document) -> Vec<String> {
    edits(request, None, description)
        .into_iter()
        .filter(|edit| edit.kind == EditKind::Added)
        .map(|edit| edit.detail)
        .collect()
}

/// The description with the inference specifications of the request only, in its order. In place of a missing one, it has
/// that of the request.
fn aligned(request: &Document, description: &Document) -> Document {
    let asked = list(request).map(|one| name_of(one).and_then(|name| named(description, name)).unwrap_or(one));
    let asked: Vec<Value> = asked.cloned().collect();
    let mut aligned = description.clone();
    match asked.is_empty() {
        true => drop(aligned.shift_remove(SPECIFICATIONS)),
        false => drop(aligned.insert(SPECIFICATIONS.into(), asked.into())),
    }
    aligned
}
