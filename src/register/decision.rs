//! The final state of a target package: who decides, and the Update that says so.

use serde_json::Value;

use super::Registering;
use crate::model::approval::Approval;
use crate::model::field::Document;
use crate::register::earlier::Own;

pub(super) fn approval(description: &Document) -> &str {
    description.get("ModelApprovalStatus").and_then(Value::as_str).unwrap_or("PendingManualApproval")
}

/// An approval description: one line of at most 1024 characters (UpdateModelPackage).
pub(crate) fn remark(prefix: &str, text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() || "\u{2028}\u{2029}".contains(c) { ' ' } else { c });
    prefix.chars().chain(line).take(1024).collect()
}

/// The Update that gives a package an approval status, and the reason for it.
///
/// An Update changes the members that it names and keeps the others (UpdateModelPackage).
pub fn decision(status: &str, reason: Option<&str>) -> Document {
    let mut update = Document::new();
    update.insert("ModelApprovalStatus".into(), status.into());
    if let Some(reason) = reason {
        update.insert("ApprovalDescription".into(), reason.into());
    }
    update
}

/// The final state of a target package.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub status: String,
    description: Option<String>,
    source_uri: Option<String>,
}

impl Wanted {
    /// A status that somebody in the target account has given is theirs. What was withdrawn waits for a decision
    /// again as soon as its source is approved again.
    pub fn of(registering: &Registering<'_>, own: &Own) -> Self {
        let (package, policy) = (registering.package, registering.policy);
        let (source, current) = (package.approval(), own.approval());
        let again = own.is_withdrawn() && source == "Approved";
        let (status, description) = match policy.approval {
            Approval::Carry if again || current == "PendingManualApproval" => {
                (source, package.text("ApprovalDescription").map(str::to_owned))
            }
            Approval::Pending if again => ("PendingManualApproval", None),
            Approval::Carry | Approval::Pending => (current, None),
        };
        // Otherwise the text that it was withdrawn with would stay.
        let description =
            description.or_else(|| again.then(|| format!("promote: {} is Approved again", package.arn())));
        Self { status: status.to_owned(), description, source_uri: registering.plan.source_uri.clone() }
    }

    /// The one Update, or nothing when all is as wanted.
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

    pub fn doubt(&self, described: &Document) -> Option<String> {
        let missing = self.missing(described);
        (!missing.is_empty()).then(|| format!("after the final update, {} is not as it was set", missing.join(" and ")))
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
