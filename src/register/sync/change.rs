//! A field of a promoted version that the source or somebody in the target account has changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::model::secrets::sealed;
use crate::schema::comparison::{agree, derived, leaves};

pub(super) const SOURCE_URI: &str = "SourceUri";

/// A field that was changed since the promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The field.
    pub field: String,
    /// The value in the promoted version before the Update. Secrets are sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// The value in the source version now. Secrets are sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Value>,
    /// The result.
    pub result: ChangeResult,
}

/// What happens to a changed field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeResult {
    /// The promoted version has the new value.
    Updated,
    /// A dry run: the field would be updated.
    Planned,
    /// UpdateModelPackage cannot change the field: the promoted version keeps its value.
    Drift,
    /// The source and somebody in the target account have changed the field: the promoted version keeps its value.
    Conflict,
    /// Only somebody in the target account has changed the field: the promoted version keeps its value.
    Kept,
    /// SageMaker has added the field when the version was registered.
    Added,
}

impl Change {
    /// A change of a field from one value to another.
    pub fn new(field: &Field, was: Option<&Value>, is: Option<&Value>, result: ChangeResult) -> Self {
        let field = field.to_string();
        let [was, is] = [was, is].map(|value| value.map(|value| sealed(&field, value)));
        Self { field, was, is, result }
    }

    /// The fields that SageMaker has added to a version by itself.
    pub fn added(request: &Document, description: &Document) -> Vec<Self> {
        let added = derived(request, description).into_iter();
        added.map(|found| Self::new(found.field(), found.described(), None, ChangeResult::Added)).collect()
    }

    /// Whether the change explains this value of a field of the promoted version.
    pub fn explains(&self, field: &str, value: Option<&Value>) -> bool {
        let stays = matches!(self.result, ChangeResult::Kept | ChangeResult::Conflict | ChangeResult::Added);
        stays && self.field == field && self.was == value.map(|value| sealed(field, value))
    }
}

/// The leaves below the fields that `which` picks, in which two requests differ.
pub(super) fn changed(now: &Document, before: &Document, which: impl Fn(&Field) -> bool) -> Vec<Field> {
    let (now, before) = (leaves(now), leaves(before));
    let fields = now.keys().chain(before.keys().filter(|field| !now.contains_key(*field)));
    let differs = |field: &&Field| which(field) && !agree(field, now.get(*field), before.get(*field));
    fields.filter(differs).cloned().collect()
}
