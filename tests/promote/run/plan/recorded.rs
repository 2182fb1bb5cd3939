//! The document and the records of a run with a plan say which plan was carried out.

use super::*;
use crate::support::kms::SIGN_KEY;

/// What a document says of the plan that was carried out.
fn says(document: &Value) -> Value {
    document["reviewed_plan"].clone()
}

/// What the documents of runs with a plan have to say.
fn of(planned: &Value) -> Value {
    json!({"digest": planned["plan"]["digest"], "made": planned["ended"]})
}

/// The record of a promotion at this place of its folder.
fn record(cloud: &Cloud, key: &str) -> Value {
    let object = cloud.object(SERVING, key).unwrap_or_else(|| panic!("no {key} in {:?}", cloud.keys(SERVING)));
    serde_json::from_slice(&object.body.bytes()).expect("a record")
}

#[test]
fn the_document_and_the_record_name_the_plan_and_verify_accepts_the_signed_record() {
    let cloud = with_package();
    let (file, planned) = plan(&cloud, &["--sign-key", SIGN_KEY]);
    assert!(planned.get("reviewed_plan").is_none(), "{planned:#}");
    let document = carry_out(&cloud, &file, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(says(&document), of(&planned));
    assert!(document.get("plan").is_none());
    assert_eq!(says(&record(&cloud, &format!("{FOLDER}promotion.json"))), of(&planned));
    let version = document["target"]["model_package_arn"].as_str().expect("a version");
    let verify = ["verify", "--model-package", version, "--sign-key", SIGN_KEY, "--output", "json"];
    assert_eq!(run(&cloud, Principal::Both, &verify).document()["outcome"], "identical");
    let text = run(&cloud, Principal::Both, &[full(), words(&["--plan", &file.display().to_string()])].concat());
    assert_eq!(text.code, 1, "the key of the signatures is not the planned one: {}", text.stderr);
    let again = carry_out(&cloud, &file, &["--sign-key", SIGN_KEY]).document();
    assert_eq!((&again["outcome"], says(&again)), (&json!("already-promoted"), of(&planned)));
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn the_records_of_updates_and_withdrawals_name_the_plan_and_a_run_without_a_plan_names_none() {
    let cloud = one_of_two_promoted();
    assert!(promote(&cloud, &[]).document().get("reviewed_plan").is_none());
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.change(&version(2), json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let (file, planned) = plan(&cloud, &[]);
    let before = cloud.keys(SERVING);
    let document = carry_out(&cloud, &file, &[]).document();
    assert_eq!((&document["outcome"], says(&document)), (&json!("updated"), of(&planned)));
    let written: Vec<String> = cloud.keys(SERVING).into_iter().filter(|key| !before.contains(key)).collect();
    assert!(written.len() >= 2, "{written:?}");
    for key in written {
        assert_eq!(says(&record(&cloud, &key)), of(&planned), "{key}");
    }
}

#[test]
fn the_text_of_a_run_with_a_plan_names_it() {
    let cloud = with_package();
    let (file, planned) = plan(&cloud, &[]);
    let text = run(&cloud, Principal::Both, &[full(), words(&["--plan", &file.display().to_string()])].concat());
    let digest = planned["plan"]["digest"].as_str().expect("a digest");
    let line = format!("Plan       {digest}\n           made {}\n", planned["ended"].as_str().expect("a time"));
    assert!(text.stdout.contains(&line), "no '{line}' in {}{}", text.stdout, text.stderr);
}
