//! The writes that a dry run leaves out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::image::ImageWrite;
use crate::model::field::Document;
use crate::register::decision::Act;

/// The digest of a plan, and the settings that the plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFacts {
    /// The SHA-256 of the rest of the document.
    pub digest: String,
    /// The settings that decide what is written.
    pub settings: Document,
}

/// The reviewed plan that a run was given with `--plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewedPlanFacts {
    /// The digest of the plan.
    pub digest: String,
    /// When the plan was made, RFC 3339 in UTC.
    pub made: String,
    /// The digest of the plans of all groups that were reviewed together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_digest: Option<String>,
}

/// A write that a run without `--dry-run` would make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWrite {
    /// What would be done.
    pub act: PlannedAct,
    /// The group, the folder, the repository, the image or the promoted version.
    pub subject: String,
}

/// What a run would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlannedAct {
    /// Create the target group.
    CreateGroup,
    /// Copy artifacts to the folder.
    Copy,
    /// Create a repository for images.
    CreateRepository,
    /// Copy an image to the target account's registry.
    CopyImage,
    /// Copy a signature or another artifact that refers to an image.
    CopyReferrer,
    /// Give an image the tag that keeps it.
    TagImage,
    /// Register a version in the group.
    Register,
    /// Give the new version in the group, or a pending version, the approval status of its source.
    Approve,
    /// Approve a withdrawn version again.
    ApproveAgain,
    /// Let a withdrawn version wait for an approval again.
    WaitAgain,
    /// Reject a version whose source is Rejected.
    Withdraw,
    /// Delete or reject a second version of the same promotion.
    Discard,
    /// Update a version with changes of its source.
    Update,
}

impl fmt::Display for PlannedAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateGroup => "create the group",
            Self::Copy => "copy artifacts to",
            Self::CreateRepository => "create the repository",
            Self::CopyImage => "copy the image",
            Self::CopyReferrer => "copy the referrer",
            Self::TagImage => "tag the image as",
            Self::Register => "register a version in",
            Self::Approve => "approve the version in",
            Self::ApproveAgain => "approve again",
            Self::WaitAgain => "set back to pending",
            Self::Withdraw => "reject",
            Self::Discard => "delete or reject",
            Self::Update => "update",
        })
    }
}

impl fmt::Display for PlannedWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.act, self.subject)
    }
}

impl From<&ImageWrite> for PlannedWrite {
    fn from(write: &ImageWrite) -> Self {
        match write {
            ImageWrite::CreateRepository(repository) => Self::new(PlannedAct::CreateRepository, repository),
            ImageWrite::Copy(image) => Self::new(PlannedAct::CopyImage, image),
            ImageWrite::CopyReferrer(image) => Self::new(PlannedAct::CopyReferrer, image),
            ImageWrite::Tag(image) => Self::new(PlannedAct::TagImage, image),
        }
    }
}

impl PlannedWrite {
    /// A write about a subject.
    pub fn new(act: PlannedAct, subject: impl ToString) -> Self {
        Self { act, subject: subject.to_string() }
    }

    /// The write of an approval; nothing if the approval stays.
    pub fn of(act: Act, subject: impl ToString) -> Option<Self> {
        let act = match act {
            Act::Keep => return None,
            Act::Carry => PlannedAct::Approve,
            Act::ApproveAgain => PlannedAct::ApproveAgain,
            Act::WaitAgain => PlannedAct::WaitAgain,
            Act::Withdraw => PlannedAct::Withdraw,
        };
        Some(Self::new(act, subject))
    }
}
