//! Values whose names look like those of secrets: documents and records have their digests.

use serde_json::{Value, json};

use crate::support::kms::SIGN_KEY;
use crate::support::{Cloud, Principal};
use crate::world::*;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// The members of a package with secrets in a variable, in the metadata and in a field that is not carried over.
fn secrets(value: &str) -> Value {
    let mut package = package();
    let environment = json!({"LEVEL": "info", "HF_TOKEN": format!("{value}-of-variable")});
    package["InferenceSpecification"]["Containers"][0]["Environment"] = environment.clone();
    json!({
        "CustomerMetadataProperties": {"team": "growth", "db.registry_token": format!("{value}-of-metadata")},
        "InferenceSpecification": package["InferenceSpecification"],
        "ValidationSpecification": {
            "ValidationRole": "arn:aws:iam::444333666777:role/validate",
            "ValidationProfiles": [{"ProfileName": "p", "TransformJobDefinition": {
                "Environment": environment,
                "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/churn/in/"}}},
                "TransformOutput": {"S3OutputPath": "s3://models/churn/out/"},
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}
            }}]
        }
    })
}

fn with_secrets() -> Cloud {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, secrets("first"));
    cloud
}

/// Changes the secret of the metadata alone.
fn set_metadata(cloud: &Cloud, arn: &str, value: &str) {
    let mut metadata = cloud.package(arn).expect("a version")["CustomerMetadataProperties"].clone();
    metadata["db.registry_token"] = json!(format!("{value}-of-metadata"));
    cloud.change(arn, json!({"CustomerMetadataProperties": metadata}));
}

/// Changes the secret of the variable alone.
fn set_variable(cloud: &Cloud, arn: &str, value: &str) {
    let mut specification = cloud.package(arn).expect("a version")["InferenceSpecification"].clone();
    specification["Containers"][0]["Environment"]["HF_TOKEN"] = json!(format!("{value}-of-variable"));
    cloud.change(arn, json!({"InferenceSpecification": specification}));
}

fn has_secrets(text: &str) -> bool {
    text.contains("-of-variable") || text.contains("-of-metadata")
}

/// Runs the program, which may print no secret.
fn quietly(cloud: &Cloud, arguments: &[&str]) -> Run {
    let run = run(cloud, Principal::Both, arguments);
    assert!(!has_secrets(&run.stdout) && !has_secrets(&run.printed), "{arguments:?}: {}{}", run.stdout, run.printed);
    run
}

fn promote_quietly(cloud: &Cloud, more: &[&str]) -> Run {
    let arguments = full();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--output", "json"]).collect();
    quietly(cloud, &[&arguments[..], more].concat())
}

fn verify(cloud: &Cloud, more: &[&str]) -> Run {
    quietly(cloud, &[&["verify", "--model-package", COPY, "--output", "json"][..], more].concat())
}

/// Nothing in the target bucket has a secret.
fn nothing_is_stored(cloud: &Cloud) {
    for key in cloud.keys(SERVING) {
        let body = cloud.object(SERVING, &key).expect("it is listed").body.bytes().to_vec();
        assert!(!has_secrets(&String::from_utf8_lossy(&body)), "{key}");
    }
}

fn first_record(cloud: &Cloud) -> Value {
    let object = cloud.object(SERVING, &format!("{FOLDER}promotion.json")).expect("a record");
    serde_json::from_slice(&object.body.bytes()).expect("JSON")
}

