//! Who gets a permission: how policies name the principal of a session.

use serde_json::{Map, Value, json};

use crate::aws::error::Side;
use crate::aws::session::Identity;
use crate::model::arn::RoleArn;

/// How the names of the roles of IAM Identity Center begin.
pub(super) const SSO: &str = "AWSReservedSSO_";

/// A principal of one of the two sessions.
pub(super) struct KnownPrincipal<'a> {
    pub side: Side,
    pub identity: &'a Identity,
    /// The role that the session has assumed by its ARN. The ARN of a session leaves out the path of its role.
    pub role: Option<&'a RoleArn>,
}

/// A principal as policies name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grantee {
    /// The ARN of the principal. That of a role whose path is not known has none.
    pub arn: String,
    /// The ARNs of a role whose path is not known, as patterns.
    patterns: Vec<String>,
}

impl Grantee {
    /// The principal with this ARN, which may be that of a session. `known` are roles with their paths.
    ///
    /// A resource policy that names a role that does not exist is refused by S3 and KMS, and STS does not tell the path of a
    /// role. Such a role is named by patterns (IAM User Guide, "AWS global condition context keys", `aws:PrincipalArn`; IAM
    /// Identity Center User Guide, "Referencing permission sets in resource policies").
    pub fn of(arn: &str, known: Option<&RoleArn>) -> Self {
        let as_it_is = Self { arn: arn.to_owned(), patterns: Vec::new() };
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, _, _, account, resource] = fields[..] else { return as_it_is };
        let Some(name) = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) else {
            return as_it_is;
        };
        let role = format!("arn:{partition}:iam::{account}:role/");
        let is_same =
            |known: &&RoleArn| known.as_str().starts_with(&role) && known.as_str().ends_with(&format!("/{name}"));
        if let Some(known) = known.filter(is_same) {
            return Self { arn: known.to_string(), patterns: Vec::new() };
        }
        let patterns = match name.rsplit_once('_').filter(|_| name.starts_with(SSO)) {
            // The region of Identity Center may be in the path. The end of the name changes when the permission set is
            // assigned again.
            Some((set, end)) => {
                vec![format!("{role}aws-reserved/sso.amazonaws.com*/{set}_{}", "?".repeat(end.len()))]
            }
            None => vec![format!("{role}{name}"), format!("{role}*/{name}")],
        };
        Self { arn: format!("{role}{name}"), patterns }
    }

    /// The account of the principal.
    pub fn account(&self) -> Option<&str> {
        self.arn.split(':').nth(4)
    }

    /// Whether the principal is the root user of its account, which has no policies of its own.
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }

    /// Adds the principal to a statement of a resource's policy.
    pub fn add_to(&self, statement: &mut Map<String, Value>) {
        let role = self.arn.split_once(":role/").filter(|_| !self.patterns.is_empty());
        let name = role.map_or(self.arn.clone(), |(account, _)| format!("{account}:root"));
        statement.insert("Principal".to_owned(), json!({ "AWS": name }));
        if !self.patterns.is_empty() {
            let condition = json!({ "ArnLike": { "aws:PrincipalArn": self.patterns } });
            statement.insert("Condition".to_owned(), condition);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(grantee: &Grantee) -> Value {
        let mut statement = Map::new();
        grantee.add_to(&mut statement);
        Value::Object(statement)
    }

    #[test]
    fn users_and_root_are_named_by_their_arns() {
        for arn in [
            "arn:aws:iam::111222333444:user/ops/ada",
            "arn:aws:iam::111222333444:root",
            "arn:aws:sts::111222333444:federated-user/ada",
        ] {
            assert_eq!(statement(&Grantee::of(arn, None)), json!({ "Principal": { "AWS": arn } }));
        }
        assert!(Grantee::of("arn:aws:iam::111222333444:root", None).is_root());
    }

    #[test]
    fn a_session_of_a_role_whose_path_is_not_known_is_named_by_its_account_and_the_name_of_the_role() {
        let grantee = Grantee::of("arn:aws-cn:sts::111222333444:assumed-role/build/promote-1", None);
        assert_eq!(grantee.arn, "arn:aws-cn:iam::111222333444:role/build");
        let expected = json!({
            "Principal": { "AWS": "arn:aws-cn:iam::111222333444:root" },
            "Condition": { "ArnLike": { "aws:PrincipalArn": [
                "arn:aws-cn:iam::111222333444:role/build", "arn:aws-cn:iam::111222333444:role/*/build"
            ]}}
        });
        assert_eq!(statement(&grantee), expected);
    }

    #[test]
    fn a_role_that_was_given_with_its_path_is_named_by_its_arn() {
        let session = "arn:aws:sts::111222333444:assumed-role/build/promote-1";
        let role: RoleArn = "arn:aws:iam::111222333444:role/service-role/build".parse().unwrap();
        let named = json!({ "Principal": { "AWS": role.to_string() } });
        assert_eq!(statement(&Grantee::of(session, Some(&role))), named);
        let other: RoleArn = "arn:aws:iam::111222333444:role/rebuild".parse().unwrap();
        assert_ne!(Grantee::of(session, Some(&other)).arn, other.to_string());
    }

    #[test]
    fn a_role_of_identity_center_is_named_by_its_permission_set() {
        let name = "AWSReservedSSO_Ops_Admin_0123456789abcdef";
        let grantee = Grantee::of(&format!("arn:aws:sts::111222333444:assumed-role/{name}/ada@example.com"), None);
        let pattern =
            "arn:aws:iam::111222333444:role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Ops_Admin_????????????????";
        assert_eq!(statement(&grantee)["Condition"]["ArnLike"]["aws:PrincipalArn"], json!([pattern]));
    }
}
