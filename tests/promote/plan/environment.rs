//! S3 URLs in environment variables: what containers load is copied, what may be an output is not.

use serde_json::{Value, json};

use crate::plan::{ENVIRONMENT, arrived, with_environment};
use crate::support::{Attributes, Cloud, Principal};
use crate::world::*;

fn copy_of(key: &str) -> String {
    format!("s3://{SERVING}/{FOLDER}models/{key}")
}

fn is_copied(cloud: &Cloud, key: &str) -> bool {
    cloud.object(SERVING, &format!("{FOLDER}models/{key}")).is_some()
}

/// Variables of the containers, each with a folder or an object.
const LOADED: [(&str, &str); 9] = [
    ("SAGEMAKER_SUBMIT_DIRECTORY", "code/sourcedir.tar.gz"),
    ("HF_MODEL_ID", "llama/"),
    ("OPTION_MODEL_ID", "llama"),
    ("OPTION_S3URL", "old-llama/"),
    ("OPTION_SPECULATIVE_DRAFT_MODEL", "draft/"),
    ("OPTION_COMPILED_GRAPH_PATH", "graph/"),
    ("OPTION_DRAFT_MODEL_COMPILED_PATH", "draft-graph/"),
    ("SM_VLLM_MODEL", "qwen"),
    ("SM_SGLANG_MODEL_PATH", "qwen/"),
];

#[test]
fn what_the_containers_of_sagemaker_load_from_is_copied_as_an_object_or_a_folder() {
    let environment: Vec<(String, Value)> =
        LOADED.iter().map(|(name, key)| ((*name).to_owned(), json!(format!("s3://models/{key}")))).collect();
    let cloud = with_environment(Value::Object(environment.into_iter().collect()));
    cloud.put(MODELS, "code/sourcedir.tar.gz", "code");
    let folders = ["llama", "old-llama", "draft", "graph", "draft-graph", "qwen"];
    for folder in folders {
        cloud.put(MODELS, &format!("{folder}/config.json"), "{}");
        cloud.put(MODELS, &format!("{folder}/weights/1.bin"), "1");
        cloud.put(MODELS, &format!("{folder}-2/other"), "of another model");
    }
    let document = promote(&cloud, &[]).document();
    for (name, key) in LOADED {
        assert_eq!(arrived(&cloud, name), copy_of(key), "{name}");
    }
    for folder in folders {
        assert!(is_copied(&cloud, &format!("{folder}/weights/1.bin")), "{folder}");
        assert!(!is_copied(&cloud, &format!("{folder}-2/other")), "{folder}");
    }
    let fields = &artifact(&document, "s3://models/code/sourcedir.tar.gz")["fields"];
    assert_eq!(*fields, json!([format!("{ENVIRONMENT}{{SAGEMAKER_SUBMIT_DIRECTORY}}")]));
    assert_eq!(document["environment_urls"], "known");
}

#[test]
fn what_a_container_loads_has_to_exist_and_everything_that_is_missing_is_named() {
    let cloud = with_environment(
        json!({"HF_MODEL_ID": "s3://models/gone/", "OPTION_SPECULATIVE_DRAFT_MODEL": "s3://models/too"}),
    );
    let field = |name: &str| format!("({ENVIRONMENT}{{{name}}} refers to it)");
    for more in [&["--dry-run"][..], &[], &["--environment-urls", "all"]] {
        let says = [
            &*format!("there is no such object or folder: s3://models/gone/ {}", field("HF_MODEL_ID")),
            &format!("there is no such object or folder: s3://models/too {}", field("OPTION_SPECULATIVE_DRAFT_MODEL")),
            "hint: Pass `--environment-urls none` to carry environment variables over unchanged",
        ];
        promote(&cloud, more).fails(1, &says);
    }
    assert_eq!(writes(&cloud), Vec::<String>::new());
    let document = promote(&cloud, &["--environment-urls", "none"]).document();
    assert_eq!(arrived(&cloud, "HF_MODEL_ID"), "s3://models/gone/");
    let reason = not_carried(&document, &format!("{ENVIRONMENT}{{HF_MODEL_ID}}"))["reason"].clone();
    assert_eq!(
        reason,
        "`--environment-urls none` does not copy objects that environment variables name, so the value is carried over unchanged"
    );
    assert_eq!(document["environment_urls"], "none");
}

