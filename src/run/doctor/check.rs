//! One thing that a promotion needs, and whether it is there.

use serde::Serialize;

use crate::aws::error::{CallError, Kind, Lacks, Side};

/// One thing that a promotion needs.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// The side that needs it: whose session asks.
    pub side: Side,
    /// The permission, such as `s3:GetObject`, or what else is needed: `clock`, `credentials`, `key`, `package`, `images`,
    /// `group`, `plan`.
    pub action: String,
    /// The resource: an ARN, an S3 URL or a name.
    pub resource: String,
    /// Whether it is there.
    pub result: Finding,
    /// Whether a promotion does without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Why it is not, or why that could not be tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to grant, if it is denied.
    #[serde(skip)]
    pub(super) grant: Option<Grant>,
    /// Whether it is not testable only because the group has no version.
    #[serde(skip)]
    pub(super) lacks_version: bool,
}

/// Whether a promotion has what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It is there.
    Ok,
    /// It could not be tested.
    NotTestable,
    /// A resource does not exist, cannot be reached, or is not the one that is needed.
    Missing,
    /// A permission is denied.
    Denied,
}

/// A permission to grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// The session whose principal needs it.
    pub principal: Side,
    /// The principal that AWS names.
    pub caller: Option<String>,
    pub action: String,
    /// The ARN of the resource, which may be a pattern.
    pub resource: String,
    /// The policy that lacks it.
    pub lacks: Lacks,
}

/// A call that asks for something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub side: Side,
    /// The permission.
    pub action: &'a str,
    /// The resource, as people read it.
    pub resource: &'a str,
    /// The ARN to grant the permission on.
    pub grant_on: &'a str,
}

impl Asked<'_> {
    /// The check of an answer. [`Kind`]s in `granted` are errors that only a caller with the permission gets.
    pub fn check<T>(self, answer: Result<T, CallError>, granted: &[Kind]) -> Vec<Check> {
        match answer {
            Ok(_) => vec![self.with(Finding::Ok, None)],
            Err(error) if granted.contains(&error.kind) => vec![self.with(Finding::Ok, None)],
            Err(error) if error.kind == Kind::Denied => self.denied(&error),
            Err(error) => vec![self.with(Finding::of(&error), Some(told(&error)))],
        }
    }

    /// The check of something that is not asked for.
    pub fn not_testable(self, why: impl Into<String>) -> Check {
        self.with(Finding::NotTestable, Some(why.into()))
    }

    /// The check of something that depends on a call that has failed.
    pub fn hidden(self, unknown: &str, by: &str) -> Check {
        self.not_testable(format!("{unknown} without {by}; run doctor again when that succeeds"))
    }

    pub fn with(self, result: Finding, reason: Option<String>) -> Check {
        let (action, resource) = (self.action.to_owned(), self.resource.to_owned());
        Check { side: self.side, action, resource, result, optional: false, reason, grant: None, lacks_version: false }
    }

    /// A denial may be about another permission than the one that was asked for: of a key, or a tag.
    fn denied(self, error: &CallError) -> Vec<Check> {
        let refused = error.refused();
        let grant = |action: &str, resource: String| Grant {
            principal: self.side,
            caller: refused.caller,
            action: action.to_owned(),
            resource,
            lacks: refused.lacks,
        };
        let other = refused.action.filter(|action| action != self.action);
        let Some(action) = other else {
            // Some actions, such as those that list groups, have no resource: they are granted on all.
            let is_named = |on: &String| on.starts_with("arn:") || on == "*";
            let named = Some(self.grant_on.to_owned()).filter(is_named).or(refused.resource);
            let grant = named.map(|resource| grant(self.action, resource));
            return vec![Check { grant, ..self.with(Finding::Denied, Some(told(error))) }];
        };
        // S3 asks for its own permission first, then for the key's, and then looks for the object.
        let own = match self.action.starts_with("s3:") {
            true => self.with(Finding::Ok, None),
            false => self.not_testable(format!("{action} is denied, which the same request needs")),
        };
        let about_key = action.starts_with("kms:");
        let resource = match (refused.resource, about_key) {
            // AWS names one object, such as the one that a request for test would write.
            (Some(arn), _) if action.starts_with("s3:") && arn.contains('/') => self.grant_on.to_owned(),
            (Some(arn), _) => arn,
            (None, true) => "the KMS key".to_owned(),
            (None, false) => self.grant_on.to_owned(),
        };
        let grant = resource.starts_with("arn:").then(|| grant(&action, resource.clone()));
        let asked = Asked { action: &action, resource: &resource, ..self };
        vec![own, Check { grant, ..asked.with(Finding::Denied, Some(told(error))) }]
    }
}

impl Finding {
    /// What an error says about a resource.
    pub(super) fn of(error: &CallError) -> Self {
        match error.kind {
            Kind::NotFound | Kind::Invalid | Kind::AlreadyExists => Self::Missing,
            Kind::Denied => Self::Denied,
            // There was no answer at all.
            Kind::Unavailable if error.code.is_none() => Self::Missing,
            _ => Self::NotTestable,
        }
    }
}

/// The error without the call, which the check names.
fn told(error: &CallError) -> String {
    if let Some(region) = &error.bucket_region {
        return format!("the bucket is in {region}");
    }
    let code = error.code.as_ref().map_or(String::new(), |code| format!("{code}: "));
    format!("{code}{}", error.message.trim_end_matches('.'))
}

/// Leaves one check of each permission on each resource, the worst one, in the order in which they were made.
pub(super) fn distinct(checks: Vec<Check>) -> Vec<Check> {
    let mut kept: Vec<Check> = Vec::with_capacity(checks.len());
    for check in checks {
        let same = |other: &&mut Check| {
            (other.side, &other.action, &other.resource) == (check.side, &check.action, &check.resource)
        };
        match kept.iter_mut().find(same) {
            Some(other) if (check.result, other.optional) > (other.result, check.optional) => *other = check,
            Some(_) => {}
            None => kept.push(check),
        }
    }
    kept
}
