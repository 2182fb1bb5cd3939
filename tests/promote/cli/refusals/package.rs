//! Which package: those that cannot be promoted, or not without a decision.

use serde_json::{Value, json};

use super::*;

/// Every verb refuses what cannot be promoted, in the same words.
fn refused_by_every_verb(cloud: &Cloud, name: &str) {
    let says = refused(cloud, name, 1, &FULL).stderr;
    refused_by_each_step(cloud, &says);
    assert_eq!(writes(cloud), Vec::<String>::new());
}

fn refused_by_each_step(cloud: &Cloud, says: &str) {
    let find = ["find-latest", "--group", GROUP_ARN];
    let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    let register = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    for arguments in [&find[..], &copy, &register] {
        let run = run(cloud, Principal::Both, arguments);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (1, "", says), "{arguments:?}");
    }
}

/// The usual package, changed.
fn changed(members: Value) -> Cloud {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, members);
    cloud
}

#[test]
fn an_unversioned_package_is_refused() {
    let cloud = with_package();
    let arn = cloud.register(json!({"ModelPackageName": "lone/1", "ModelPackageDescription": "Of no group"}));
    let copy = ["copy-artifacts", "--model-package", &arn, "--target-bucket", SERVING];
    refused(&cloud, "unversioned", 1, &copy);
    let arn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/lone";
    let copy = ["copy-artifacts", "--model-package", arn, "--target-bucket", SERVING];
    refused(&cloud, "unversioned-arn", 2, &copy);
}

#[test]
fn a_digest_in_place_of_a_secret_is_refused() {
    let metadata = json!({"db.password": format!("sealed:sha256:{}", "0".repeat(64))});
    refused(
        &changed(json!({"CustomerMetadataProperties": metadata})),
        "digest-in-place-of-a-secret",
        1,
        &full_with(&["--dry-run"]),
    );
}

#[test]
fn a_package_in_restricted_storage_is_refused() {
    refused_by_every_verb(&changed(json!({"ManagedStorageType": "Restricted"})), "restricted-storage");
}

#[test]
fn a_failed_package_is_refused_with_its_reason() {
    let details = json!({"ValidationStatuses": [
        {"Name": "v", "Status": "Failed", "FailureReason": "The image cannot be pulled"}
    ]});
    refused_by_every_verb(
        &changed(json!({"ModelPackageStatus": "Failed", "ModelPackageStatusDetails": details})),
        "failed",
    );
}

#[test]
fn unknown_members_stop_the_run_by_their_names() {
    refused_by_every_verb(&with_unknown_members(), "unknown-members");
}

#[test]
fn unknown_members_are_left_out_and_listed_when_they_are_to_be_ignored() {
    let cloud = with_unknown_members();
    let document = promote(&cloud, &["--ignore-unknown-fields"]).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(not_carried(&document, "Novelty")["value"], r#"{"Deep":"value"}"#);
    assert_eq!(not_carried(&document, "InferenceSpecification.Containers[0].Shiny")["value"], "true");
    let created = promoted(&cloud).remove(0);
    assert_eq!(created.get("Novelty"), None);
    assert_eq!(created["InferenceSpecification"]["Containers"][0].get("Shiny"), None);
    assert_eq!(created["ModelApprovalStatus"], "Approved");
}

fn with_unknown_members() -> Cloud {
    let mut specification = package()["InferenceSpecification"].clone();
    specification["Containers"][0]["Shiny"] = json!(true);
    changed(json!({"Novelty": {"Deep": "value"}, "InferenceSpecification": specification}))
}

#[test]
fn a_missing_object_is_named_with_every_field_that_refers_to_it() {
    let quality = json!({"ContentType": "application/json", "S3Uri": "s3://models/churn/report.json"});
    let cloud = changed(json!({
        "ModelMetrics": {"ModelQuality": {"Statistics": quality, "Constraints": quality}},
        "SamplePayloadUrl": "s3://models/churn/report.json"
    }));
    cloud.remove(MODELS, "churn/report.json");
    let run = refused(&cloud, "missing-object", 1, &FULL);
    for field in ["ModelMetrics.ModelQuality.Statistics.S3Uri", "ModelMetrics.ModelQuality.Constraints.S3Uri"] {
        assert!(run.stderr.contains(field), "{}", run.stderr);
    }
    assert!(run.stderr.contains("SamplePayloadUrl"), "{}", run.stderr);
}

#[test]
fn a_prefix_without_objects_is_missing() {
    let cloud = with_package();
    cloud.remove(MODELS, "churn/llm/config.json");
    cloud.remove(MODELS, "churn/llm/shard/1.bin");
    refused(&cloud, "missing-prefix", 1, &FULL);
}

#[test]
fn an_object_that_has_changed_since_the_registration_is_refused() {
    let mut specification = package()["InferenceSpecification"].clone();
    specification["Containers"][0]["ModelDataETag"] = json!("\"0123456789abcdef0123456789abcdef\"");
    refused(&changed(json!({"InferenceSpecification": specification})), "changed-since-registration", 1, &FULL);
}

#[test]
fn an_encrypted_package_needs_a_key_of_the_target() {
    let key = "arn:aws:kms:eu-central-1:444333666777:key/11111111-2222-3333-4444-555555555555";
    let cloud = changed(json!({"SecurityConfig": {"KmsKeyId": key}}));
    refused(&cloud, "encrypted-package-without-key", 1, &FULL);
    let own = "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000";
    let document = promote(&cloud, &["--kms-key-arn", own]).document();
    assert_eq!(not_carried(&document, "SecurityConfig.KmsKeyId")["value"], key);
    assert_eq!(promoted(&cloud)[0]["SecurityConfig"]["KmsKeyId"], own);
}

#[test]
fn an_algorithm_needs_one_of_the_target() {
    let cloud = with_package();
    let algorithm = "arn:aws:sagemaker:eu-central-1:444333666777:algorithm/boost";
    let specification = json!({"SourceAlgorithms": [
        {"AlgorithmName": algorithm, "ModelDataUrl": "s3://models/churn/model.tar.gz"}
    ]});
    cloud
        .change(SOURCE_VERSION, json!({"SourceAlgorithmSpecification": specification, "InferenceSpecification": null}));
    refused(&cloud, "algorithm-without-one-of-the-target", 1, &FULL);
    let document = promote(&cloud, &["--target-algorithm", "boost"]).document();
    let field = "SourceAlgorithmSpecification.SourceAlgorithms[0].AlgorithmName";
    assert_eq!(not_carried(&document, field)["value"], algorithm);
}

#[test]
fn an_augmented_manifest_is_refused_by_its_field() {
    let mut additional = package()["AdditionalInferenceSpecifications"].clone();
    additional[0]["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3DataType"] = json!("AugmentedManifestFile");
    refused(&changed(json!({"AdditionalInferenceSpecifications": additional})), "augmented-manifest", 1, &FULL);
}

#[test]
fn an_additional_s3_data_source_where_create_refuses_it_is_refused_before_the_first_write() {
    let mut specification = package()["InferenceSpecification"].clone();
    specification["Containers"][0]["AdditionalS3DataSource"] =
        json!({"S3DataType": "S3Object", "S3Uri": "s3://models/churn/model.tar.gz"});
    refused(&changed(json!({"InferenceSpecification": specification})), "additional-s3-data-source", 1, &FULL);
}

#[test]
fn a_url_of_another_host_is_refused_by_its_field() {
    let cloud = changed(json!({"SamplePayloadUrl": "https://example.com/payload.csv"}));
    refused(&cloud, "url-of-another-host", 1, &FULL);
}
