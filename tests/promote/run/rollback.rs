//! `promote rollback`, `promote hold` and `promote release`: what was rolled back is not Approved again before the release.

mod approvals;
mod beyond_versions;
mod everywhere;
mod held;
mod history;
mod interrupted;
mod meanwhile;
mod orders;
mod places;
pub(in crate::run) use places::moved;
mod races;

use serde_json::{Value, json};

use crate::run::faults::AT_ONCE;
use crate::support::{Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};
use crate::world::*;

const TARGET_VERSION: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/";

/// Versions 1, 2 and 3 of the source, promoted in their order.
pub(super) fn three() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    for _ in 0..2 {
        cloud.register(model("s3://models/churn/model.tar.gz"));
        promote(&cloud, &[]).document();
    }
    cloud
}

fn rollback_as<'a>(verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[verb, "--target-group", GROUP, "--output", "json"], more].concat()
}

fn rollback(cloud: &Cloud, more: &[&str]) -> Run {
    let flags = ["--reason", "Latency alarm", "--settle-seconds", "0"];
    run(cloud, Principal::Both, &rollback_as("rollback", &[&flags[..], more].concat()))
}

fn release(cloud: &Cloud) -> Run {
    run(cloud, Principal::Both, &rollback_as("release", &[]))
}

fn hold(cloud: &Cloud) -> Run {
    run(cloud, Principal::Both, &rollback_as("hold", &["--reason", "Audit"]))
}

