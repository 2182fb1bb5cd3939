//! Who calls: identities by access key, sessions of assumed roles, and what each may do.

use super::policies::Policies;
use super::wire::{Refusal, Request};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The account that owns the packages to be promoted.
pub const SOURCE_ACCOUNT: &str = "444333666777";
/// The account that they are promoted into.
pub const TARGET_ACCOUNT: &str = "111222333444";
/// The region of buckets and registries unless a test says otherwise.
pub const REGION: &str = "eu-central-1";

/// Whose credentials a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Of the source account; nothing elsewhere.
    Source,
    /// Of the target account; nothing elsewhere.
    Target,
    /// Of the target account, and may read the source account's buckets and registry.
    Both,
    /// Of a third account: may do nothing that matters.
    Stranger,
}

impl Principal {
    pub(crate) const ALL: [Principal; 4] = [Principal::Source, Principal::Target, Principal::Both, Principal::Stranger];

    /// The access key id that stands for it.
    pub fn access_key_id(self) -> &'static str {
        match self {
            Principal::Source => "AKIASOURCE0000000000",
            Principal::Target => "AKIATARGET0000000000",
            Principal::Both => "AKIABOTH000000000000",
            Principal::Stranger => "AKIASTRANGER00000000",
        }
    }

    /// Its account.
    pub fn account(self) -> &'static str {
        match self {
            Principal::Source => SOURCE_ACCOUNT,
            Principal::Target | Principal::Both => TARGET_ACCOUNT,
            Principal::Stranger => "999988887777",
        }
    }

    /// Its user ARN.
    pub fn arn(self) -> String {
        format!("arn:aws:iam::{}:user/{self:?}", self.account()).to_lowercase()
    }

    pub(crate) fn identity(self) -> Identity {
        Identity { principal: self, account: self.account().to_owned(), arn: self.arn(), session: None }
    }
}

/// A caller as the services see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Which rights it has.
    pub principal: Principal,
    pub account: String,
    pub arn: String,
    /// Set for an assumed role.
    pub session: Option<Session>,
}

/// How a role was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub role_arn: String,
    pub name: String,
    pub external_id: Option<String>,
}

/// Short-lived credentials by access key id.
pub(crate) type Sessions = BTreeMap<String, Lent>;

/// Credentials for a time: an assumed role's, or a container's.
#[derive(Clone, Debug)]
pub(crate) struct Lent {
    pub who: Identity,
    /// The session token that must come along.
    pub token: String,
    /// Seconds since 1970.
    pub expires: f64,
}

/// Why a caller is unknown, in the words of each protocol.
pub(crate) fn identify(request: &Request, sessions: &Sessions) -> Result<Identity, Refusal> {
    let Some(key) = credential(request).and_then(|scope| scope.split('/').next()) else {
        return Err(Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"));
    };
    if let Some(known) = Principal::ALL.into_iter().find(|one| one.access_key_id() == key) {
        return Ok(known.identity());
    }
    match sessions.get(key) {
        Some(lent) if request.header("x-amz-security-token") == Some(&lent.token) => match lent.expires > now() {
            true => Ok(lent.who.clone()),
            false => Err(Refusal::new(400, "ExpiredToken", "The provided token has expired.")),
        },
        Some(_) => Err(Refusal::new(403, "InvalidToken", "The provided token is malformed or otherwise invalid.")),
        None => Err(Refusal::new(
            403,
            "InvalidAccessKeyId",
            format!("The AWS Access Key Id {key} does not exist in our records."),
        )),
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64()
}

/// The credential scope of the SigV4 header: `key/date/region/service/aws4_request`.
pub(crate) fn credential(request: &Request) -> Option<&str> {
    let (_, scope) = request.header("authorization")?.split_once("Credential=")?;
    scope.split(',').next()
}

/// A right that a call needed, as IAM sees it: one call may need several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// The role that calls as an assumed one; nothing for who runs the binary.
    pub role: Option<String>,
    /// `s3:GetObject`, `kms:Decrypt`, …
    pub action: String,
    /// The ARN of what it is done to.
    pub resource: String,
    /// The account of what it is done to.
    pub owner: String,
}

impl Check {
    /// Buckets and objects are named `bucket/key` within the stand-in.
    pub(crate) fn of(who: &Identity, action: &str, resource: &str, owner: &str) -> Check {
        let resource = if action.starts_with("s3:") { format!("arn:aws:s3:::{resource}") } else { resource.to_owned() };
        let role = who.session.as_ref().map(|session| session.role_arn.clone());
        Check { role, action: action.to_owned(), resource, owner: owner.to_owned() }
    }
}

/// An exception that a test makes to the ordinary rights.
pub(crate) struct Rule {
    pub principal: Principal,
    pub action: String,
    pub resource: String,
    pub allow: bool,
}

/// Whether `who` may do `action` to `resource`, which belongs to `owner`; the last matching rule wins. Policies allow
/// what a rule denies.
pub(crate) fn may(
    (rules, policies): (&[Rule], &Policies),
    who: &Identity,
    action: &str,
    resource: &str,
    owner: &str,
) -> bool {
    let exception = rules.iter().rev().find(|rule| {
        rule.principal == who.principal && matches(&rule.action, action) && matches(&rule.resource, resource)
    });
    if let Some(rule) = exception {
        return rule.allow || policies.allow(who, action, resource, owner);
    }
    let pulls = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"];
    let reads = ["s3:Get", "s3:List", "sagemaker:Describe", "sagemaker:List", "kms:Decrypt"];
    who.account == owner
        || who.principal == Principal::Both
            && owner == SOURCE_ACCOUNT
            && (reads.iter().any(|verb| action.starts_with(verb)) || pulls.contains(&action))
}

/// Whether a text has a pattern's form, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(tail) = text.strip_prefix(start) else { return false };
    rest.is_empty() || (0..=tail.len()).any(|at| tail.is_char_boundary(at) && matches(rest, &tail[at..]))
}

/// The sentence with which AWS refuses.
pub(crate) fn denial(who: &Identity, action: &str, resource: &str) -> String {
    format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based \
        policy allows the {action} action",
        who.arn
    )
}

/// The sentence with which a bucket's policy refuses an action on the bucket or an object.
pub(crate) fn explicit_denial(who: &Identity, action: &str, resource: &str) -> String {
    format!(
        "User: {} is not authorized to perform: {action} on resource: \"arn:aws:s3:::{resource}\" with an explicit deny in \
         a resource-based policy",
        who.arn
    )
}
