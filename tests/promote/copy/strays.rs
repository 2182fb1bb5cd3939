//! Objects below a promoted prefix that the source does not have: SageMaker would deploy them with the model.

use serde_json::{Value, json};

use crate::plan::with_environment;
use crate::support::{Cloud, Failure, Moment, Principal};
use crate::world::*;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// The same place in the target.
const PREFIX: &str = "models/churn/llm/";

fn refused(cloud: &Cloud, run: &Run, key: &str) {
    let named = format!("a promoted prefix has objects that the source does not have:\n  s3://serving/{key}");
    run.fails(1, &[&named, "hint: Delete these objects at the target, or choose another `--target-prefix`"]);
    assert!(promoted(cloud).is_empty(), "nothing is registered");
}

#[test]
fn an_object_that_was_copied_and_then_deleted_at_the_source_stops_every_command_that_follows() {
    let cloud = with_package();
    let arguments = |step: &str| {
        let mut arguments = full();
        arguments[0] = step.to_owned();
        let group = arguments.iter().position(|argument| argument == "--group").expect("the group");
        arguments.splice(group..group + 2, ["--model-package".to_owned(), SOURCE_VERSION.to_owned()]);
        arguments.extend(["--output".to_owned(), "json".to_owned()]);
        arguments
    };
    run(&cloud, Principal::Both, &arguments("copy-artifacts")).document();
    cloud.remove(MODELS, "churn/llm/shard/1.bin");
    let stray = format!("{FOLDER}{PREFIX}shard/1.bin");
    let before = cloud.keys(SERVING);
    refused(&cloud, &promote(&cloud, &[]), &stray);
    refused(&cloud, &promote(&cloud, &["--dry-run"]), &stray);
    refused(&cloud, &run(&cloud, Principal::Both, &arguments("register")), &stray);
    assert_eq!(cloud.keys(SERVING), before);
    cloud.remove(SERVING, &stray);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn an_object_beside_the_promoted_prefixes_is_named_and_stops_nothing() {
    let cloud = with_package();
    let key = format!("{FOLDER}models/notes.txt");
    cloud.put(SERVING, &key, "ours");
    let document = promote(&cloud, &[]).document();
    let stray = format!("s3://{SERVING}/{key}");
    assert_eq!((&document["outcome"], &document["other_objects"]), (&json!("promoted"), &json!([stray])));
}

#[test]
fn what_an_interrupted_run_with_other_settings_has_left_is_told_and_recorded_and_known_to_verify_and_rollback() {
    let cloud = with_environment(json!({"MY_CACHE": "s3://models/cache/"}));
    cloud.put(MODELS, "cache/x.bin", "cached");
    // The run is killed before it claims to register the version.
    cloud.fail(Moment::every("PutObject").at("_claims/0.json"), Failure::Status(403, "AccessDenied", "Access Denied"));
    assert_eq!(promote(&cloud, &["--environment-urls", "all"]).code, 1);
    cloud.heal();
    let stray = format!("s3://{SERVING}/{FOLDER}models/cache/x.bin");
    let document = promote(&cloud, &[]).document();
    let remarks = document["warnings"].as_array().cloned().unwrap_or_default();
    let remark = format!("the folder has 1 object that the promotion does not have: {stray}");
    assert!(remarks.iter().any(|warning| warning["remark"] == remark), "{remarks:?}");
    assert_eq!(document["other_objects"], json!([stray]));
    let verified = || run(&cloud, Principal::Both, &["verify", "--model-package", COPY, "--output", "json"]).document();
    let known = |document: &Value| {
        let findings = document["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().any(|finding| finding["name"] == stray && finding["verdict"] == "kept")
    };
    assert!(known(&verified()));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
    assert!(known(&verified()));
    cloud.register(model("s3://models/m.tar.gz"));
    promote(&cloud, &[]).document();
    let rollback = ["rollback", "--target-group", GROUP, "--reason", "Latency alarm", "--settle-seconds", "0"];
    let document = run(&cloud, Principal::Both, &[&rollback[..], &["--output", "json"]].concat()).document();
    assert_eq!(document["to"], COPY);
    cloud.put(SERVING, &format!("{FOLDER}models/later"), "later");
    assert_eq!(run(&cloud, Principal::Both, &["verify", "--model-package", COPY]).code, 5);
}
