//! What goes where: one document on standard output, everything else on standard error, and nothing written in a dry
//! run.

use serde_json::{Value, json};

use crate::snapshot::{assert_snapshot, shown};
use crate::support::{Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

/// A verb with everything that it needs.
type Verb = Vec<String>;

#[test]
fn json_is_exactly_one_document_on_standard_output() {
    let cloud = with_package();
    for verb in verbs() {
        let run = run(&cloud, Principal::Both, &[verb.clone(), vec!["--output".into(), "json".into()]].concat());
        assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{verb:?}");
        let mut documents = serde_json::Deserializer::from_str(&run.stdout).into_iter::<Value>();
        let document = documents.next().expect("a document").expect("JSON");
        assert!(documents.next().is_none(), "one document only");
        assert!(run.stdout.ends_with("}\n"));
        assert_eq!(document["schema"], 2);
        assert_eq!(document["source"]["model_package_arn"], SOURCE_VERSION);
    }
}

#[test]
fn the_copied_objects_are_reported_on_standard_error() {
    let run = promote(&with_package(), &[]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let [objects, images, ended] = lines[..] else { panic!("three lines: {}", run.stderr) };
    assert_eq!(objects, format!("copying 4 objects, 25 B, to s3://{SERVING}/{FOLDER}"));
    assert_eq!(images, "copying 2 images, 310 B");
    let streamed = "/s, by S3, 310 B of them streamed)";
    assert!(ended.starts_with("copied 4 objects and 2 images, 335 B, in ") && ended.ends_with(streamed), "{ended}");
}

#[test]
fn the_end_of_a_copy_between_two_principals_says_that_it_was_streamed() {
    let run = promote(&with_package(), &[&TWO_PRINCIPALS[..], &["--images", "keep"]].concat());
    assert!(
        run.stderr.lines().any(|line| line.starts_with("copied 4 objects, 25 B") && line.ends_with("/s, streamed)"))
    );
}

#[test]
fn quiet_prints_no_progress_and_verbose_each_step() {
    let quiet = promote(&with_package(), &["-q"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
    let run = promote(&with_package(), &["--verbose"]);
    let version = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
    let (found, registered) = (format!("found {SOURCE_VERSION}"), format!("registered {version}"));
    let complete = format!("{version} is complete and Approved");
    let told = [
        "listed the artifacts in ",
        &found,
        "copying 4 objects",
        "copied 4 objects and 2 images",
        &registered,
        &complete,
    ];
    for step in told {
        assert!(run.stderr.lines().any(|line| line.starts_with(step)), "no '{step}' in: {}", run.stderr);
    }
    let failed = promote(&with_package(), &["-q", "--no-create-group"]);
    failed.fails(1, &["error: ", "hint: "]);
}

#[test]
fn the_document_of_full_has_what_scripts_read() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["source"]["version"], 1);
    assert_eq!(document["source"]["account"], SOURCE_ACCOUNT);
    assert_eq!(document["target"]["version"], 1);
    let arn = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
    assert_eq!(document["target"]["model_package_arn"], arn);
    assert!(document["duration_ms"].is_u64());
    let copy = &document["copy"];
    assert_eq!((&copy["objects"], &copy["images"], &copy["transfer"]), (&json!(4), &json!(2), &json!("mixed")));
    assert!(copy["duration_ms"].is_u64() && copy["bytes_per_second"].is_u64(), "{copy}");
    let started = document["started"].as_str().expect("a time");
    assert!(started.ends_with('Z') && started.starts_with("20") && started.contains('T'), "{started}");
    assert_eq!(document["tool"]["name"], "promote");
    let weights = artifact(&document, "s3://models/churn/model.tar.gz");
    assert_eq!(weights["target"], format!("s3://{SERVING}/{FOLDER}models/churn/model.tar.gz"));
    assert_eq!(
        (&weights["bytes"], &weights["result"], &weights["verified"]),
        (&json!(7), &json!("copied"), &json!("etag"))
    );
    assert_eq!(weights["fields"], json!(["InferenceSpecification.Containers[0].ModelDataUrl"]));
    assert_eq!(document["images"][0]["result"], "copied");
}

#[test]
fn the_record_beside_the_artifacts_is_the_document() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    let record = cloud.object(SERVING, &format!("{FOLDER}promotion.json")).expect("a record");
    assert_eq!(record.header("content-type"), Some("application/json"));
    let mut record: Value = serde_json::from_slice(&record.body.bytes()).expect("JSON");
    // The record cannot tell how long it takes to write it.
    record["duration_ms"] = document["duration_ms"].clone();
    assert_eq!(record, document);
}

#[test]
fn record_writes_the_document_to_a_file_whatever_the_form() {
    for form in ["json", "text"] {
        let cloud = with_package();
        for verb in verbs() {
            let file = cloud.home().join("record.json");
            let path = file.to_str().expect("a path").to_owned();
            let more = ["--output".into(), form.into(), "--record".into(), path].to_vec();
            let run = run(&cloud, Principal::Both, &[verb.clone(), more].concat());
            assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{verb:?}");
            let text = std::fs::read_to_string(&file).expect("the record");
            let record: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(record["source"]["model_package_arn"], SOURCE_VERSION);
            assert_eq!(text == run.stdout, form == "json");
            std::fs::remove_file(file).expect("the record was written");
        }
    }
}

#[test]
fn a_record_that_cannot_be_written_fails_the_run_before_anything_is_promoted() {
    let cloud = with_package();
    let run = promote(&cloud, &["--record", "/no/such/folder/record.json"]);
    run.fails(1, &["/no/such/folder/record.json"]);
    assert_eq!(writes(&cloud), Vec::<String>::new(), "a wrong path should not cost a promotion its document");
}

#[test]
fn text_is_for_people() {
    let cloud = with_package();
    let mut text = String::new();
    for verb in verbs() {
        let arguments: Vec<&str> = verb.iter().map(String::as_str).collect();
        let run = run(&cloud, Principal::Both, &arguments);
        assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{verb:?}");
        text.push_str(&shown(&cloud, &arguments, &run));
        text.push('\n');
    }
    assert_snapshot("text", &text);
}

#[test]
fn text_of_a_dry_run_says_that_nothing_was_written() {
    let cloud = with_package();
    let arguments = [full(), vec!["--dry-run".into()]].concat();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = run(&cloud, Principal::Both, &arguments);
    assert_eq!((run.code, run.remarks().as_str()), (0, ""));
    assert_snapshot("text-of-a-dry-run", &shown(&cloud, &arguments, &run));
}

#[test]
fn without_a_terminal_there_are_no_escape_sequences_whatever_the_environment_says() {
    let cloud = with_package();
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor")] {
        for arguments in [full(), vec!["full".into(), "--help".into()], vec!["full".into(), "--wrong".into()]] {
            let mut command = cloud.promote(Principal::Both);
            let run = Run::of(command.args(&arguments).env(name, value).output().expect("the binary starts"));
            assert!(!(run.stdout + &run.stderr).contains('\u{1b}'), "{name}={value} {arguments:?}");
        }
    }
}

