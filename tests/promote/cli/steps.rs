//! Steps in a pipe: each reads what the step before has printed, or says why it cannot.

use serde_json::{Value, json};

use crate::support::{Cloud, Principal};
use crate::world::*;

const COPY: [&str; 5] = ["copy-artifacts", "--from", "-", "--target-bucket", SERVING];
const REGISTER: [&str; 5] = ["register", "--from", "-", "--target-bucket", SERVING];

/// Runs a verb with a text on standard input.
fn piped(cloud: &Cloud, arguments: &[&str], text: &str) -> Run {
    let mut command = cloud.promote(Principal::Both);
    Run::of(command.args(arguments).args(["--output", "json"]).write_stdin(text).output().expect("the binary starts"))
}

#[test]
fn a_piped_dry_run_plans_every_step_and_writes_nothing() {
    let cloud = with_package();
    let found = piped(&cloud, &["find-latest", "--group", &Cloud::group_arn(GROUP)], "");
    let copied = piped(&cloud, &[&COPY[..], &["--dry-run"]].concat(), &found.stdout);
    let planned = piped(&cloud, &["register", "--from", "-", "--dry-run"], &copied.stdout).document();
    assert_eq!(planned["outcome"], "planned");
    let acts: Vec<&str> =
        planned["planned"].as_array().into_iter().flatten().filter_map(|one| one["act"].as_str()).collect();
    let images = ["create-repository", "copy-image", "tag-image"];
    assert_eq!(acts, [&["create-group", "copy"], &images[..], &images, &["register", "approve"]].concat());
    assert_eq!(planned["request"], promote(&cloud, &["--dry-run"]).document()["request"]);
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn artifacts_of_a_dry_run_are_not_registered() {
    let cloud = with_package();
    let found = piped(&cloud, &["find-latest", "--group", &Cloud::group_arn(GROUP)], "");
    let copied = piped(&cloud, &[&COPY[..], &["--dry-run"]].concat(), &found.stdout);
    piped(&cloud, &REGISTER, &copied.stdout).fails(1, &["4 artifacts are not at the target"]);
    assert!(cloud.calls_of("CreateModelPackage").is_empty());
}

#[test]
fn a_verb_that_reads_nothing_says_that_the_previous_step_probably_failed() {
    for (verb, arguments) in [("copy-artifacts", COPY), ("register", REGISTER)] {
        let says = [
            &format!("error: promote {verb} has nothing to read: standard input is empty")[..],
            "the previous step probably failed",
            "hint: See the error of the previous step",
            "set -o pipefail",
        ];
        piped(&world(), &arguments, "").fails(1, &says);
    }
}

#[test]
fn a_verb_that_reads_the_text_form_names_the_flag_of_the_previous_step() {
    let cloud = with_package();
    let text = run(&cloud, Principal::Both, &["find-latest", "--group", &Cloud::group_arn(GROUP)]).stdout;
    piped(&cloud, &COPY, &text).fails(1, &["it is the text form", "hint: Add `--output json` to the previous step"]);
}

#[test]
fn full_exits_4_where_nothing_is_approved_if_it_is_asked_to() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    assert_eq!(promote(&cloud, &[]).code, 0);
    let run = promote(&cloud, &["--fail-if-nothing-approved"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("one document");
    assert_eq!((run.code, &document["outcome"]), (4, &json!("nothing-approved")));
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    assert_eq!(promote(&cloud, &["--fail-if-nothing-approved"]).document()["outcome"], "promoted");
}
