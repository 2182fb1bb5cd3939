//! Changes of single fields.

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
    /// What the copy has, or had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// What the source has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Value>,
    /// What became of it.
    pub result: Renewed,
}

/// What became of a changed field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewed {
    /// The copy has it now.
    Updated,
    /// A dry run would update it.
    Planned,
    /// No Update can carry it: the copy stays different.
    Drift,
}

/// A field, what the copy has there, and what the source has now.
pub(super) type Changed = (Field, Option<Value>, Option<Value>);

/// The leaves that the source has changed and the copy does not have.
pub(super) fn changed(
    now: &Document,
    before: &Document,
    copy: &Document,
    which: impl Fn(&Field) -> bool,
) -> Vec<Changed> {
    let (now, before, copy) = (leaves(now), leaves(before), leaves(copy));
    let fields = now.keys().chain(before.keys().filter(|field| !now.contains_key(*field)));
    let differs = |field: &&Field| {
        let is = now.get(*field);
        !agree(field, is, before.get(*field)) && !agree(field, is, copy.get(*field))
    };
    let found = fields.filter(|field| which(field)).filter(differs);
    found.map(|field| (field.clone(), copy.get(field).cloned(), now.get(field).cloned())).collect()
}
