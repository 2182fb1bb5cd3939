//! Finds what somebody else has changed in a promoted version.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::model::promoted::{REQUEST_KEY, is_own_key};
use crate::register::sync::specifications::{SPECIFICATIONS, list, name_of, names};
use crate::schema::comparison::{derived, differences};

/// Members that UpdateModelPackage accepts and that do not change what is deployed.
const DESCRIPTIVE: [&str; 5] =
    ["CustomerMetadataProperties", "ModelCard", "ModelLifeCycle", "ModelPackageRegistrationType", "SourceUri"];

/// A field of a promoted version that differs from its request.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The field. An added inference specification is named as a whole.
    pub field: Field,
    /// The value in the promoted version.
    pub is: Option<Value>,
    /// The difference as a sentence.
    pub detail: String,
    /// Whether somebody has added this inference specification.
    is_added: bool,
}

impl Edit {
    /// Whether the edit changes what is deployed, or where the version comes from.
    pub fn is_essential(&self) -> bool {
        // Every Update sets the digest of the request, and the keys that somebody has removed.
        let is_set_again = self.is_provenance() && (self.is.is_none() || self.field.name() == Some(REQUEST_KEY));
        let is_descriptive = DESCRIPTIVE.contains(&self.field.root()) && !self.is_provenance();
        !is_set_again && !is_descriptive && !self.is_unset()
    }

    /// Whether the edit changes what was promoted. An inference specification that somebody has added does not.
    pub fn alters_promotion(&self) -> bool {
        self.is_essential() && !self.is_added
    }

    /// Whether the version does not have an inference specification yet. An Update can add one, and nobody can remove one.
    pub fn is_unset(&self) -> bool {
        self.field.root() == SPECIFICATIONS && self.is.is_none()
    }

    /// Whether the edit changes a metadata key that a promotion sets.
    pub fn is_provenance(&self) -> bool {
        self.field.root() == "CustomerMetadataProperties" && self.field.name().is_some_and(is_own_key)
    }
}

/// Every field of a described version that differs from the request that describes it since its last Update.
pub fn edits(request: &Document, source_uri: Option<&str>, description: &Document) -> Vec<Edit> {
    let (aligned, added) = aligned(request, description);
    let mut edits: Vec<Edit> = differences(request, &aligned)
        .into_iter()
        .chain(derived(request, description))
        .map(|difference| Edit {
            detail: difference.to_string(),
            is: difference.described().cloned(),
            field: difference.into_field(),
            is_added: false,
        })
        .collect();
    edits.extend(added.into_iter().map(|specification| {
        let field = Field::top(SPECIFICATIONS).key(name_of(specification).unwrap_or_default());
        Edit { detail: format!("{field} was added"), field, is: Some(specification.clone()), is_added: true }
    }));
    let uri = description.get("SourceUri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
    if uri != source_uri {
        let shown = |uri: Option<&str>| uri.map_or("absent".to_owned(), |uri| format!("\"{uri}\""));
        edits.push(Edit {
            field: Field::top("SourceUri"),
            is: uri.map(Value::from),
            detail: format!("SourceUri is {}, not {}", shown(uri), shown(source_uri)),
            is_added: false,
        });
    }
    edits
}

/// The inference specifications that somebody has added to a version since it was registered with the request, as
/// sentences.
pub fn specifications_of_others(request: &Document, description: &Document) -> Vec<String> {
    edits(request, None, description).into_iter().filter(|edit| edit.is_added).map(|edit| edit.detail).collect()
}

/// The description with the specifications of the request only, in the order of the request; and the others.
fn aligned<'a>(request: &Document, description: &'a Document) -> (Document, Vec<&'a Value>) {
    let asked = names(request);
    let rank = |specification: &Value| {
        let name = name_of(specification);
        asked.iter().position(|asked| Some(*asked) == name)
    };
    let (mut known, added): (Vec<&Value>, Vec<&Value>) =
        list(description).partition(|specification| rank(specification).is_some());
    known.sort_by_key(|specification| rank(specification));
    let mut aligned = description.clone();
    if known.is_empty() {
        aligned.shift_remove(SPECIFICATIONS);
    } else {
        aligned.insert(SPECIFICATIONS.into(), known.into_iter().cloned().collect());
    }
    (aligned, added)
}
