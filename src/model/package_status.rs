//! The registration status of a version (`ModelPackageStatus`).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::field::Document;

/// The status of a registration. JSON uses the names of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PackageStatus {
    /// The registration has not begun.
    Pending,
    /// SageMaker is validating the package.
    InProgress,
    /// The package is ready for use.
    Completed,
    /// Validation or the image scan failed.
    Failed,
    /// SageMaker is deleting the version.
    Deleting,
    /// A status that AWS added after this version of promote was built, or an empty text if there is none.
    #[serde(untagged)]
    Other(String),
}

impl PackageStatus {
    /// The status of a described version.
    pub fn of(description: &Document) -> Self {
        description.get("ModelPackageStatus").and_then(|status| status.as_str()).unwrap_or_default().into()
    }

    /// The name that AWS uses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for PackageStatus {
    fn from(text: &str) -> Self {
        match text {
            "Pending" => Self::Pending,
            "InProgress" => Self::InProgress,
            "Completed" => Self::Completed,
            "Failed" => Self::Failed,
            "Deleting" => Self::Deleting,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for PackageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(text) if text.is_empty() => f.write_str("without a status"),
            status => f.write_str(status.as_str()),
        }
    }
}
