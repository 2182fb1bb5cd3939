//! The policy that denies a call, by AWS's message.

/// The kinds of policies that can deny explicitly (IAM User Guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DenyingPolicy {
    Identity,
    Resource,
    VpcEndpoint,
    ServiceControl,
    ResourceControl,
    PermissionsBoundary,
    Session,
}

impl DenyingPolicy {
    const ALL: [Self; 7] = [
        Self::Identity,
        Self::Resource,
        Self::VpcEndpoint,
        Self::ServiceControl,
        Self::ResourceControl,
        Self::PermissionsBoundary,
        Self::Session,
    ];

    /// The kind of the policy that a message blames, other than one that lacks a statement which allows the call. A VPC
    /// endpoint's policy that allows nothing is not a permission to grant to the principal either.
    pub fn that_denies(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        if message.contains("no vpc endpoint policy allows") {
            return Some(Self::VpcEndpoint);
        }
        let (_, rest) = message.split_once("explicit deny in ")?;
        let rest = rest.trim_start_matches("a ").trim_start_matches("an ");
        Self::ALL.into_iter().find(|policy| rest.starts_with(policy.phrase()))
    }

    /// How AWS names it in messages, in lower case.
    fn phrase(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::VpcEndpoint => "vpc endpoint policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::Session => "session policy",
        }
    }

    /// What to look at.
    pub fn name(self, message: &str) -> &'static str {
        match self {
            Self::Identity => "this principal's own policies",
            Self::Resource if message.contains("kms:") => "the key's policy",
            Self::Resource => "the resource's policy",
            Self::VpcEndpoint => "the VPC endpoint's policy, which may admit buckets of one account or region only",
            Self::ServiceControl => "the organization's service control policies",
            Self::ResourceControl => "the organization's resource control policies",
            Self::PermissionsBoundary => "this principal's permissions boundary",
            Self::Session => "the session policy that the role was assumed with",
        }
    }
}
