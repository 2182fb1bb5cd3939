//! The three states of a version that are compared: the source now, the newest record, and the promoted version.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::model::promoted::PromotedVersion;
use crate::plan::rewriting::Rewritten;
use crate::register::sync::change::{Change, ChangeResult};
use crate::register::sync::edit::{Edit, edits};

pub const METADATA: &str = "CustomerMetadataProperties";

/// The state of a promoted version after its last Update, as its newest record has it.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The request that describes the version.
    pub request: &'a Document,
    /// The SourceUri, which an Update sets.
    pub source_uri: Option<&'a str>,
    /// The changes that the record has, among them the fields that SageMaker has added.
    pub changes: &'a [Change],
}

impl Base<'_> {
    /// The fields that SageMaker has added to the version, unless an Update has set them since.
    pub(super) fn added(&self) -> Vec<Change> {
        self.changes.iter().filter(|change| change.result == ChangeResult::Added).cloned().collect()
    }
}

/// The three states of a version that are compared.
pub(super) struct Comparison<'a> {
    /// The request that a promotion would make today.
    pub now: &'a Document,
    pub source_uri: Option<&'a str>,
    /// The references and images of `now` that were not copied, or not as the source has them now.
    pub unresolved: Vec<Field>,
    pub base: Base<'a>,
    pub current: &'a Document,
    edits: Vec<Edit>,
}

impl<'a> Comparison<'a> {
    pub fn of(now: &'a Rewritten, base: Base<'a>, promoted: &'a PromotedVersion) -> Self {
        let current = &promoted.description;
        let (mut edits, added) = (edits(base.request, base.source_uri, current), base.added());
        edits.retain(|edit| !added.iter().any(|added| added.explains(&edit.field.to_string(), edit.is.as_ref())));
        Self {
            now: &now.request,
            source_uri: now.source_uri.as_deref(),
            unresolved: now
                .unresolved()
                .map(|reference| &reference.field)
                .chain(&now.images_not_copied)
                .chain(&now.not_promoted)
                .cloned()
                .collect(),
            base,
            current,
            edits,
        }
    }

    pub fn documents(&self) -> [&'a Document; 3] {
        [self.now, self.base.request, self.current]
    }

    /// Whether somebody in the target account has changed the member.
    pub fn was_edited(&self, member: &str) -> bool {
        self.edits.iter().any(|edit| edit.field.root() == member)
    }
}

pub(super) fn metadata_of(document: &Document) -> Document {
    document.get(METADATA).and_then(Value::as_object).cloned().unwrap_or_default()
}
