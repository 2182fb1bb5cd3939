//! Runs whose group is held while they are under way.

use super::*;

const SECOND: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/2";

#[test]
fn what_a_run_withdrew_before_its_group_was_held_is_in_its_document() {
    let cloud = three();
    cloud.change(SECOND, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let approved = cloud.calls_of("UpdateModelPackage").len();
    cloud.hook(Moment::on("CopyObject", 1), move |cloud| {
        assert!(cloud.succeeds("UpdateModelPackage", approved + 1), "version 2 is withdrawn");
        hold(cloud);
    });
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "held", "{document:#}");
    let withdrawn: Vec<&Value> = document["withdrawn"].as_array().into_iter().flatten().collect();
    assert_eq!(withdrawn.len(), 1, "{document:#}");
    assert_eq!(withdrawn[0]["model_package_arn"], format!("{TARGET_VERSION}2"));
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
}

#[test]
fn an_approval_of_another_version_that_a_hold_stops_is_a_warning_and_no_failure() {
    let cloud = three();
    cloud.change(SECOND, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
    cloud.change(SECOND, json!({"ModelApprovalStatus": "Approved"}));
    cloud.hook(Moment::on("DescribeModelPackage", 1).at(SECOND), |cloud| drop(hold(cloud)));
    let run = promote(&cloud, &[]);
    let document = run.document();
    assert_eq!(document["hold"]["reason"], "Audit", "{document:#}");
    let warnings: Vec<&str> =
        document["warnings"].as_array().into_iter().flatten().filter_map(|one| one["remark"].as_str()).collect();
    assert!(warnings.iter().any(|remark| remark.contains("is held since")), "{warnings:?}");
    let followed = &document["followed"][0];
    assert_eq!((&followed["version"], &followed["result"]), (&json!(2), &json!("held")), "{document:#}");
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
    release(&cloud).document();
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved"; 3]);
}

#[test]
fn register_of_a_version_whose_group_is_held_meanwhile_ends_as_held_and_is_no_failure() {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let fourth = SOURCE_VERSION.replace("/1", "/4");
    let copy = ["copy-artifacts", "--model-package", &fourth, "--target-bucket", SERVING, "--output", "json"];
    let copied = run(&cloud, Principal::Both, &copy);
    let step = cloud.home().join("copied.json");
    std::fs::write(&step, &copied.stdout).expect("a file");
    cloud.hook(Moment::on("CreateModelPackage", 1), |cloud| drop(hold(cloud)));
    let from = step.to_string_lossy().into_owned();
    let registers = ["register", "--from", &from, "--output", "json"];
    let run_held = run(&cloud, Principal::Both, &registers);
    let document = run_held.document();
    assert_eq!((&document["outcome"], &document["hold"]["reason"]), (&json!("held"), &json!("Audit")), "{document:#}");
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Approved", "PendingManualApproval"]);
    release(&cloud).document();
    run(&cloud, Principal::Both, &registers).document();
    assert_eq!(statuses(&cloud), ["Approved"; 4]);
}

#[test]
fn the_first_line_of_a_run_into_a_held_group_says_what_was_withdrawn_and_speaks_of_no_dry_run() {
    let cloud = three();
    hold(&cloud).document();
    cloud.change(SECOND, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let run = run(&cloud, Principal::Both, &full());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let expected =
        "withdrew 1 version, because the source is Rejected; held: nothing was promoted into the target group";
    assert!(run.told().starts_with(&format!("Outcome {expected} ")), "{}", run.stdout);
}

#[test]
fn a_rollback_without_an_older_version_says_that_none_is_approved() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    rollback(&cloud, &[]).fails(1, &["no promoted version that is older than", "/1 is Approved", "promote hold"]);
    assert_eq!(statuses(&cloud), ["Approved"]);
}

/// A fourth version, registered before its group was held, with the warnings about it.
fn registered_before_the_hold(cloud: &Cloud, more: &[&str]) -> Vec<String> {
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud.hook(Moment::on("CreateModelPackage", 1), |cloud| drop(hold(cloud)));
    let document = promote(cloud, more).document();
    assert_eq!(document["outcome"], "held", "{document:#}");
    assert_eq!(statuses(cloud), ["Approved", "Approved", "Approved", "PendingManualApproval"]);
    about_the_fourth(&document)
}

fn about_the_fourth(document: &Value) -> Vec<String> {
    let fourth = format!("{TARGET_VERSION}4");
    let warnings = document["warnings"].as_array().into_iter().flatten().filter(|one| one["field"] == fourth);
    warnings.filter_map(|one| one["remark"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_version_that_was_registered_before_the_hold_is_said_to_be_pending_and_is_approved_after_the_release() {
    let cloud = three();
    let told = registered_before_the_hold(&cloud, &[]);
    assert!(told.len() == 1 && told[0].contains("the next run after `promote release` approves it"), "{told:?}");
    assert!(told[0].contains("was modified more than a minute after its registration"), "{told:?}");
    release(&cloud).document();
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved"; 4]);
}

#[test]
fn a_version_that_sagemaker_completed_late_is_not_said_to_be_approved_after_the_release() {
    let cloud = three();
    registered_before_the_hold(&cloud, &[]);
    let fourth = format!("{TARGET_VERSION}4");
    cloud.complete(&fourth);
    let created = cloud.package(&fourth).expect("the version")["CreationTime"].as_f64().expect("a time");
    cloud.change(&fourth, json!({"LastModifiedTime": created + 90.0}));
    let told = about_the_fourth(&promote(&cloud, &[]).document());
    assert!(told.iter().any(|one| one.contains("approve it in the target account")), "{told:?}");
    assert!(!told.iter().any(|one| one.contains("`promote release` ")), "{told:?}");
    release(&cloud).document();
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud)[3], "PendingManualApproval");
}

#[test]
fn a_version_that_waits_for_the_target_account_is_not_said_to_be_approved_after_the_release() {
    let cloud = three();
    let told = registered_before_the_hold(&cloud, &["--approval", "pending"]);
    assert!(told.iter().any(|one| one.contains("pending approval")), "{told:?}");
    let again = about_the_fourth(&promote(&cloud, &[]).document());
    for one in told.into_iter().chain(again) {
        assert!(!one.contains("approves it") && !one.contains("completes it"), "{one}");
    }
    release(&cloud).document();
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud)[3], "PendingManualApproval");
}
