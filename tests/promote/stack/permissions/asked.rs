//! Permissions for what services may ask for as their caller: no run of the stand-ins needs them, and a stack or a version
//! may fail without them.

use serde_json::Value;

use super::Deployed;
use super::policy::matches;

/// Who is asked for which permission, on which resource.
const ASKED: [(&str, &str, &str); 5] = [
    // CodePipeline looks at the key of its artifacts.
    ("PipelineRole", "kms:DescribeKey", "the-Arn-of-ArtifactKey"),
    // AWS does not document on which of the two CreateModelPackage is authorized.
    (
        "BuildRole",
        "sagemaker:CreateModelPackage",
        "arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/churn-model",
    ),
    ("BuildRole", "ecr:BatchGetImage", "arn:aws:ecr:eu-central-1:111222333444:repository/serve"),
    ("BuildRole", "ecr:DescribeImages", "arn:aws:ecr:eu-central-1:111222333444:repository/serve"),
    // CloudWatch Logs encrypts the groups of the stack.
    ("ArtifactKey", "kms:GenerateDataKeyWithoutPlaintext", "*"),
];

#[test]
fn what_services_may_ask_for_is_granted() {
    let deployed = Deployed::with(&[]);
    for (owner, action, resource) in ASKED {
        let is_granted = statements(&deployed, owner).iter().any(|one| grants(one, action, resource));
        assert!(is_granted, "{owner} lacks {action} on {resource}");
    }
}

/// The statements of a role, or those of a key that are about the logs of the stack.
fn statements(deployed: &Deployed, owner: &str) -> Vec<Value> {
    let policies = match owner {
        "ArtifactKey" => vec![deployed.template.property(owner, "KeyPolicy")],
        role => deployed.template.policies(role),
    };
    let all = policies.iter().flat_map(|policy| policy["Statement"].as_array().cloned().unwrap_or_default());
    all.filter(|one| owner != "ArtifactKey" || one["Sid"] == "LogsOfThisStack").collect()
}

fn grants(statement: &Value, action: &str, resource: &str) -> bool {
    let has = |member: &str, wanted: &str| texts(&statement[member]).iter().any(|pattern| matches(pattern, wanted));
    statement["Effect"] == "Allow" && has("Action", action) && has("Resource", resource)
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}