/// The approval statuses of the target's versions.
fn statuses(cloud: &Cloud) -> Vec<String> {
    let text = |version: &Value| version["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned();
    promoted(cloud).iter().map(text).collect()
}

#[test]
fn the_newest_version_is_rejected_with_the_reason_and_the_one_before_is_the_newest_approved_one() {
    let cloud = three();
    let document = rollback(&cloud, &[]).document();
    assert_eq!(document["outcome"], "rolled-back");
    assert_eq!(document["to"], format!("{TARGET_VERSION}2"));
    assert_eq!(document["rejected"][0]["model_package_arn"], format!("{TARGET_VERSION}3"));
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
    let description = promoted(&cloud)[2]["ApprovalDescription"].as_str().unwrap_or_default().to_owned();
    let expected = format!("promote: rolled back to version 2 by {}: Latency alarm", Principal::Both.arn());
    assert_eq!(description, expected);
    for version in 1..=3 {
        let arn = format!("{TARGET_VERSION}{version}");
        assert_eq!(run(&cloud, Principal::Both, &["verify", "--model-package", &arn]).code, 0, "version {version}");
    }
}

#[test]
fn a_held_group_gets_nothing_and_every_run_says_who_holds_it_and_why() {
    let cloud = three();
    rollback(&cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let before = (cloud.keys(SERVING), promoted(&cloud));
    for _ in 0..2 {
        let run = promote(&cloud, &[]);
        let document = run.document();
        assert_eq!(document["outcome"], "held", "{document:#}");
        assert_eq!(document["hold"]["reason"], "Latency alarm");
        assert_eq!(document["planned"][0]["act"], "register", "it says what it would do: {}", document["planned"]);
        for says in ["is held since", &Principal::Both.arn(), "Latency alarm", "promote release"] {
            assert!(run.stderr.contains(says), "no '{says}' in {}", run.stderr);
        }
        assert_eq!((cloud.keys(SERVING), promoted(&cloud)), before);
    }
    assert_eq!(release(&cloud).document()["outcome"], "released");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected", "Approved"]);
}

#[test]
fn what_was_rolled_back_stays_rejected_after_the_release() {
    let cloud = three();
    rollback(&cloud, &[]).document();
    release(&cloud).document();
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
}

#[test]
fn a_version_that_cannot_be_served_is_passed_over_and_named() {
    let cloud = three();
    let second = FOLDER.replace("-v1/", "-v2/");
    let key = format!("{second}models/churn/model.tar.gz");
    cloud.put(SERVING, &key, "others");
    let document = rollback(&cloud, &[]).document();
    assert_eq!(document["to"], format!("{TARGET_VERSION}1"));
    let warning = document["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("/2 cannot be served") && warning.contains("model.tar.gz"), "{warning}");
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Rejected"]);
}

#[test]
fn a_version_whose_image_is_gone_is_passed_over_and_named() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    for tag in ["2", "3"] {
        cloud.push(SOURCE_ACCOUNT, "serve", tag, &TestImage::small(tag));
        let mut package = model("s3://models/churn/model.tar.gz");
        let image = format!("444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:{tag}");
        package["InferenceSpecification"]["Containers"][0]["Image"] = json!(image);
        cloud.register(package);
        promote(&cloud, &[]).document();
    }
    let second = promoted(&cloud)[1]["InferenceSpecification"]["Containers"][0]["Image"].clone();
    let digest = second.as_str().and_then(|image| image.split_once('@')).expect("an image by its digest").1.to_owned();
    cloud.remove_image(TARGET_ACCOUNT, "serve", &digest);
    let again = "`promote full --images copy --package-version 2` copies it again";
    rollback(&cloud, &["--to", "2"]).fails(1, &["/2 cannot be served", "the image does not exist", again]);
    let document = rollback(&cloud, &[]).document();
    assert_eq!(document["to"], format!("{TARGET_VERSION}1"));
    let warning = document["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("/2 cannot be served") && warning.contains("the image does not exist"), "{warning}");
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Rejected"]);
}

#[test]
fn a_version_that_is_named_has_to_be_one_that_can_be_served() {
    let cloud = three();
    cloud.change(&format!("{TARGET_VERSION}1"), json!({"ModelApprovalStatus": "Rejected"}));
    let before = writes(&cloud);
    rollback(&cloud, &["--to", "1"]).fails(1, &["/1 cannot be served", "Rejected", "--to"]);
    rollback(&cloud, &["--to", "7"]).fails(1, &["has no promoted version 7", "promote status"]);
    cloud.change(&format!("{TARGET_VERSION}2"), json!({"ModelApprovalStatus": "Rejected"}));
    rollback(&cloud, &[]).fails(1, &["no promoted version that is older than", "promote hold"]);
    assert_eq!(writes(&cloud), before);
}

#[test]
fn a_second_rollback_goes_where_the_first_went() {
    let cloud = three();
    rollback(&cloud, &[]).document();
    let again = rollback(&cloud, &[]).document();
    assert_eq!(again["to"], format!("{TARGET_VERSION}2"));
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
    let further = rollback(&cloud, &["--to", "1"]).document();
    assert_eq!(further["hold"]["number"], 2);
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Rejected"]);
    release(&cloud).document();
    assert_eq!(release(&cloud).document()["outcome"], "not-held");
}

#[test]
fn another_rollback_has_to_say_where_it_goes() {
    let cloud = three();
    rollback(&cloud, &[]).document();
    let flags = ["--reason", "Version 2 is wrong too", "--settle-seconds", "0"];
    let second = rollback_as("rollback", &flags);
    run(&cloud, Principal::Both, &second)
        .fails(1, &["/3 is newer than the current version", "Rejected already", "--to"]);
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
    let further = [&second[..], &["--to", "1"]].concat();
    let document = run(&cloud, Principal::Both, &further).document();
    assert_eq!(document["hold"]["reason"], "Version 2 is wrong too");
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Rejected"]);
}

#[test]
fn the_good_version_is_not_rejected_because_the_wrong_one_was_rejected_before() {
    let cloud = three();
    cloud.change(&format!("{TARGET_VERSION}3"), json!({"ModelApprovalStatus": "Rejected"}));
    let before = writes(&cloud);
    rollback(&cloud, &[]).fails(1, &["/3 is newer than the current version", "--to"]);
    assert_eq!(writes(&cloud), before);
    assert_eq!(rollback(&cloud, &["--to", "2"]).document()["outcome"], "rolled-back");
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
}

#[test]
fn a_newer_version_by_others_is_named_and_nothing_is_rejected_until_a_version_is_named() {
    let cloud = three();
    cloud.register_in(TARGET_ACCOUNT, json!({"ModelPackageGroupName": GROUP, "ModelApprovalStatus": "Approved"}));
    let before = writes(&cloud);
    let live = format!("the live version is {TARGET_VERSION}4, which others have registered");
    for more in [&[][..], &["--dry-run"]] {
        rollback(&cloud, more).fails(1, &[&live, "Reject the live version", "--to"]);
    }
    assert_eq!(writes(&cloud), before);
    let run = rollback(&cloud, &["--to", "2"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let again = rollback(&cloud, &["--to", "2"]);
    let warning = format!("warning: {TARGET_VERSION}4, registered by others, stays Approved");
    assert!(again.code == 3 && again.stderr.contains(&warning), "{} {}", again.code, again.stderr);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!(document["outcome"], "incomplete");
    assert_eq!(document["approved_by_others"], json!([format!("{TARGET_VERSION}4")]));
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected", "Approved"]);
}

#[test]
fn a_version_that_cannot_be_rejected_at_first_is_rejected_at_the_second_look() {
    let cloud = three();
    cloud.fail(Moment::on("UpdateModelPackage", 1), Failure::Status(500, "InternalFailure", "Try again"));
    assert_eq!(rollback(&cloud, &[]).document()["outcome"], "rolled-back");
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
}

#[test]
fn a_hold_where_no_version_was_promoted_to_is_warned_of_and_is_where_they_were_too() {
    let cloud = three();
    let flags = rollback_as("hold", &["--reason", "Audit", "--target-bucket", SERVING, "--target-prefix", "models/"]);
    let document = run(&cloud, Principal::Both, &flags).document();
    let warnings: Vec<&str> = document["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(
        warnings[0].contains("no version of the group was promoted to s3://serving/models/churn-model/"),
        "{warnings:?}"
    );
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    cloud.register(model("s3://models/churn/model.tar.gz"));
    for more in [&[][..], &["--target-prefix", "models/"]] {
        assert_eq!(promote(&cloud, more).document()["outcome"], "held", "{more:?}");
    }
}

#[test]
fn a_withdrawal_does_not_wait_for_the_release() {
    let cloud = three();
    assert_eq!(hold(&cloud).document()["outcome"], "held");
    assert_eq!(hold(&cloud).document()["outcome"], "already-held");
    let second = SOURCE_VERSION.replace("/1", "/2");
    cloud.change(&second, json!({"ModelApprovalStatus": "Rejected"}));
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "held");
    assert_eq!(document["withdrawn"][0]["version"], 2, "{document:#}");
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
}

#[test]
fn a_version_whose_artifacts_were_copied_is_not_registered_in_a_held_group() {
    let cloud = with_package();
    let bucket = ["--target-bucket", SERVING];
    let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--output", "json"];
    let copied = run(&cloud, Principal::Both, &[&copy[..], &bucket].concat());
    let step = cloud.home().join("copied.json");
    std::fs::write(&step, &copied.stdout).expect("a file");
    let flags = rollback_as("hold", &["--reason", "Audit", "--target-bucket", SERVING]);
    run(&cloud, Principal::Both, &flags).document();
    let from = step.to_string_lossy().into_owned();
    let registered = run(&cloud, Principal::Both, &["register", "--from", &from, "--output", "json"]);
    assert_eq!(registered.document()["outcome"], "held");
    assert!(promoted(&cloud).is_empty());
}

#[test]
fn a_run_whose_group_is_held_while_it_copies_registers_nothing_and_is_no_failure() {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud.hook(Moment::on("CopyObject", 1), |cloud| drop(hold(cloud)));
    let run = promote(&cloud, &[]);
    let document = run.document();
    assert_eq!((&document["outcome"], &document["hold"]["reason"]), (&json!("held"), &json!("Audit")), "{document:#}");
    assert_eq!(document["planned"][0]["act"], "register");
    assert!(run.stderr.contains("is held since"), "{}", run.stderr);
    assert_eq!(statuses(&cloud), ["Approved"; 3], "nothing is registered");
    let claims =
        |end: &str| cloud.keys(SERVING).iter().filter(|key| key.contains("-v4/_claims/") && key.ends_with(end)).count();
    assert_eq!((claims("0.json"), claims("0.released.json")), (1, 1), "the next run waits for no claim");
    release(&cloud).document();
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
    assert_eq!(statuses(&cloud), ["Approved"; 4]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let cloud = three();
    let before = writes(&cloud);
    assert_eq!(rollback(&cloud, &["--dry-run"]).document()["outcome"], "planned");
    let flags = rollback_as("hold", &["--reason", "Audit", "--dry-run"]);
    assert_eq!(run(&cloud, Principal::Both, &flags).document()["outcome"], "planned");
    for verb in [&["hold"][..], &["rollback", "--settle-seconds", "0"]] {
        let flags = [verb, &["--target-group", GROUP, "--reason", "Audit", "--dry-run"]].concat();
        let told = run(&cloud, Principal::Both, &flags).stdout;
        assert!(told.contains("\nWould hold ") && !told.contains("\nHeld "), "{told}");
    }
    assert_eq!(writes(&cloud), before);
}

#[test]
fn a_hold_that_cannot_be_read_is_a_hold() {
    let cloud = three();
    cloud.put(SERVING, "churn-model/_hold-1-held/hold.json", "not JSON");
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "held");
    assert_eq!(document["hold"]["number"], 1);
    rollback(&cloud, &[]).fails(1, &["the document of the hold cannot be read", "--to"]);
}

#[test]
fn a_reason_is_asked_for() {
    let cloud = three();
    let flags = rollback_as("hold", &["--reason", " "]);
    run(&cloud, Principal::Both, &flags).fails(2, &["`--reason` is empty"]);
    let flags = rollback_as("rollback", &[]);
    run(&cloud, Principal::Both, &flags).fails(2, &["--reason"]);
}