#[test]
fn of_other_variables_single_objects_are_copied_and_folders_are_not() {
    let cloud = with_environment(json!({
        "LOOKUP_TABLE": "s3://models/table.csv", "OUTPUT": "s3://models/results/", "CACHE": "s3://models/cache",
        "GONE": "s3://models/gone.csv", "DATA": "s3://elsewhere/data.csv", "LEVEL": "info"
    }));
    for key in ["table.csv", "results/1.out", "cache/1.bin"] {
        cloud.put(MODELS, key, key);
    }
    let document = promote(&cloud, &[]).document();
    assert_eq!(arrived(&cloud, "LOOKUP_TABLE"), copy_of("table.csv"));
    let folders = "folders are copied only with `--environment-urls all`";
    for (name, value, reason) in [
        ("OUTPUT", "s3://models/results/", folders),
        ("CACHE", "s3://models/cache", folders),
        ("GONE", "s3://models/gone.csv", "there is no such object"),
        ("DATA", "s3://elsewhere/data.csv", "there is no such object"),
    ] {
        assert_eq!(arrived(&cloud, name), value);
        let listed = not_carried(&document, &format!("{ENVIRONMENT}{{{name}}}"));
        assert_eq!(listed["value"], value);
        assert!(listed["reason"].as_str().unwrap_or_default().contains(reason), "{listed}");
        assert_eq!(listed.get("informational"), None, "somebody has to look at it: {listed}");
    }
    assert!(cloud.calls_of("ListObjectsV2").iter().all(|call| call.resource != MODELS), "no folder is listed");
    let arn = document["target"]["model_package_arn"].as_str().expect("an ARN");
    cloud.put(MODELS, "results/2.out", "written after the promotion");
    assert_eq!(run(&cloud, Principal::Both, &["verify", "--model-package", arn]).code, 0);
}

#[test]
fn folders_of_all_variables_are_copied_if_the_run_is_told_to() {
    let cloud = with_environment(json!({
        "OBJECT": "s3://models/code.tar.gz", "FOLDER": "s3://models/lib", "SLASH": "s3://models/data/",
        "GONE": "s3://models/written-at-run-time/"
    }));
    for key in ["code.tar.gz", "lib/a.py", "lib/b/c.py", "library", "data/1"] {
        cloud.put(MODELS, key, key);
    }
    let document = promote(&cloud, &["--environment-urls", "all"]).document();
    for (name, key) in [("OBJECT", "code.tar.gz"), ("FOLDER", "lib"), ("SLASH", "data/")] {
        assert_eq!(arrived(&cloud, name), copy_of(key));
    }
    for key in ["code.tar.gz", "lib/a.py", "lib/b/c.py", "data/1"] {
        let fields = &artifact(&document, &format!("s3://models/{key}"))["fields"];
        assert!(fields[0].as_str().unwrap_or_default().starts_with(ENVIRONMENT), "{fields}");
        assert!(is_copied(&cloud, key), "{key}");
    }
    assert!(!is_copied(&cloud, "library"));
    let reason = &not_carried(&document, &format!("{ENVIRONMENT}{{GONE}}"))["reason"];
    assert_eq!(*reason, "nothing exists there, so the value is carried over unchanged");
    let again = promote(&cloud, &[]).document();
    assert_eq!(
        (&again["outcome"], &again["changes"]),
        (&json!("already-promoted"), &json!([])),
        "the flag is remembered"
    );
}

