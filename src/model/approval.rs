//! Approval statuses, and the policy that sets the status of a promoted version.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::field::Document;

/// The approval status of a version (`ModelApprovalStatus`). JSON uses the names of AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ApprovalStatus {
    /// The version may be deployed.
    Approved,
    /// Nobody has decided yet.
    PendingManualApproval,
    /// The version must not be deployed.
    Rejected,
    /// A status that AWS added after this version of promote was built.
    #[serde(untagged)]
    Other(String),
}

impl ApprovalStatus {
    const MEMBER: &str = "ModelApprovalStatus";

    /// The status of a described version; a version without one is pending.
    pub fn of(description: &Document) -> Self {
        Self::stated(description).unwrap_or(Self::PendingManualApproval)
    }

    /// The status that a description or request states, if any.
    pub fn stated(document: &Document) -> Option<Self> {
        document.get(Self::MEMBER)?.as_str().map(Self::from)
    }

    /// Sets this status in a request.
    pub fn state_in(&self, request: &mut Document) {
        request.insert(Self::MEMBER.into(), self.as_str().into());
    }

    /// The name that AWS uses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Approved => "Approved",
            Self::PendingManualApproval => "PendingManualApproval",
            Self::Rejected => "Rejected",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for ApprovalStatus {
    fn from(text: &str) -> Self {
        match text {
            "Approved" => Self::Approved,
            "PendingManualApproval" | "" => Self::PendingManualApproval,
            "Rejected" => Self::Rejected,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ApprovalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `--approval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Carry over the status and approval description of the source version
    #[default]
    Carry,
    /// Leave the version pending, until somebody in the target account decides
    Pending,
}

/// Who decides the approval status of a promoted version. Records keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// The status of the source version is carried over.
    #[default]
    Source,
    /// Nobody yet: the version was left pending with `--approval pending`.
    Nobody,
    /// Somebody in the target account has decided.
    Target,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_uses_the_names_of_aws_even_for_an_unknown_status() {
        for text in ["Approved", "PendingManualApproval", "Rejected", "Quarantined"] {
            let status: ApprovalStatus = serde_json::from_value(text.into()).unwrap();
            assert_eq!(matches!(status, ApprovalStatus::Other(_)), text == "Quarantined");
            assert_eq!(serde_json::to_value(&status).unwrap(), text);
        }
    }

    #[test]
    fn a_version_without_a_status_is_pending() {
        assert_eq!(ApprovalStatus::of(&Document::new()), ApprovalStatus::PendingManualApproval);
        assert_eq!(ApprovalStatus::stated(&Document::new()), None);
    }
}
