//! The settings that a session is opened with.

use crate::aws::error::Side;
pub use crate::aws::objects::{BucketAccess, CannedAcl, Sse, WriteHeaders};
use crate::model::arn::{Region, RoleArn};

/// How an account is accessed. The default is the SDK's default credential chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A profile of `~/.aws/config`. Takes precedence over credentials in the environment, as in the AWS CLI.
    pub profile: Option<String>,
    /// A role to assume with the profile's or the default chain's credentials.
    pub role: Option<AssumedRole>,
    /// The region; otherwise the region of the environment or the profile.
    pub region: Option<Region>,
    /// How the buckets of the account are accessed.
    pub buckets: BucketAccess,
    /// Whether the account is only read. Hints then name no permission to write.
    pub reads_only: bool,
}

impl Access {
    /// The settings that determine the principal: not the region or the session name.
    pub(in crate::aws) fn principal(&self) -> (Option<&str>, Option<(&RoleArn, Option<&str>)>) {
        let role = self.role.as_ref().map(|role| (&role.arn, role.external_id.as_deref()));
        (self.profile.as_deref(), role)
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role.
    pub arn: RoleArn,
    /// The external ID, if the role's trust policy requires one.
    pub external_id: Option<String>,
    /// The session name in CloudTrail. [`session_name`] makes a valid name.
    pub session_name: String,
}

/// Makes a role session name (`[\w+=,.@-]{2,64}`) from any text, such as a login or a build ID.
pub fn session_name(side: Side, who: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let name = if who.is_empty() { format!("promote-{side}") } else { format!("promote-{side}-{who}") };
    name.chars().map(|c| if allowed(c) { c } else { '-' }).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_valid_session_name() {
        assert_eq!(session_name(Side::Target, "build:1/é x"), "promote-target-build-1---x");
        assert_eq!(session_name(Side::Source, ""), "promote-source");
        assert_eq!(session_name(Side::Source, &"x".repeat(99)).len(), 64);
    }
}
