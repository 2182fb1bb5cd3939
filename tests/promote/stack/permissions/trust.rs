//! The trust policies of the template's roles: which service may assume a role, and with which keys in its request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Deployed;
use super::policy::matches;
use super::template::Template;
use crate::support::SOURCE_ACCOUNT;
use crate::support::TARGET_ACCOUNT;

/// The services that document that they send aws:SourceArn and aws:SourceAccount when they assume a role: "Cross-service
/// confused deputy prevention" in the CodeBuild User Guide and in the EventBridge User Guide. CodePipeline and Lambda
/// document trust policies without conditions.
const SENDS_THE_KEYS: [&str; 2] = ["codebuild.amazonaws.com", "events.amazonaws.com"];

const PIPELINE: &str = "arn:aws:codepipeline:eu-central-1:111222333444:mlops-Pipeline";

#[test]
fn the_pipeline_s_role_can_be_assumed_without_the_keys_of_the_source_and_not_with_another_account_s() {
    let template = Deployed::with(&[]).template;
    let assumed = |context: &[(&str, &str)]| may_assume(&template, "PipelineRole", context);
    assert!(assumed(&[]));
    assert!(assumed(&[("aws:SourceAccount", TARGET_ACCOUNT)]));
    assert!(assumed(&[("aws:SourceAccount", TARGET_ACCOUNT), ("aws:SourceArn", PIPELINE)]));
    assert!(!assumed(&[("aws:SourceAccount", SOURCE_ACCOUNT)]));
    assert!(!assumed(&[("aws:SourceArn", "arn:aws:codepipeline:eu-central-1:111222333444:another")]));
    assert!(!assumed(&[("aws:SourceAccount", SOURCE_ACCOUNT), ("aws:SourceArn", PIPELINE)]));
}

#[test]
fn no_role_demands_a_key_that_its_service_does_not_document_to_send() {
    let template = Deployed::with(&[]).template;
    let roles = template.of_type("AWS::IAM::Role");
    assert!(roles.len() >= 4, "{roles:?}");
    for role in roles {
        let service = trust(&template, &role)["Principal"]["Service"].as_str().expect("one service").to_owned();
        if !SENDS_THE_KEYS.contains(&service.as_str()) {
            assert!(may_assume(&template, &role, &[]), "{role} demands keys that {service} does not document to send");
        }
    }
}

/// The only statement of a role's trust policy.
fn trust(template: &Template, role: &str) -> Value {
    let policy = template.property(role, "AssumeRolePolicyDocument");
    let statements = policy["Statement"].as_array().expect("statements");
    assert_eq!(statements.len(), 1, "{role}: {policy:#}");
    assert_eq!((&statements[0]["Effect"], &statements[0]["Action"]), (&"Allow".into(), &"sts:AssumeRole".into()));
    statements[0].clone()
}

/// Whether the role's service may assume it with these keys in the request.
fn may_assume(template: &Template, role: &str, context: &[(&str, &str)]) -> bool {
    let context: BTreeMap<&str, &str> = context.iter().copied().collect();
    let statement = trust(template, role);
    let operators = statement["Condition"].as_object().into_iter().flatten();
    let mut conditions = operators.flat_map(|(operator, keys)| {
        keys.as_object().expect("keys").iter().map(move |(key, value)| (operator, key, value))
    });
    conditions.all(|(operator, key, value)| {
        let (operator, optional) = match operator.strip_suffix("IfExists") {
            Some(operator) => (operator, true),
            None => (operator.as_str(), false),
        };
        let value = value.as_str().expect("one value");
        context.get(key.as_str()).map_or(optional, |actual| match operator {
            "StringEquals" => value == *actual,
            // IAM evaluates both alike, with wildcards.
            "ArnEquals" | "ArnLike" => matches(value, actual),
            other => panic!("{other} is not evaluated here"),
        })
    })
}
