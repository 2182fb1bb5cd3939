//! The lineage of a version on the page: signature, and lists of any length.

use super::*;
use crate::support::kms::{OTHER_SIGN_KEY, SIGN_KEY};

#[test]
fn the_page_names_the_key_of_a_signed_record_and_says_if_there_is_no_signature() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let unsigned = page_of(&cloud, &[]);
    has_all(&unsigned, &["<dt>Signature</dt><dd>none</dd>"]);
    assert!(!unsigned.contains(SIGN_KEY));
    // The run adds the missing signature.
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    let signed = page_of(&cloud, &[]);
    let state = format!("<dt>Signature</dt><dd>present, not checked here; names the key <code>{SIGN_KEY}</code></dd>");
    has_all(&signed, &[&state, "<dt>Record</dt>", "<dt>Recorded</dt>", "<dt>Decided by</dt>", "<dt>Image</dt>"]);
    assert!(!signed.contains(OTHER_SIGN_KEY));
}

/// What SageMaker tells of the principal of a change.
fn changed_by(name: &str) -> serde_json::Value {
    json!({"IamIdentity": {"Arn": person(name), "PrincipalId": "AROAPERSON:session"}})
}

fn person(name: &str) -> String {
    format!("arn:aws:sts::444333666777:assumed-role/review/{name}")
}

/// The facts of the only version, read by the principal that reads the target only, or by both.
fn facts_of(cloud: &Cloud, principal: Principal) -> std::collections::BTreeMap<String, String> {
    let source = Cloud::group_arn(GROUP);
    let side = if principal == Principal::Target { ["--target-group", GROUP] } else { ["--group", &source] };
    let run = run(cloud, principal, &[&["status", "--output", "html"], &side[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    parts::facts(parts::versions(parts::section(&run.stdout, GROUP))[0].lineage)
}

#[test]
fn the_record_keeps_who_approved_the_source_version_and_the_page_names_them_from_the_target_alone() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"LastModifiedBy": changed_by("A.Novak")}));
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["source"]["changed_by"], json!(person("A.Novak")));
    let approver = format!("{}, who made the last change before the promotion, ", person("A.Novak"));
    let alone = facts_of(&cloud, Principal::Target);
    assert!(alone["Approver at the source"].starts_with(&approver), "{alone:?}");
    // A later change by somebody else is no approval.
    let later = json!({"LastModifiedBy": changed_by("tagger"), "CustomerMetadataProperties": {"team": "risk"}});
    cloud.change(SOURCE_VERSION, later);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
    let both = facts_of(&cloud, Principal::Both);
    assert_eq!(both["Approver at the source"], alone["Approver at the source"]);
    assert_eq!(both["Source last changed by"], person("tagger"));
    let by = format!(" UTC by {}", Principal::Both.arn());
    assert!(both["Last changed in the target"].ends_with(&by), "{both:?}");
}

#[test]
fn a_version_that_is_approved_again_has_the_approver_of_the_second_approval() {
    let cloud = with_package();
    for (status, name) in [("Approved", "A.Novak"), ("Rejected", "B.Ortiz"), ("Approved", "C.Okafor")] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status, "LastModifiedBy": changed_by(name)}));
        promote(&cloud, &[]).document();
        let facts = facts_of(&cloud, Principal::Both);
        let approver = facts.get("Approver at the source").and_then(|text| text.split(", ").next());
        let changed = facts.get("Source last changed by").map(String::as_str);
        let by = person(name);
        let expected = if status == "Approved" { (Some(by.as_str()), None) } else { (None, Some(by.as_str())) };
        assert_eq!((approver, changed), expected, "{status} by {name}");
    }
}

/// A promoted version with this number of further artifacts, and of metadata that differs.
fn with_many(artifacts: usize, fields: usize) -> Cloud {
    let cloud = with_package();
    for number in 0..artifacts {
        cloud.put(MODELS, &format!("churn/llm/shard/{number:03}.bin"), "weights");
    }
    promote(&cloud, &[]).document();
    let metadata: serde_json::Map<String, serde_json::Value> =
        (0..fields).map(|number| (format!("key-{number:03}"), json!("of the source"))).collect();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": metadata}));
    cloud
}

#[test]
fn the_page_has_every_artifact_and_field_and_collapses_long_lists() {
    let page = page_of(&with_many(60, 40), &[]);
    written::keep("long.html", &page);
    for number in 0..60 {
        has_all(&page, &[&format!("s3://models/churn/llm/shard/{number:03}.bin")]);
    }
    for number in 0..40 {
        has_all(&page, &[&format!("CustomerMetadataProperties{{key-{number:03}}}")]);
    }
    has_all(&page, &["64 artifacts, ", "<details><summary> and 56 more artifacts</summary><table"]);
    assert!(page.contains(" more fields</summary>") && !page.contains("describe-model-package"), "{page}");
}

#[test]
fn the_page_says_how_many_artifacts_and_fields_it_leaves_out_and_where_they_are() {
    let page = page_of(&with_many(120, 130), &[]);
    has_all(
        &page,
        &["124 artifacts, ", " and 92 more artifacts</summary>", "and 24 more artifacts, which the record lists"],
    );
    has_all(
        &page,
        &[" and 92 more fields</summary>", " more fields, which <code>aws sagemaker describe-model-package</code>"],
    );
    assert!(page.len() < 100_000, "{} bytes", page.len());
}
