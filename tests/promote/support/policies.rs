//! IAM's evaluation of policies as they are written: those of principals and those of resources. It grants what a test
//! has denied. What it does not know in a policy fails aloud.

use serde_json::Value;

use super::principals::Identity;

/// The policies that somebody has applied.
#[derive(Default)]
pub(crate) struct Policies {
    /// By the ARN of the principal.
    of_principals: Vec<(String, Value)>,
    /// By what has them: the name of a bucket, or an ARN.
    of_resources: Vec<(String, Value)>,
}

/// A call that needs a permission.
struct Call<'a> {
    principal: &'a str,
    account: &'a str,
    action: &'a str,
    resource: &'a str,
}

impl Policies {
    /// Applies a policy as doctor prints it: it replaces the present one, or is added to what is there.
    pub fn apply(&mut self, printed: &Value) {
        let (kind, name) = printed["of"].as_object().and_then(|of| of.iter().next()).expect("what has the policy");
        let (name, policy) = (name.as_str().expect("a name").to_owned(), printed["policy"].clone());
        match (kind.as_str(), printed["form"].as_str().expect("a form")) {
            ("principal", "separate") => self.of_principals.push((name, policy)),
            ("bucket" | "key" | "group" | "repository", "statements") => self.of_resources.push((name, policy)),
            ("bucket" | "key" | "group" | "repository", "complete") => {
                self.of_resources.retain(|(of, _)| *of != name);
                self.of_resources.push((name, policy));
            }
            other => panic!("{other:?} is not applied here"),
        }
    }

    /// Whether the policies allow a call to a resource that belongs to `owner`. A resource of another account than the
    /// caller's takes a policy on both sides.
    pub fn allow(&self, who: &Identity, action: &str, resource: &str, owner: &str) -> bool {
        let principal = who.session.as_ref().map_or(&who.arn, |session| &session.role_arn);
        let resource = if action.starts_with("s3:") { format!("arn:aws:s3:::{resource}") } else { resource.to_owned() };
        let call = Call { principal, account: &who.account, action, resource: &resource };
        let own = self.of_principals.iter().filter(|(arn, _)| arn == principal);
        let theirs = self.of_resources.iter().filter(|(name, _)| has(name, &resource));
        let by_own = effects(own.map(|(_, policy)| policy), &call, false);
        let by_theirs = effects(theirs.map(|(_, policy)| policy), &call, true);
        let allows = |effects: &[bool]| effects.contains(&true);
        let is_denied = by_own.contains(&false) || by_theirs.contains(&false);
        !is_denied
            && match who.account == owner {
                true => allows(&by_own) || allows(&by_theirs),
                // Amazon ECR says of a pull across accounts that only the policy of the repository lacks it.
                false => (allows(&by_own) || action.starts_with("ecr:")) && allows(&by_theirs),
            }
    }
}

/// Whether what has this name has the policy of a resource.
fn has(name: &str, resource: &str) -> bool {
    if let Some(path) = resource.strip_prefix("arn:aws:s3:::") {
        return path.split('/').next() == Some(name);
    }
    let versions = format!("{}/", name.replacen(":model-package-group/", ":model-package/", 1)).to_lowercase();
    name.eq_ignore_ascii_case(resource) || resource.to_lowercase().starts_with(&versions)
}

/// What the statements that apply to a call do: allow it, or deny it.
fn effects<'a>(policies: impl Iterator<Item = &'a Value>, call: &Call<'_>, of_resource: bool) -> Vec<bool> {
    let statements = policies.flat_map(|policy| match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    });
    let applying = statements.filter(|statement| applies(statement, call, of_resource));
    applying.map(|statement| statement["Effect"] == "Allow").collect()
}

fn applies(statement: &Value, call: &Call<'_>, of_resource: bool) -> bool {
    let known = ["Sid", "Effect", "Action", "Resource", "Condition", "Principal"];
    let members = statement.as_object().expect("a statement");
    assert!(members.keys().all(|member| known.contains(&member.as_str())), "not evaluated here: {statement:#}");
    assert_eq!(members.contains_key("Principal"), of_resource, "only the policy of a resource names a principal");
    let any = |patterns: &Value, text: &str| texts(patterns).iter().any(|pattern| matches(pattern, text));
    let is_principal = !of_resource || names(&statement["Principal"], call);
    // The policy of a repository is about the repository.
    let is_resource = members.get("Resource").map_or(of_resource, |resources| any(resources, call.resource));
    let holds = members.get("Condition").is_none_or(|condition| {
        let patterns = &condition["ArnLike"]["aws:PrincipalArn"];
        assert!(patterns.is_array(), "not evaluated here: {condition:#}");
        any(patterns, call.principal)
    });
    any(&statement["Action"], call.action) && is_resource && is_principal && holds
}

/// Whether a principal of a statement is the caller or the caller's account.
fn names(principal: &Value, call: &Call<'_>) -> bool {
    let account = format!("arn:aws:iam::{}:root", call.account);
    let is_caller = |name: &String| name == call.principal || *name == account;
    principal == "*" || texts(&principal["AWS"]).iter().any(is_caller)
}

/// `*` stands for any text, and `?` for any character.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest.as_str(), &text[at..]))
        }
        Some(first) => {
            let mut of_text = text.chars();
            of_text.next().is_some_and(|one| first == '?' || first == one) && matches(rest.as_str(), of_text.as_str())
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        many => serde_json::from_value(many.clone()).unwrap_or_else(|error| panic!("{error}: {many:#}")),
    }
}
