//! Changes that are taken back, changes of both sides, and versions that were promoted a second time.

use super::super::again::delete_version;
use super::specifications::{SECOND, add_specification, specifications};
use super::*;

const METADATA: &str = "CustomerMetadataProperties";

#[test]
fn a_metadata_key_that_the_source_adds_and_removes_again_is_added_and_removed() {
    let cloud = promoted_once();
    let entries = |new: bool| match new {
        true => json!({METADATA: {"team": "growth", "stays": "1", "goes": "1", "new": "2"}}),
        false => json!({METADATA: {"team": "growth", "stays": "1", "goes": "1"}}),
    };
    for _ in 0..2 {
        for (new, value) in [(true, json!("2")), (false, Value::Null)] {
            cloud.change(SOURCE_VERSION, entries(new));
            let document = promote(&cloud, &[]).document();
            assert_eq!(results(&document), pairs(&[("CustomerMetadataProperties{new}", "updated")]));
            assert_eq!((&promoted(&cloud)[0][METADATA]["new"], verify(&cloud).code), (&value, 0));
            assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
        }
    }
}

#[test]
fn a_specification_that_the_source_adds_and_removes_again_is_drift_until_the_source_has_it_again() {
    let cloud = promoted_once();
    add_specification(&cloud, &json!({}));
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "updated")]));
    let first = package()["AdditionalInferenceSpecifications"].clone();
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": first}));
    for _ in 0..2 {
        assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "drift")]));
        assert_eq!((specifications(&cloud), verify(&cloud).code), (2, 0));
    }
    add_specification(&cloud, &json!({}));
    assert_eq!(results(&promote(&cloud, &[]).document()), []);
}

#[test]
fn a_source_uri_that_both_sides_have_set_is_a_conflict_until_they_agree() {
    let cloud = promoted_once();
    let uri = |which: &str| json!({"SourceUri": format!("https://models.example/{which}")});
    cloud.change(SOURCE_VERSION, uri("source"));
    cloud.change(COPY, uri("target"));
    for _ in 0..2 {
        assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[("SourceUri", "conflict")]));
        assert_eq!(promoted(&cloud)[0]["SourceUri"], uri("target")["SourceUri"]);
    }
    cloud.change(SOURCE_VERSION, uri("target"));
    promote(&cloud, &[]).document();
    assert_eq!(results(&promote(&cloud, &[]).document()), []);
    cloud.change(SOURCE_VERSION, uri("next"));
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[("SourceUri", "updated")]));
    assert_eq!((&promoted(&cloud)[0]["SourceUri"], verify(&cloud).code), (&uri("next")["SourceUri"], 0));
}

#[test]
fn a_version_that_was_deleted_and_promoted_again_is_updated_withdrawn_and_approved_again() {
    let cloud = promoted_once();
    delete_version(&cloud, &json!(COPY));
    cloud.age_claims(SERVING);
    let again = promote(&cloud, &[]).document()["target"]["model_package_arn"].clone();
    let again = again.as_str().expect("an ARN");
    assert!(again.ends_with("/2") && cloud.keys(SERVING).contains(&format!("{FOLDER}promotion-2.json")), "{again}");
    let verifies = || {
        let verified = run(&cloud, Principal::Both, &["verify", "--model-package", again]);
        assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    };
    set_team(&cloud, "risk");
    promote(&cloud, &[]).document();
    assert_eq!(promoted(&cloud)[0][METADATA]["team"], "risk");
    verifies();
    for status in ["Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote(&cloud, &[]).document();
        assert_eq!((promoted(&cloud).len(), &promoted(&cloud)[0]["ModelApprovalStatus"]), (1, &json!(status)));
        verifies();
    }
}
