//! Which S3 URLs in environment variables are copied (`--environment-urls`).

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::schema::references::{Reference, ReferenceKind};

/// `--environment-urls`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentUrls {
    /// Objects and folders in the variables that SageMaker's containers load from, which must exist; single objects in
    /// other variables, if they exist
    #[default]
    Known,
    /// Objects and folders in all variables
    All,
    /// No URLs
    None,
}

/// What is copied for an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Nothing.
    Nothing,
    /// An object, if one exists.
    Object,
    /// An object or a folder, if one exists.
    Folder,
    /// An object or a folder, which must exist.
    Required,
}

impl EnvironmentUrls {
    /// The value of the flag.
    pub fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::All => "all",
            Self::None => "none",
        }
    }

    /// What is copied for the variable of a reference.
    pub fn scope(self, reference: &Reference) -> Scope {
        match self {
            Self::None => Scope::Nothing,
            Self::Known | Self::All if reference.is_loaded() => Scope::Required,
            Self::Known => Scope::Object,
            Self::All => Scope::Folder,
        }
    }

    /// Whether a promotion may carry this reference over unchanged.
    pub fn is_optional(self, reference: &Reference) -> bool {
        reference.kind == ReferenceKind::Environment && self.scope(reference) != Scope::Required
    }
}
