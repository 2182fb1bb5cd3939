//! What AWS's message says about a denied call.

use super::call::CallError;
use super::denial::is_by_policy;

/// What a denied call lacks, by AWS's message (IAM User Guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The permission, such as `kms:Decrypt`, which is not always named like the call.
    pub action: Option<String>,
    /// The ARN of the principal.
    pub caller: Option<String>,
    /// The ARN of the resource.
    pub resource: Option<String>,
    /// The policy that lacks the permission.
    pub lacks: Lacks,
}

/// The policy that a denied call lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// A policy of the principal.
    Identity,
    /// The policy of the resource.
    Resource,
    /// The message does not say which.
    Either,
    /// None: a policy denies the call explicitly, or bounds what other policies allow.
    Nothing,
}

impl CallError {
    /// What AWS's message says about the denial.
    pub fn refused(&self) -> Refused {
        let message: &str = &self.message;
        let after = |start: &str| {
            let (_, rest) = message.split_once(start)?;
            let word = rest.split_whitespace().next()?.trim_matches(['"', ',']).trim_end_matches('.');
            Some(word.to_owned()).filter(|word| !word.is_empty())
        };
        let lower = message.to_ascii_lowercase();
        let lacks = match () {
            () if is_by_policy(message) => Lacks::Nothing,
            () if lower.contains("no identity-based policy allows") => Lacks::Identity,
            () if lower.contains("no resource-based policy allows") => Lacks::Resource,
            () if lower.contains("policy allows") => Lacks::Nothing,
            () => Lacks::Either,
        };
        let action = after("not authorized to perform: ").filter(|action| action.contains(':'));
        let resource = after("on resource: ").filter(|arn| arn.starts_with("arn:"));
        let caller = after("User: ").filter(|arn| arn.starts_with("arn:"));
        Refused { action, caller, resource, lacks }
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::Kind;
    use super::*;
    use crate::model::side::Side;

    fn refused(message: &str) -> Refused {
        let error = CallError {
            side: Side::Source,
            call: "s3:GetObject",
            resource: "s3://models/k".into(),
            kind: Kind::Denied,
            code: None,
            message: message.into(),
            request_id: None,
            bucket_region: None,
            hint: "".into(),
        };
        error.refused()
    }

    #[test]
    fn the_message_of_a_denial_names_the_permission_the_resource_and_the_policy_that_lacks_it() {
        let of = |tail: &str| {
            refused(&format!(
                "User: arn:aws:sts::111222333444:assumed-role/build/x is not authorized to perform: kms:Decrypt on \
                 resource: \"arn:aws:kms:eu-central-1:444333666777:key/ab\" {tail}"
            ))
        };
        let by_nobody = of("because no identity-based policy allows the kms:Decrypt action");
        assert_eq!(by_nobody.action.as_deref(), Some("kms:Decrypt"));
        assert_eq!(by_nobody.resource.as_deref(), Some("arn:aws:kms:eu-central-1:444333666777:key/ab"));
        assert_eq!(by_nobody.lacks, Lacks::Identity);
        for (tail, lacks) in [
            ("because no resource-based policy allows the kms:Decrypt action", Lacks::Resource),
            ("with an explicit deny in a service control policy", Lacks::Nothing),
            ("because no service control policy allows the kms:Decrypt action", Lacks::Nothing),
            ("because no permissions boundary allows the kms:Decrypt action", Lacks::Nothing),
            ("because no session policy allows the kms:Decrypt action", Lacks::Nothing),
            ("", Lacks::Either),
        ] {
            assert_eq!(of(tail).lacks, lacks, "{tail}");
        }
        assert_eq!(
            refused("Access Denied"),
            Refused { action: None, caller: None, resource: None, lacks: Lacks::Either }
        );
    }
}
