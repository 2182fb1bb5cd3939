//! A field that is not carried over, or that still refers to the source account.

use serde::{Deserialize, Serialize};

use crate::model::field::Field;
use crate::model::secrets::sealed_text;

/// A field that is not carried over, or whose value still refers to the source account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCarried {
    /// The field of the source package.
    pub field: String,
    /// The value in the source package. Secrets are sealed.
    pub value: String,
    /// The reason, and what to do about it.
    pub reason: String,
    /// Whether there is nothing to do about it, and the promoted version lacks nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub informational: bool,
}

impl NotCarried {
    pub(crate) fn new(field: &Field, value: impl Into<String>, reason: impl Into<String>) -> Self {
        let field = field.to_string();
        let value = sealed_text(&field, &value.into());
        Self { field, value, reason: reason.into(), informational: false }
    }

    /// There is nothing to do about it, and the promoted version lacks nothing.
    pub(crate) fn informational(self) -> Self {
        Self { informational: true, ..self }
    }
}
