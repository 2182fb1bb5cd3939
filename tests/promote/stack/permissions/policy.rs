//! IAM's evaluation of policies, as far as this stack's use it: Allow statements, actions without wildcards, resources
//! with `*`, and three operators of conditions. Whatever else a statement says, the evaluation fails aloud.

use serde_json::Value;

use super::ROLE;
use crate::support::Check;
use crate::support::REGION;

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is for.
    pub sid: String,
    /// What it allows.
    pub actions: Vec<String>,
    /// On what, with `*`.
    pub resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    with_wildcards: bool,
    key: String,
    values: Vec<String>,
}

impl Statement {
    /// The statements of a policy document; those of an S3 bucket or a KMS key have a principal, which has to be one
    /// that the build's role is of.
    pub fn all(policy: &Value) -> Vec<Statement> {
        policy["Statement"].as_array().expect("statements").iter().map(Statement::parse).collect()
    }

    fn parse(statement: &Value) -> Statement {
        let known = ["Sid", "Effect", "Action", "Resource", "Condition", "Principal"];
        for member in statement.as_object().expect("a statement").keys() {
            assert!(known.contains(&member.as_str()), "{member} is not evaluated here: {statement:#}");
        }
        assert_eq!(statement["Effect"], "Allow", "{statement:#}");
        let conditions = statement["Condition"].as_object().into_iter().flatten();
        Statement {
            sid: statement["Sid"].as_str().unwrap_or_else(|| panic!("no Sid: {statement:#}")).to_owned(),
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            conditions: conditions.flat_map(|(operator, keys)| Condition::all(operator, keys)).collect(),
        }
    }

    /// Whether it allows what was asked for.
    pub fn allows(&self, check: &Check) -> bool {
        self.actions.contains(&check.action)
            && self.resources.iter().any(|pattern| matches(pattern, &check.resource))
            && self.conditions.iter().all(|condition| condition.holds(check))
    }
}

impl Condition {
    fn all(operator: &str, keys: &Value) -> Vec<Condition> {
        let with_wildcards = match operator {
            "StringEquals" => false,
            "StringLike" | "ArnLike" => true,
            other => panic!("{other} is not evaluated here"),
        };
        let keys = keys.as_object().expect("keys").iter();
        keys.map(|(key, values)| Condition { with_wildcards, key: key.clone(), values: texts(values) }).collect()
    }

    fn holds(&self, check: &Check) -> bool {
        let Some(actual) = context(&self.key, check) else { return false };
        self.values.iter().any(|value| if self.with_wildcards { matches(value, &actual) } else { *value == actual })
    }
}

/// What a condition's key is for this call. The stand-in asks for keys on behalf of S3 only.
fn context(key: &str, check: &Check) -> Option<String> {
    match key {
        "aws:ResourceAccount" => Some(check.owner.clone()),
        "aws:PrincipalArn" => Some(ROLE.to_owned()),
        "kms:ViaService" => check.action.starts_with("kms:").then(|| format!("s3.{REGION}.amazonaws.com")),
        other => panic!("{other} is not evaluated here"),
    }
}

/// `*` stands for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(one) => vec![one.clone()],
        many => serde_json::from_value(many.clone()).unwrap_or_else(|error| panic!("{error}: {many:#}")),
    }
}