#[test]
fn what_nobody_may_read_stays_unless_a_container_loads_it() {
    for (name, code) in [("DATA", 0), ("SAGEMAKER_SUBMIT_DIRECTORY", 1)] {
        let cloud = with_environment(json!({name: "s3://theirs/data.csv"}));
        cloud.create_bucket("theirs", "555666777888");
        let run = promote(&cloud, &[]);
        assert_eq!(run.code, code, "{}", run.stderr);
        if code == 0 {
            let listed = not_carried(&run.document(), &format!("{ENVIRONMENT}{{{name}}}")).clone();
            let reason = listed["reason"].as_str().unwrap_or_default();
            assert!(reason.starts_with("it cannot be read"), "{listed}");
            assert_eq!(arrived(&cloud, name), "s3://theirs/data.csv");
        }
    }
}

#[test]
fn an_archived_object_that_no_container_loads_stays() {
    let cloud = with_environment(json!({"TABLE": "s3://models/table.csv"}));
    cloud.put_with(MODELS, "table.csv", "table", Attributes::default().storage_class("GLACIER"));
    let document = promote(&cloud, &[]).document();
    let reason = &not_carried(&document, &format!("{ENVIRONMENT}{{TABLE}}"))["reason"];
    assert_eq!(*reason, "the object is archived, so the value is carried over unchanged");
}

#[test]
fn a_variable_that_loads_a_whole_bucket_copies_it_with_a_warning() {
    let cloud = with_environment(json!({"HF_MODEL_ID": "s3://weights"}));
    cloud.create_bucket("weights", crate::support::SOURCE_ACCOUNT);
    cloud.put("weights", "config.json", "{}");
    let document = promote(&cloud, &[]).document();
    assert_eq!(arrived(&cloud, "HF_MODEL_ID"), format!("s3://{SERVING}/{FOLDER}weights/"));
    let warning = &document["warnings"][0];
    assert_eq!(warning["field"], format!("{ENVIRONMENT}{{HF_MODEL_ID}}"));
    assert_eq!(warning["remark"], "the URL names the whole bucket weights, so every object in it is copied");
}

#[test]
fn a_variable_that_a_container_loads_from_is_refused_if_its_url_cannot_be_read() {
    let access_point = "s3://arn:aws:s3:eu-central-1:444333666777:accesspoint/models/llm/";
    let presigned = "https://models.s3.eu-central-1.amazonaws.com/m.tar.gz?X-Amz-Signature=5ec2e7";
    for (name, url) in [("HF_MODEL_ID", access_point), ("SAGEMAKER_SUBMIT_DIRECTORY", presigned)] {
        let cloud = with_environment(json!({ name: url }));
        promote(&cloud, &[]).fails(1, &[&format!("{ENVIRONMENT}{{{name}}}"), "is malformed"]);
        assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0), "{name}");
    }
}

#[test]
fn the_signature_of_a_presigned_url_is_not_told() {
    let presigned = "https://models.s3.eu-central-1.amazonaws.com/m.tar.gz?X-Amz-Signature=5ec2e7";
    let cloud = with_environment(json!({"EXAMPLES": presigned}));
    let document = promote(&cloud, &[]).document();
    let listed = not_carried(&document, &format!("{ENVIRONMENT}{{EXAMPLES}}"));
    assert_eq!(listed["value"], "https://models.s3.eu-central-1.amazonaws.com/m.tar.gz");
    assert!(listed["reason"].as_str().is_some_and(|reason| reason.contains("cannot read this form")), "{listed}");
    assert_eq!(arrived(&cloud, "EXAMPLES"), presigned);
}

#[test]
fn a_variable_with_the_name_of_a_field_is_listed_as_any_other() {
    let cloud = with_environment(json!({"KmsKeyId": "s3://models/a,s3://models/b", "ProductId": "1"}));
    let document = promote(&cloud, &[]).document();
    let listed = not_carried(&document, &format!("{ENVIRONMENT}{{KmsKeyId}}"));
    assert!(listed["reason"].as_str().is_some_and(|reason| reason.contains("not exactly one S3 URL")), "{listed}");
    let all = document["not_carried"].as_array().into_iter().flatten();
    assert_eq!(all.filter(|one| one["field"] == format!("{ENVIRONMENT}{{ProductId}}")).count(), 0);
}