#[test]
fn secrets_are_in_no_document_no_object_of_the_target_no_page_and_no_log() {
    let cloud = with_secrets();
    let file = cloud.home().join("record.json");
    let path = file.display().to_string();
    let group = Cloud::group_arn(GROUP);
    let recorded = || assert!(!has_secrets(&std::fs::read_to_string(&file).expect("a file")));
    promote_quietly(&cloud, &["--dry-run", "--verbose", "--record", &path]).document();
    recorded();
    quietly(&cloud, &["find-latest", "--group", &group, "--output", "json", "--verbose", "--record", &path]).document();
    let copy = ["copy-artifacts", "--from", &path, "--target-bucket", SERVING, "--output", "json", "--verbose"];
    quietly(&cloud, &[&copy[..], &["--record", &path]].concat()).document();
    recorded();
    let register = ["register", "--from", &path, "--output", "json", "--verbose"];
    let document = quietly(&cloud, &register).document();
    let request = &document["request"];
    let token = &request["InferenceSpecification"]["Containers"][0]["Environment"]["HF_TOKEN"];
    assert!(token.as_str().is_some_and(|token| token.starts_with("sealed:sha256:") && token.len() == 78), "{token}");
    assert_eq!(request["InferenceSpecification"]["Containers"][0]["Environment"]["LEVEL"], "info");
    assert_eq!(
        promoted(&cloud)[0]["InferenceSpecification"]["Containers"][0]["Environment"]["HF_TOKEN"],
        "first-of-variable"
    );
    set_metadata(&cloud, COPY, "their");
    cloud.change(SOURCE_VERSION, secrets("second"));
    for more in [&["--dry-run", "--verbose", "--record", &path][..], &["--verbose", "--record", &path]] {
        promote_quietly(&cloud, more).document();
        recorded();
    }
    assert_eq!(verify(&cloud, &[]).code, 0);
    for form in ["json", "html", "text"] {
        assert_eq!(quietly(&cloud, &["status", "--group", &group, "--output", form]).code, 0, "{form}");
    }
    let page = format!("s3://{SERVING}/status.html");
    assert_eq!(quietly(&cloud, &["status", "--group", &group, "--page", &page]).code, 0);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    let withdraw = ["withdraw", "--group", &group, "--target-bucket", SERVING, "--output", "json", "--verbose"];
    assert_eq!(quietly(&cloud, &withdraw).code, 0);
    nothing_is_stored(&cloud);
}

#[test]
fn record_secrets_keeps_them_in_the_record_and_later_runs_and_verify_read_both_forms() {
    let cloud = with_secrets();
    let document = promote(&cloud, &["--record-secrets"]).document();
    assert!(has_secrets(&document["request"].to_string()) && has_secrets(&first_record(&cloud)["request"].to_string()));
    assert_eq!(verify(&cloud, &[]).code, 0);
    let before = (promoted(&cloud), cloud.keys(SERVING));
    assert_eq!(promote_quietly(&cloud, &[]).document()["outcome"], "already-promoted");
    assert_eq!((promoted(&cloud), cloud.keys(SERVING)), before, "nothing is written because of the form");
    set_metadata(&cloud, SOURCE_VERSION, "second");
    assert_eq!(promote_quietly(&cloud, &[]).document()["outcome"], "updated");
    assert_eq!(promote(&cloud, &["--record-secrets"]).document()["outcome"], "already-promoted");
    assert_eq!(verify(&cloud, &[]).code, 0);
}

#[test]
fn a_secret_that_changes_after_the_review_is_named_and_neither_value_is_printed() {
    for form in [&[][..], &["--record-secrets"]] {
        let cloud = with_secrets();
        let file = cloud.home().join("plan.json").display().to_string();
        promote(&cloud, &[&["--dry-run", "--record", &file], form].concat()).document();
        set_variable(&cloud, SOURCE_VERSION, "second");
        let field = "InferenceSpecification.Containers[0].Environment{HF_TOKEN}";
        let says = format!("{field} is \"(masked)\", and was planned as \"(masked)\"");
        promote_quietly(&cloud, &["--plan", &file]).fails(1, &[&says]);
        assert_eq!(promoted(&cloud).len(), 0);
        set_variable(&cloud, SOURCE_VERSION, "first");
        // The time of the last change is part of the fingerprint.
        promote_quietly(&cloud, &["--dry-run", "--record", &file]).document();
        assert_eq!(promote_quietly(&cloud, &["--plan", &file]).document()["outcome"], "promoted");
    }
}

