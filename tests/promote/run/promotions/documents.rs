//! The documents of `promote plan` and `promote apply`, and what they print besides.

use super::*;
use crate::snapshot::{assert_snapshot, normalised};

#[test]
fn the_documents_of_plan_and_apply_have_the_members_of_their_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/apply.schema.json")).expect("a schema");
    let cloud = with_groups(&["team-a", "churn"]);
    cloud.create_group(SOURCE_ACCOUNT, "team-gone", json!({"ModelPackageGroupStatus": "Deleting"}));
    let wrong = FILE.replace("model-package-group/churn", "model-package-group/nothing-*");
    for (verb, text) in [("plan", FILE), ("apply", FILE), ("apply", &wrong)] {
        let document = document_of(&of_file(&cloud, verb, text, &["--output", "json"]));
        assert_eq!(document["verb"], verb);
        conforms(&document, &schema, verb);
    }
}

/// Checks members, kinds and enumerations against a schema, as far as the schema says.
fn conforms(value: &Value, schema: &Value, at: &str) {
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value}");
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{at}");
    }
    match (value, schema["type"].as_str()) {
        (Value::Object(members), Some("object")) if schema.get("properties").is_some() => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(members.contains_key(name), "{at}: no {name}");
            }
            for (name, member) in members {
                let of = &schema["properties"][name];
                assert!(!of.is_null(), "{at}: {name} is not in the schema");
                conforms(member, of, &format!("{at}.{name}"));
            }
        }
        (Value::Array(items), Some("array")) => items.iter().for_each(|item| conforms(item, &schema["items"], at)),
        (Value::Object(_), Some("object"))
        | (Value::String(_), Some("string"))
        | (Value::Number(_), Some("integer")) => {}
        (_, None) => {}
        (value, kind) => panic!("{at}: {value} is not of the type {kind:?}"),
    }
}

#[test]
fn a_plan_prints_steps_or_only_warnings() {
    let cloud = with_groups(&["team-a", "churn"]);
    let plain = of_file(&cloud, "plan", FILE, &[]);
    let verbose = of_file(&cloud, "plan", FILE, &["--verbose"]);
    let quiet = of_file(&cloud, "plan", FILE, &["-q"]);
    assert_eq!((plain.code, verbose.code, quiet.code), (0, 0, 0), "{}{}", verbose.stderr, quiet.stderr);
    assert_eq!(plain.stdout, quiet.stdout);
    assert_eq!(quiet.stderr, "");
    assert!(verbose.stderr.len() > plain.stderr.len(), "{}", verbose.stderr);
}

/// A file with one promotion of two groups, to which a pull request adds a target.
const REVIEWED: &str = "
defaults:
  source:
    group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/risk-*
  target: {bucket: serving, images: keep}
promotions:
  risk:
    targets:
      production: {}
";

#[test]
fn the_plan_of_a_pull_request_is_the_one_that_the_guide_shows() {
    let cloud = with_groups(&["risk-churn", "risk-fraud"]);
    apply(&cloud, REVIEWED, &[]).document();
    let churn = Cloud::group_arn("risk-churn").replace("-group/", "/");
    cloud.change(&format!("{churn}/1"), json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let fraud = Cloud::group_arn("risk-fraud").replace("-group/", "/");
    cloud.change(&format!("{fraud}/1"), json!({"ModelApprovalStatus": "Rejected"}));
    let text = format!("{REVIEWED}      staging: {{group: 'staging-{{group}}', approval: pending}}\n");
    let plan = of_file(&cloud, "plan", &text, &["--output", "markdown"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert_snapshot("plan-of-a-pull-request", &normalised(&cloud, &plan.stdout).replace("HOME/", ""));
}
