//! The document of a run that fails: what has failed, what to do, and what was done before.

use serde_json::{Value, json};

use crate::support::{Cloud, Failure, Moment, Principal};
use crate::world::*;

const VERSION: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// The document on standard output.
fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

#[test]
fn a_failed_run_prints_a_document_with_the_error_and_what_was_done() {
    let cloud = with_package();
    cloud.deny(Principal::Both, "sagemaker:UpdateModelPackage", "*");
    let run = promote(&cloud, &[]);
    let failed = document(&run);
    assert_eq!((run.code, &failed["outcome"], &failed["verb"]), (1, &json!("failed"), &json!("full")));
    let error = &failed["error"];
    assert_eq!(
        (&error["kind"], &error["side"], &error["call"], &error["resource"], &error["code"]),
        (
            &json!("denied"),
            &json!("target"),
            &json!("sagemaker:UpdateModelPackage"),
            &json!(VERSION),
            &json!("AccessDeniedException")
        )
    );
    let message = error["message"].as_str().expect("a message");
    assert!(run.stderr.contains(&format!("error: {message}\n")), "{}", run.stderr);
    let hint = error["hints"][0].as_str().expect("a hint");
    assert!(run.stderr.contains(&format!("hint: {hint}\n")), "{}", run.stderr);
    assert_eq!(failed["source_model_package_arn"], SOURCE_VERSION);
    let done = json!({
        "folder": format!("s3://{SERVING}/{FOLDER}"), "objects_copied": 4, "images_copied": 2, "bytes_copied": 335,
        "model_package_arn": VERSION, "approval_status": "PendingManualApproval",
    });
    assert_eq!(failed["done"], done);
}

#[test]
fn a_failed_run_replaces_the_document_of_the_previous_run_in_the_file_of_record() {
    for form in ["text", "json"] {
        let cloud = with_package();
        let file = cloud.home().join("record.json");
        let path = file.to_str().expect("a path");
        promote(&cloud, &["--record", path]).document();
        cloud.register(package());
        cloud.fail(Moment::every("CreateModelPackage"), Failure::Status(400, "ResourceLimitExceeded", "too many"));
        let arguments = [&full()[..], &["--record".into(), path.into(), "--output".into(), form.into()]].concat();
        let run = run(&cloud, Principal::Both, &arguments);
        assert_eq!(run.code, 1);
        let text = std::fs::read_to_string(&file).expect("the record");
        let failed: Value = serde_json::from_str(&text).expect("JSON");
        let source = SOURCE_VERSION.replace("/1", "/2");
        assert_eq!((&failed["outcome"], &failed["source_model_package_arn"]), (&json!("failed"), &json!(source)));
        assert_eq!(run.stdout, if form == "json" { text } else { String::new() });
    }
}

#[test]
fn every_verb_that_prints_a_document_prints_one_when_it_fails() {
    let cloud = with_package();
    for operation in ["DescribeModelPackage", "ListModelPackages"] {
        cloud.fail(Moment::every(operation), Failure::Status(403, "AccessDenied", "no"));
    }
    let cut = cloud.home().join("plan.json");
    std::fs::write(&cut, "{").expect("a file");
    let cut = cut.to_str().expect("a path");
    let verbs: [&[&str]; 12] = [
        &["find-latest", "--group", GROUP],
        &["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING],
        &["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING],
        &["full", "--group", GROUP, "--target-bucket", SERVING],
        &["verify", "--model-package", VERSION],
        &["status", "--group", "Unheard-Of"],
        &["withdraw", "--group", GROUP, "--target-bucket", SERVING],
        &["rollback", "--target-group", "Unheard-Of", "--target-bucket", SERVING, "--reason", "r"],
        &["hold", "--target-group", "Unheard-Of", "--target-bucket", SERVING, "--reason", "r"],
        &["release", "--target-group", "Unheard-Of", "--target-bucket", SERVING],
        &["plan", "--file", cut],
        &["apply", "--file", cut],
    ];
    for verb in verbs {
        let mut command = cloud.promote(Principal::Source);
        let run = Run::of(command.args(verb).args(["--output", "json"]).output().expect("the binary starts"));
        let failed = document(&run);
        // A file that cannot be parsed is a wrong argument.
        let code = if ["plan", "apply"].contains(&verb[0]) { 2 } else { 1 };
        assert_eq!((run.code, &failed["verb"], &failed["outcome"]), (code, &json!(verb[0]), &json!("failed")));
        assert!(failed["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

#[test]
fn a_file_of_record_that_cannot_be_written_is_told_in_a_document() {
    let cloud = with_package();
    let run = promote(&cloud, &["--record", "/no/such/folder/record.json"]);
    let failed = document(&run);
    assert_eq!((run.code, &failed["outcome"], &failed["verb"]), (1, &json!("failed"), &json!("full")));
    assert!(failed["error"]["message"].as_str().is_some_and(|text| text.contains("cannot be written")), "{failed}");
    assert_eq!(failed["error"]["hints"], json!(["Pass another file"]));
    assert!(cloud.calls().is_empty(), "nothing was called");
}

#[test]
fn a_refusal_of_promote_itself_is_a_kind_of_its_own() {
    let cloud = with_package();
    let failed = document(&promote(&cloud, &["--no-create-group"]));
    assert_eq!((&failed["error"]["kind"], &failed["error"]["call"]), (&json!("refused"), &Value::Null));
    assert_eq!(failed["done"], json!({"objects_copied": 0, "images_copied": 0, "bytes_copied": 0}));
}

#[test]
fn the_next_step_in_a_pipe_tells_the_error_of_the_failed_step() {
    let cloud = world();
    let found = run(&cloud, Principal::Both, &["find-latest", "--group", &Cloud::group_arn(GROUP), "--output", "json"]);
    assert_eq!(document(&found)["outcome"], "failed");
    let mut command = cloud.promote(Principal::Both);
    command.args(["copy-artifacts", "--from", "-", "--target-bucket", SERVING]).write_stdin(found.stdout);
    let copied = Run::of(command.output().expect("the binary starts"));
    copied.fails(1, &["promote copy-artifacts has nothing to do: the previous step has failed: ", "does not exist"]);
}

#[test]
fn a_run_whose_document_is_printed_already_prints_no_second_one() {
    let cloud = with_package();
    let run = promote(&cloud, &["--record", "/dev/full"]);
    assert_eq!((run.code, &document(&run)["outcome"]), (1, &json!("promoted")));
}

#[test]
fn a_wait_for_sagemaker_is_told_with_the_version_its_status_and_the_seconds() {
    let cloud = with_package();
    cloud.describes_until_completed(1000);
    let run = promote(&cloud, &["--wait-seconds", "3"]);
    run.fails(
        1,
        &["is still InProgress after 3 s", "hint: Run again to complete it, with a larger `--wait-seconds` if need be"],
    );
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("waiting for SageMaker")).collect();
    let [line] = lines[..] else { panic!("one line in 10 s: {}", run.stderr) };
    let says = format!("waiting for SageMaker to complete {VERSION}, which is InProgress (");
    assert!(line.starts_with(&says) && line.ends_with(" s)"), "{line}");
}
