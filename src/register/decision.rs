//! Decides the approval status and description of a promoted version, and makes the Update that sets them.

use serde_json::Value;

use crate::model::approval::{Approval, ApprovalStatus};
use crate::model::field::Document;
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;

/// An approval description: one line of at most 1024 characters (UpdateModelPackage).
pub(crate) fn remark(prefix: &str, text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() || "\u{2028}\u{2029}".contains(c) { ' ' } else { c });
    prefix.chars().chain(line).take(1024).collect()
}

/// The Update that gives a package an approval status, and the reason for it.
///
/// An Update changes the members that it names and keeps the others (UpdateModelPackage).
pub fn decision(status: &ApprovalStatus, reason: Option<&str>) -> Document {
    let mut update = Document::new();
    status.state_in(&mut update);
    if let Some(reason) = reason {
        update.insert("ApprovalDescription".into(), reason.into());
    }
    update
}

/// The final state of a target package.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub status: ApprovalStatus,
    description: Option<String>,
    source_uri: Option<String>,
}

impl Wanted {
    /// A status that somebody in the target account has set is kept. A withdrawn version is approved again, or pending
    /// again, when its source is Approved again.
    pub fn of(package: &Package, promoted: &PromotedVersion, approval: Approval, source_uri: Option<String>) -> Self {
        let (source, current) = (package.approval(), promoted.approval());
        let again = promoted.is_withdrawn() && source == ApprovalStatus::Approved;
        let (status, description) = match approval {
            Approval::Carry if again || current == ApprovalStatus::PendingManualApproval => {
                (source, package.text("ApprovalDescription").map(str::to_owned))
            }
            Approval::Pending if again => (ApprovalStatus::PendingManualApproval, None),
            Approval::Carry | Approval::Pending => (current, None),
        };
        // Without a description, the Update would keep the reason of the withdrawal.
        let description =
            description.or_else(|| again.then(|| format!("promote: {} is Approved again", package.arn())));
        Self { status, description, source_uri }
    }

    /// The Update, or nothing if the version already has the wanted state.
    pub fn update(&self, described: &Document) -> Option<Document> {
        if self.missing(described).is_empty() {
            return None;
        }
        let mut update = decision(&self.status, self.description.as_deref());
        if let Some(uri) = &self.source_uri {
            update.insert("SourceUri".into(), uri.as_str().into());
        }
        Some(update)
    }

    /// The members that differ from the Update, as a sentence.
    pub fn unconfirmed(&self, described: &Document) -> Option<String> {
        let missing = self.missing(described);
        (!missing.is_empty())
            .then(|| format!("after the final update, {} differs from the value that was set", missing.join(" and ")))
    }

    fn missing(&self, described: &Document) -> Vec<&'static str> {
        let differs = |member: &str, wanted: Option<&str>| {
            wanted.is_some() && described.get(member).and_then(Value::as_str) != wanted
        };
        let members = [
            ("ModelApprovalStatus", Some(self.status.as_str())),
            ("ApprovalDescription", self.description.as_deref()),
            ("SourceUri", self.source_uri.as_deref()),
        ];
        members.into_iter().filter(|(member, wanted)| differs(member, *wanted)).map(|(member, _)| member).collect()
    }
}
