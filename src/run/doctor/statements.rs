//! Statements of policies, from the permissions that are denied.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::grantee::Grantee;

/// The permissions to allow, by resource.
#[derive(Debug, Default)]
pub(super) struct Statements(BTreeMap<String, BTreeSet<String>>);

impl Statements {
    /// Allows an action. SageMaker writes the names of groups in lower case, IAM compares them as they are written.
    pub fn add(&mut self, action: &str, resource: &str) {
        let spelled = [resource.to_owned(), resource.to_lowercase()];
        let count = if resource.contains(":sagemaker:") { 2 } else { 1 };
        for resource in spelled.into_iter().take(count) {
            self.0.entry(resource).or_default().insert(action.to_owned());
        }
    }

    /// A policy with a statement for each set of permissions. The policy of a resource names the `grantee`.
    pub fn policy(&self, grantee: Option<&Grantee>) -> Value {
        let mut by_actions: BTreeMap<&BTreeSet<String>, Vec<&String>> = BTreeMap::new();
        for (resource, actions) in &self.0 {
            by_actions.entry(actions).or_default().push(resource);
        }
        let statements = by_actions.into_iter().map(|(actions, resources)| {
            let mut statement = allow(grantee, json!(actions));
            statement.insert("Resource".to_owned(), json!(resources));
            Value::Object(statement)
        });
        json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
    }

    /// The trust policy of a role, or the policy of a repository: they have no resource.
    pub fn of_one_resource(&self, grantee: &Grantee) -> Value {
        let actions: BTreeSet<&String> = self.0.values().flatten().collect();
        json!({ "Version": "2012-10-17", "Statement": [allow(Some(grantee), json!(actions))] })
    }
}

fn allow(grantee: Option<&Grantee>, actions: Value) -> Map<String, Value> {
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Allow"));
    if let Some(grantee) = grantee {
        grantee.add_to(&mut statement);
    }
    statement.insert("Action".to_owned(), actions);
    statement
}

/// The present policy with the statements of another one that it does not have.
pub(super) fn merged(present: &Value, policy: &Value) -> Value {
    let list = |policy: &Value| match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let mut statements = list(present);
    for statement in list(policy) {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    let mut merged = present.clone();
    merged["Statement"] = Value::Array(statements);
    merged
}

/// The policy with one statement for those that differ in their resources only.
pub(super) fn with_resources_together(policy: &Value) -> Value {
    let Value::Array(all) = &policy["Statement"] else { return policy.clone() };
    let mut statements: Vec<Value> = Vec::new();
    for statement in all {
        let resources = statement["Resource"].as_array();
        let same =
            |other: &&mut Value| other["Resource"].is_array() && without_resource(other) == without_resource(statement);
        match (resources, statements.iter_mut().find(same)) {
            (Some(resources), Some(other)) => {
                let Value::Array(together) = &mut other["Resource"] else { continue };
                for resource in resources {
                    if !together.contains(resource) {
                        together.push(resource.clone());
                    }
                }
            }
            _ => statements.push(statement.clone()),
        }
    }
    let mut policy = policy.clone();
    policy["Statement"] = Value::Array(statements);
    policy
}

fn without_resource(statement: &Value) -> Value {
    let mut statement = statement.clone();
    statement.as_object_mut().and_then(|members| members.remove("Resource"));
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_on_the_same_resources_are_one_statement() {
        let mut statements = Statements::default();
        statements.add("s3:GetObject", "arn:aws:s3:::models/*");
        statements.add("s3:PutObject", "arn:aws:s3:::models/*");
        statements.add("s3:ListBucket", "arn:aws:s3:::models");
        let policy = statements.policy(None);
        assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(2), "{policy}");
        assert_eq!(policy["Statement"][0]["Action"], json!(["s3:GetObject", "s3:PutObject"]));
    }

    #[test]
    fn a_merged_policy_keeps_what_is_there_and_has_no_statement_twice() {
        let present = json!({ "Version": "2012-10-17", "Id": "theirs", "Statement": { "Sid": "a" } });
        let policy = json!({ "Statement": [{ "Sid": "b" }, { "Sid": "a" }] });
        let merged = merged(&present, &policy);
        assert_eq!(merged["Id"], "theirs");
        assert_eq!(merged["Statement"], json!([{ "Sid": "a" }, { "Sid": "b" }]));
    }

    #[test]
    fn statements_that_differ_in_their_resources_only_are_one() {
        let of = |action: &str, resource: Value| json!({ "Effect": "Allow", "Action": [action], "Resource": resource });
        let policy = json!({ "Statement": [
            of("a", json!(["1"])), of("b", json!(["1"])), of("a", json!("2")), of("a", json!(["3", "1"])), { "Sid": "c" }
        ] });
        assert_eq!(
            with_resources_together(&policy)["Statement"],
            json!([of("a", json!(["1", "3"])), of("b", json!(["1"])), of("a", json!("2")), { "Sid": "c" }])
        );
    }
}
