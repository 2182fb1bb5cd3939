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
