//! The document of the step before: what is none is refused with the reason.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_text_that_is_no_json_is_refused() {
    refused_from("from-no-json", "no JSON");
}

#[test]
fn an_empty_text_is_refused() {
    refused_from("from-nothing", "");
}

#[test]
fn json_that_is_no_document_of_promote_is_refused() {
    refused_from("from-other-json", r#"{"outcome": "found"}"#);
    refused_from("from-half-a-document", r#"{"schema": 2, "outcome": "found"}"#);
    refused_from("from-a-list", "[]");
}

#[test]
fn a_document_of_another_schema_is_refused() {
    let cloud = with_package();
    let mut document = found(&cloud);
    for (name, schema) in [("from-an-earlier-schema", 1), ("from-a-later-schema", 99)] {
        document["schema"] = json!(schema);
        refused_from(name, &document.to_string());
    }
}

#[test]
fn a_document_that_names_no_version_is_refused() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    let run = run(&cloud, Principal::Both, &["find-latest", "--group", GROUP_ARN, "--output", "json"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    refused_from("from-nothing-approved", &run.stdout);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let cloud = with_package();
    refused(&cloud, "from-no-file", 1, &["register", "--from", "/no/such/document.json"]);
}

#[test]
fn register_needs_a_bucket_that_the_document_of_find_latest_does_not_name() {
    let cloud = with_package();
    let file = cloud.home().join("found.json");
    std::fs::write(&file, found(&cloud).to_string()).expect("a file");
    refused(&cloud, "register-without-a-bucket", 2, &["register", "--from", file.to_str().expect("a path")]);
}

#[test]
fn register_refuses_artifacts_that_were_not_copied() {
    let cloud = with_package();
    let arguments = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    refused(&cloud, "register-before-copy", 1, &arguments);
}

/// Both verbs that read a document refuse this one in the same words, before any call.
fn refused_from(name: &str, text: &str) {
    let cloud = with_package();
    let said = ["copy-artifacts", "register"].map(|verb| {
        let arguments = [verb, "--from", "-", "--target-bucket", SERVING];
        let mut command = cloud.promote(Principal::Both);
        let run = Run::of(command.args(arguments).write_stdin(text).output().expect("the binary starts"));
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
        (shown(&cloud, &arguments, &run), run.stderr)
    });
    assert_eq!(said[0].1.replace("copy-artifacts", "register"), said[1].1);
    assert_snapshot(name, &said[1].0);
    assert!(cloud.calls().is_empty(), "nothing is called");
}

fn found(cloud: &Cloud) -> Value {
    let run = run(cloud, Principal::Both, &["find-latest", "--group", GROUP_ARN, "--output", "json"]);
    run.document()
}
