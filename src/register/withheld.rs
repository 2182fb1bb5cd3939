//! Withholds the approval of a version to which somebody has added inference specifications.

use super::decision::{Act, Decision};
use super::sync::specifications_of_others;
use crate::model::field::Document;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;

impl Decision {
    /// The same, but without an approval if somebody has added inference specifications to the version that was registered
    /// with the request: their artifacts were not promoted. A warning names them.
    pub fn unless_added(self, promoted: &PromotedVersion, request: &Document) -> (Self, Option<Warning>) {
        if !matches!(self.act, Act::Carry | Act::ApproveAgain) {
            return (self, None);
        }
        let added = specifications_of_others(request, &promoted.description);
        if added.is_empty() {
            return (self, None);
        }
        let remark = format!(
            "{} in the target account, so the version was not approved; if that is right, approve the version in the \
             target account",
            added.join(", ")
        );
        let decision = Self { act: Act::Keep, status: promoted.approval(), description: None, ..self };
        (decision, Some(Warning { field: promoted.arn.to_string(), remark }))
    }
}