#[test]
fn a_secret_in_the_metadata_that_changes_and_changes_back_is_synced_and_one_that_others_change_is_kept() {
    let cloud = with_secrets();
    promote_quietly(&cloud, &[]).document();
    let token = |cloud: &Cloud| promoted(cloud)[0]["CustomerMetadataProperties"]["db.registry_token"].clone();
    for value in ["second", "first", "third"] {
        set_metadata(&cloud, SOURCE_VERSION, value);
        let document = promote_quietly(&cloud, &[]).document();
        assert_eq!((&document["outcome"], &document["changes"][0]["result"]), (&json!("updated"), &json!("updated")));
        assert_eq!(token(&cloud), format!("{value}-of-metadata"));
        assert_eq!(promote_quietly(&cloud, &[]).document()["outcome"], "already-promoted");
        assert_eq!(verify(&cloud, &[]).code, 0);
    }
    set_metadata(&cloud, COPY, "their");
    let kept = promote_quietly(&cloud, &[]).document();
    assert_eq!(kept["changes"][0]["result"], "kept");
    set_metadata(&cloud, SOURCE_VERSION, "fourth");
    assert_eq!(promote_quietly(&cloud, &[]).document()["changes"][0]["result"], "conflict");
    assert_eq!(token(&cloud), "their-of-metadata");
    let keys = cloud.keys(SERVING);
    promote_quietly(&cloud, &[]).document();
    assert_eq!(cloud.keys(SERVING), keys, "a conflict that is recorded is no news");
    nothing_is_stored(&cloud);
}

#[test]
fn verify_finds_a_changed_secret_and_signatures_cover_the_digests() {
    let cloud = with_secrets();
    promote_quietly(&cloud, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 0);
    set_variable(&cloud, COPY, "their");
    let run = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!(run.code, 5);
    assert!(run.stdout.contains("Environment{HF_TOKEN} is \\\"(masked)\\\", not \\\"(masked)\\\""), "{}", run.stdout);
    set_variable(&cloud, COPY, "first");
    assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 0);
}

#[test]
fn a_digest_in_place_of_a_secret_in_the_target_is_a_change_and_is_not_approved() {
    let cloud = with_secrets();
    promote_quietly(&cloud, &[]).document();
    let mut specification = cloud.package(COPY).expect("a version")["InferenceSpecification"].clone();
    let recorded = first_record(&cloud)["request"]["InferenceSpecification"]["Containers"][0]["Environment"].clone();
    specification["Containers"][0]["Environment"] = recorded;
    cloud.change(COPY, json!({"InferenceSpecification": specification}));
    let run = verify(&cloud, &[]);
    assert!(run.code == 5 && run.told().contains("is the digest that promote records"), "{}", run.stdout);
    for status in ["Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote_quietly(&cloud, &["--package-version", "1"]);
    }
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
}

#[test]
fn a_record_with_digests_can_be_signed_later() {
    let cloud = with_secrets();
    promote_quietly(&cloud, &[]).document();
    promote_quietly(&cloud, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 0);
}

#[test]
fn a_version_with_secrets_is_withdrawn_and_approved_again_with_its_values() {
    let cloud = with_secrets();
    promote_quietly(&cloud, &[]).document();
    for (status, outcome) in [("Rejected", "withdrawn"), ("Approved", "approved-again")] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        let document = promote_quietly(&cloud, &["--package-version", "1"]).document();
        assert_eq!(
            (&document["outcome"], &promoted(&cloud)[0]["ModelApprovalStatus"]),
            (&json!(outcome), &json!(status))
        );
    }
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote_quietly(&cloud, &["--package-version", "1"]).document();
    set_variable(&cloud, COPY, "their");
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    promote_quietly(&cloud, &[]).fails(1, &["differs from its record and was not approved", "Environment{HF_TOKEN}"]);
    nothing_is_stored(&cloud);
}

#[test]
fn a_digest_in_place_of_a_secret_is_never_written_to_the_target() {
    let cloud = with_secrets();
    let digest = format!("sealed:sha256:{}", "0".repeat(64));
    let metadata = json!({"CustomerMetadataProperties": {"team": "growth", "db.registry_token": digest}});
    cloud.change(SOURCE_VERSION, metadata.clone());
    let says = "CustomerMetadataProperties{db.registry_token}";
    for more in [&["--dry-run"][..], &[]] {
        let refusal = "is the digest that promote records in place of a secret";
        promote(&cloud, more).fails(1, &[says, refusal, "Set the value itself in the source version"]);
    }
    assert_eq!(writes(&cloud), Vec::<String>::new());
    set_metadata(&cloud, SOURCE_VERSION, "first");
    promote_quietly(&cloud, &[]).document();
    cloud.change(SOURCE_VERSION, metadata);
    promote(&cloud, &[]).fails(1, &[says]);
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["db.registry_token"], "first-of-metadata");
}