#[test]
fn a_dry_run_of_every_verb_writes_nothing() {
    for verb in verbs() {
        let cloud = with_package();
        // What register needs is there already; it may not become more.
        let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
        if verb[0] == "register" {
            assert_eq!(run(&cloud, Principal::Both, &copy).code, 0);
        }
        let before = (cloud.keys(SERVING), writes(&cloud).len());
        let more = ["--dry-run".into(), "--output".into(), "json".into()].to_vec();
        let document = run(&cloud, Principal::Both, &[verb.clone(), more].concat()).document();
        assert_eq!(document["outcome"], if verb[0] == "find-latest" { "found" } else { "planned" });
        assert_eq!((cloud.keys(SERVING), writes(&cloud).len()), before, "{verb:?}: {:?}", writes(&cloud));
        assert!(cloud.groups(crate::support::TARGET_ACCOUNT).is_empty());
    }
}

#[test]
fn a_dry_run_needs_no_permission_to_write() {
    let cloud = with_package();
    for action in ["s3:PutObject", "sagemaker:Create*", "sagemaker:Update*", "sagemaker:Delete*"] {
        cloud.deny(Principal::Both, action, "*");
    }
    assert_eq!(promote(&cloud, &["--dry-run"]).document()["outcome"], "planned");
}

#[test]
fn a_dry_run_prints_the_document_of_the_run_that_follows() {
    let cloud = with_package();
    let plan = promote(&cloud, &["--dry-run"]).document();
    let done = promote(&cloud, &[]).document();
    for member in ["schema", "not_carried", "warnings", "request"] {
        assert_eq!(plan[member], done[member], "{member}");
    }
    assert_eq!(plan["source"], done["source"]);
    assert_eq!(plan["target"]["folder"], done["target"]["folder"]);
    let planned = |document: &Value| -> Vec<Value> {
        let artifacts = document["artifacts"].as_array().cloned().unwrap_or_default();
        let facts = ["source", "target", "bytes", "fields", "etag"];
        artifacts.iter().map(|one| facts.iter().map(|fact| one[*fact].clone()).collect()).collect()
    };
    assert_eq!(planned(&plan), planned(&done));
    assert_eq!(planned(&plan).len(), 4);
    assert!(plan["artifacts"].as_array().into_iter().flatten().all(|one| one["result"] == "planned"));
}

