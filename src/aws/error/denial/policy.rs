//! The policy that denies a call, by AWS's message.

/// How a policy denies a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denies {
    /// A statement denies it.
    Explicitly,
    /// No statement allows it.
    Implicitly,
}

/// The kinds of policies that can deny a call (IAM User Guide, "Troubleshoot access denied error messages").
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

    /// The kind of the policy that a message blames, and how it denies the call. Nothing if an identity-based or a
    /// resource-based policy lacks the permission: that is a permission to grant.
    pub fn that_denies(message: &str) -> Option<(Self, Denies)> {
        let message = message.to_ascii_lowercase();
        let (denies, rest) = match (message.split_once("explicit deny in "), message.split_once("because no ")) {
            (Some((_, rest)), _) => (Denies::Explicitly, rest.trim_start_matches("a ").trim_start_matches("an ")),
            (None, Some((_, rest))) => (Denies::Implicitly, rest),
            (None, None) => return None,
        };
        let policy = Self::ALL.into_iter().find(|policy| rest.starts_with(policy.phrase()))?;
        let is_granted = denies == Denies::Implicitly && matches!(policy, Self::Identity | Self::Resource);
        (!is_granted).then_some((policy, denies))
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
            Self::VpcEndpoint => "the VPC endpoint's policy, which may allow buckets of only one account or region",
            Self::ServiceControl => "the organization's service control policies",
            Self::ResourceControl => "the organization's resource control policies",
            Self::PermissionsBoundary => "this principal's permissions boundary",
            Self::Session => "the session policy that the role was assumed with",
        }
    }
}
