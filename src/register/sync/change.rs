//! Finds the fields that the source has changed since the promotion.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::schema::comparison::{agree, leaves};

/// A field that the source has changed since the promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The field.
    pub field: String,
    /// The value in the promoted version before the Update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// The value in the source version now.
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
}

/// A field, its value in the promoted version, and its value in the source version now.
pub(super) type Changed = (Field, Option<Value>, Option<Value>);

/// The leaves that the source has changed since the base and that differ from the promoted version's.
pub(super) fn changed(
    now: &Document,
    before: &Document,
    current: &Document,
    which: impl Fn(&Field) -> bool,
) -> Vec<Changed> {
    let (now, before, current) = (leaves(now), leaves(before), leaves(current));
    let fields = now.keys().chain(before.keys().filter(|field| !now.contains_key(*field)));
    let differs = |field: &&Field| {
        let is = now.get(*field);
        !agree(field, is, before.get(*field)) && !agree(field, is, current.get(*field))
    };
    let found = fields.filter(|field| which(field)).filter(differs);
    found.map(|field| (field.clone(), current.get(field).cloned(), now.get(field).cloned())).collect()
}