#[test]
fn a_dry_run_after_the_run_says_that_it_is_promoted_already() {
    let cloud = with_package();
    let done = promote(&cloud, &[]).document();
    let again = promote(&cloud, &["--dry-run"]).document();
    assert_eq!(again["outcome"], "already-promoted");
    assert_eq!(again["target"]["model_package_arn"], done["target"]["model_package_arn"]);
}

#[test]
fn step_by_step_ends_like_full() {
    let (steps, whole) = (with_package(), with_package());
    let found = piped(&steps, &["find-latest", "--group", &Cloud::group_arn(GROUP)], "");
    let copied = piped(&steps, &["copy-artifacts", "--from", "-", "--target-bucket", SERVING], &found);
    let registered: Value = serde_json::from_str(&piped(&steps, &["register", "--from", "-"], &copied)).expect("JSON");
    let document = promote(&whole, &[]).document();
    assert_eq!(registered["outcome"], "promoted");
    for member in ["request", "not_carried", "warnings"] {
        assert_eq!(registered[member], document[member], "{member}");
    }
    let target = |document: &Value| {
        let mut target = document["target"].clone();
        target["created"] = Value::Null;
        target
    };
    assert_eq!(target(&registered), target(&document));
    assert_eq!(steps.keys(SERVING), whole.keys(SERVING));
    let members = |cloud: &Cloud| {
        let mut package = promoted(cloud).remove(0);
        let times = ["CreationTime", "LastModifiedTime"];
        package.as_object_mut().expect("a package").retain(|name, _| !times.contains(&name.as_str()));
        package
    };
    assert_eq!(members(&steps), members(&whole));
    assert_eq!(promote(&steps, &[]).document()["outcome"], "already-promoted", "full knows what the steps did");
}

/// Each verb, in an order in which each finds what it needs.
fn verbs() -> Vec<Verb> {
    let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    let register = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    let find = ["find-latest".to_owned(), "--group".to_owned(), Cloud::group_arn(GROUP)];
    vec![find.to_vec(), copy.map(str::to_owned).to_vec(), register.map(str::to_owned).to_vec(), full()]
}

/// The document of a step that reads another's from standard input.
fn piped(cloud: &Cloud, arguments: &[&str], document: &str) -> String {
    let mut command = cloud.promote(Principal::Both);
    command.args(arguments).args(["--output", "json"]).write_stdin(document);
    let run = Run::of(command.output().expect("the binary starts"));
    assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{arguments:?}");
    run.stdout
}

#[test]
fn values_of_variables_and_metadata_with_names_of_secrets_are_printed_nowhere() {
    let cloud = with_package();
    let secret = |value: &str| {
        let mut package = package();
        package["CustomerMetadataProperties"]["registry_token"] = json!(format!("{value}-of-metadata"));
        package["InferenceSpecification"]["Containers"][0]["Environment"]["HF_TOKEN"] =
            json!(format!("{value}-of-variable"));
        package
    };
    cloud.change(SOURCE_VERSION, secret("first"));
    let text = |arguments: &[&str]| {
        let run = run(&cloud, Principal::Both, arguments);
        let said = format!("{} {}", run.told(), run.stderr);
        assert!(!said.contains("-of-metadata") && !said.contains("-of-variable"), "{said}");
        said
    };
    let arn = Cloud::group_arn(GROUP);
    let full = ["full", "--group", &arn, "--target-bucket", SERVING];
    text(&full);
    cloud.change(SOURCE_VERSION, secret("second"));
    let said = text(&full);
    assert!(said.contains("CustomerMetadataProperties{registry_token} updated: \"(masked)\" → \"(masked)\""), "{said}");
    assert!(said.contains("Environment{HF_TOKEN} cannot be updated: \"(masked)\" → \"(masked)\""), "{said}");
    let promoted = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    cloud.change(&promoted, json!({"InferenceSpecification": secret("third")["InferenceSpecification"]}));
    let said = text(&["verify", "--model-package", &promoted, "--output", "json"]);
    assert!(said.contains("(masked)"), "{said}");
}
