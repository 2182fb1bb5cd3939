//! Runs that are killed after they have registered the version, before its record: the next run completes the version,
//! whatever metadata the source or the target account has changed meanwhile.

mod added_at_source;
mod changed;
mod specifications;

use serde_json::{Value, json};

use super::again::delete_version;
use super::races::arn_of_version;
use super::record;
use crate::support::{Cloud, Failure, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

const METADATA: &str = "CustomerMetadataProperties";

/// A world in which a run was killed when it waited for the response to this call.
fn killed_after(operation: &str) -> Cloud {
    killed_in(with_package(), operation)
}

fn killed_in(cloud: Cloud, operation: &str) -> Cloud {
    cloud.change(SOURCE_VERSION, json!({METADATA: {"team": "growth", "goes": "1"}}));
    cloud.fail(Moment::on(operation, 1), Failure::HangAfter);
    let arrival = Arrival::of(&cloud, Moment::on(operation, 1));
    let child = spawn(&cloud, &[]);
    arrival.wait();
    let status = if operation == "CreateModelPackage" { "PendingManualApproval" } else { "Approved" };
    waits_until(&format!("the version is {status}"), || {
        promoted(&cloud).first().is_some_and(|version| version["ModelApprovalStatus"] == status)
    });
    killed(&cloud, child);
    assert!(!has_record(&cloud));
    cloud
}

fn has_record(cloud: &Cloud) -> bool {
    cloud.keys(SERVING).iter().any(|key| key.ends_with("promotion.json"))
}

fn set_metadata(cloud: &Cloud, version: &str, key: &str, value: Option<&str>) {
    let before = cloud.package(version).expect("the version");
    let mut metadata = before[METADATA].clone();
    let entries = metadata.as_object_mut().expect("metadata");
    match value {
        Some(value) => drop(entries.insert(key.into(), json!(value))),
        None => drop(entries.remove(key)),
    }
    // At once, however slow the machine is.
    cloud.change(version, json!({METADATA: metadata, "LastModifiedTime": before["CreationTime"]}));
}

fn change_source(cloud: &Cloud) {
    set_metadata(cloud, SOURCE_VERSION, "team", Some("risk"));
    set_metadata(cloud, SOURCE_VERSION, "comes", Some("2"));
    set_metadata(cloud, SOURCE_VERSION, "goes", None);
}

fn entry(cloud: &Cloud, key: &str) -> Value {
    cloud.package(&arn_of_version(1)).expect("the version")[METADATA][key].clone()
}

fn approval(cloud: &Cloud) -> Value {
    cloud.package(&arn_of_version(1)).expect("the version")["ModelApprovalStatus"].clone()
}

fn verifies(cloud: &Cloud) {
    let verify = run(cloud, Principal::Both, &["verify", "--model-package", &arn_of_version(1)]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}

/// The version follows its source like one whose run was not killed.
fn follows(cloud: &Cloud) {
    assert!(has_record(cloud));
    assert_eq!((approval(cloud), promoted(cloud).len()), (json!("Approved"), 1));
    verifies(cloud);
    for status in ["Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote(cloud, &[]).document();
        assert_eq!(approval(cloud), status);
        verifies(cloud);
    }
    set_metadata(cloud, SOURCE_VERSION, "team", Some("fraud"));
    promote(cloud, &[]).document();
    assert_eq!(entry(cloud, "team"), "fraud");
    let document = promote(cloud, &[]).document();
    assert_eq!(document["outcome"], "already-promoted", "{document:#}");
    verifies(cloud);
}

#[test]
fn a_version_whose_source_has_changed_since_a_run_was_killed_is_completed_and_follows_its_source() {
    for operation in ["CreateModelPackage", "UpdateModelPackage"] {
        let cloud = killed_after(operation);
        change_source(&cloud);
        let dry = promote(&cloud, &["--dry-run"]).document();
        assert_eq!(dry["target"]["version"], 1, "{dry:#}");
        assert!(!has_record(&cloud));
        let document = promote(&cloud, &[]).document();
        let outcome = if operation == "CreateModelPackage" { "promoted" } else { "updated" };
        assert_eq!(document["outcome"], outcome, "{document:#}");
        assert_eq!(["team", "comes", "goes"].map(|key| entry(&cloud, key)), [json!("risk"), json!("2"), Value::Null]);
        assert_eq!(record(&cloud, "promotion.json")["request"][METADATA]["team"], "growth", "as it was requested");
        follows(&cloud);
    }
}

#[test]
fn a_key_that_the_target_has_added_since_a_run_was_killed_is_kept_and_reported() {
    for operation in ["CreateModelPackage", "UpdateModelPackage"] {
        let cloud = killed_after(operation);
        set_metadata(&cloud, &arn_of_version(1), "deployed", Some("yes"));
        let document = promote(&cloud, &[]).document();
        assert!(document["changes"].to_string().contains("deployed"), "{document:#}");
        follows(&cloud);
        assert_eq!(entry(&cloud, "deployed"), "yes");
    }
}

#[test]
fn a_change_of_the_source_and_a_key_of_the_target_do_not_prevent_the_record() {
    let cloud = killed_after("UpdateModelPackage");
    change_source(&cloud);
    set_metadata(&cloud, &arn_of_version(1), "deployed", Some("yes"));
    promote(&cloud, &[]).document();
    assert_eq!((entry(&cloud, "team"), entry(&cloud, "deployed")), (json!("risk"), json!("yes")));
    follows(&cloud);
}

#[test]
fn a_reviewed_plan_completes_the_version_and_the_next_run_carries_the_change_over() {
    let cloud = killed_after("CreateModelPackage");
    change_source(&cloud);
    let plan = cloud.home().join("plan.json").display().to_string();
    promote(&cloud, &["--dry-run", "--record", &plan]).document();
    promote(&cloud, &["--plan", &plan]).document();
    assert_eq!((approval(&cloud), has_record(&cloud)), (json!("Approved"), true));
    promote(&cloud, &[]).document();
    assert_eq!(entry(&cloud, "team"), "risk");
    follows(&cloud);
}

#[test]
fn a_version_that_differs_in_what_is_deployed_is_not_recorded_after_a_run_was_killed() {
    let cloud = killed_after("UpdateModelPackage");
    change_source(&cloud);
    cloud.change(&arn_of_version(1), json!({"ModelPackageDescription": "derived"}));
    let warnings = promote(&cloud, &[]).document()["warnings"].to_string();
    assert!(warnings.contains("has no record"), "{warnings}");
    assert!(!warnings.contains("--package-version"), "{warnings}");
    assert!(!has_record(&cloud));
}

#[test]
fn a_rejection_while_the_next_run_reads_the_claims_stays() {
    let cloud = killed_after("CreateModelPackage");
    cloud.hook(Moment::on("GetObject", 1).at("_claims/1.json"), |cloud| {
        cloud.change(&arn_of_version(1), json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "no"}));
    });
    let document = promote(&cloud, &[]).document();
    assert_eq!((approval(&cloud), &document["target"]["decided_by"]), (json!("Rejected"), &json!("target")));
}

#[test]
fn a_version_whose_claim_cannot_be_read_is_not_approved() {
    let cloud = killed_after("CreateModelPackage");
    cloud.put(SERVING, &format!("{FOLDER}_claims/0.json"), "");
    promote(&cloud, &[]).document();
    assert_eq!(approval(&cloud), "PendingManualApproval");
}

/// Changes the promoted version so many seconds after it was registered, as somebody in the target account would.
fn change_after(cloud: &Cloud, seconds: f64, mut members: Value) {
    let version = arn_of_version(1);
    let created = cloud.package(&version).expect("the version")["CreationTime"].as_f64().expect("a time");
    members["LastModifiedTime"] = json!(created + seconds);
    cloud.change(&version, members);
}

/// A world in which the source gives no reason for its approval.
fn without_reason() -> Cloud {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ApprovalDescription": null}));
    cloud
}

#[test]
fn a_version_that_somebody_has_put_back_without_a_reason_since_a_run_was_killed_stays_pending() {
    for operation in ["CreateModelPackage", "UpdateModelPackage"] {
        let cloud = killed_in(without_reason(), operation);
        cloud.complete(&arn_of_version(1));
        change_after(&cloud, 120.0, json!({"ModelApprovalStatus": "PendingManualApproval"}));
        let planned = promote(&cloud, &["--dry-run"]).document();
        assert!(!planned["planned"].to_string().contains("approve"), "{planned:#}");
        let document = promote(&cloud, &[]).document();
        assert_eq!(approval(&cloud), "PendingManualApproval", "{operation}: {document:#}");
        for document in [planned, document] {
            let warnings = document["warnings"].to_string();
            assert!(warnings.contains("somebody may have set it to pending"), "{warnings}");
        }
        promote(&cloud, &["--approval", "carry"]).document();
        assert_eq!(approval(&cloud), "PendingManualApproval", "{operation}");
        verifies(&cloud);
    }
}

#[test]
fn a_version_that_somebody_has_put_back_is_not_approved_after_a_withdrawal_either() {
    let cloud = killed_in(without_reason(), "UpdateModelPackage");
    change_after(&cloud, 120.0, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    assert_eq!(approval(&cloud), "Rejected");
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "waits-again");
    assert_eq!(approval(&cloud), "PendingManualApproval");
}

#[test]
fn a_version_that_a_run_sees_completed_is_approved_however_long_sagemaker_took() {
    let cloud = without_reason();
    cloud.describes_until_completed(1000);
    promote(&cloud, &["--wait-seconds", "1"]).fails(1, &["is still InProgress after 1 s"]);
    change_after(&cloud, 300.0, json!({}));
    let described = || {
        let calls = cloud.calls_of("DescribeModelPackage");
        calls.iter().filter(|call| call.resource.ends_with(&arn_of_version(1))).count()
    };
    let before = described();
    let child = spawn(&cloud, &[]);
    // The run describes the version before it waits, too.
    waits_until("the run waits for SageMaker", || described() >= before + 4);
    cloud.complete(&arn_of_version(1));
    ended(child).document();
    assert_eq!(approval(&cloud), "Approved");
}

#[test]
fn a_version_that_somebody_has_rejected_without_a_reason_since_a_run_was_killed_stays_rejected() {
    for operation in ["CreateModelPackage", "UpdateModelPackage"] {
        let cloud = killed_in(without_reason(), operation);
        change_after(&cloud, 120.0, json!({"ModelApprovalStatus": "Rejected"}));
        for more in [&[][..], &["--approval", "carry"], &[]] {
            promote(&cloud, more).document();
            assert_eq!(approval(&cloud), "Rejected", "{operation}");
        }
        verifies(&cloud);
    }
}

#[test]
fn a_version_that_sagemaker_has_completed_since_a_run_was_killed_is_approved() {
    let cloud = killed_in(without_reason(), "CreateModelPackage");
    change_after(&cloud, 15.0, json!({}));
    promote(&cloud, &[]).document();
    assert_eq!(approval(&cloud), "Approved");
}

#[test]
fn a_version_without_metadata_that_a_killed_run_has_registered_is_named_and_not_registered_again() {
    for status in ["Approved", "PendingManualApproval"] {
        let cloud = killed_after("CreateModelPackage");
        let metadata = cloud.package(&arn_of_version(1)).expect("the version")[METADATA].clone();
        cloud.change(&arn_of_version(1), json!({"ModelApprovalStatus": status, METADATA: {"team": "growth"}}));
        let (names, key) = (format!("an earlier run has registered {}", arn_of_version(1)), "{promote:source-arn}");
        promote(&cloud, &[]).fails(1, &[&names, key, "hint: Change these fields back, or delete the version"]);
        assert_eq!((promoted(&cloud).len(), approval(&cloud)), (1, json!(status)));
        assert!(cloud.object(SERVING, &format!("{FOLDER}_claims/1.released.json")).is_some(), "no run waits for it");
        promote(&cloud, &["--wait-seconds", "5"]).fails(1, &[&names, key]);
        cloud.change(&arn_of_version(1), json!({METADATA: metadata}));
        promote(&cloud, &[]).document();
        follows(&cloud);
    }
}

#[test]
fn a_version_that_somebody_has_derived_from_one_that_a_killed_run_registered_is_not_the_promotion() {
    for status in ["Approved", "PendingManualApproval"] {
        let cloud = killed_after("CreateModelPackage");
        let mut derived = create_request(&cloud);
        derived.as_object_mut().expect("a request").shift_remove("ClientToken");
        derived["ModelApprovalStatus"] = status.into();
        derived["InferenceSpecification"]["Containers"][0]["Environment"]["LEVEL"] = "debug".into();
        let derived = cloud.register_in(TARGET_ACCOUNT, derived);
        delete_version(&cloud, &json!(arn_of_version(1)));
        let planned = promote(&cloud, &["--dry-run"]).document();
        assert!(planned["planned"].to_string().contains("register"), "{}", planned["planned"]);
        let document = promote(&cloud, &[]).document();
        assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(3)), "{status}");
        assert!(document["warnings"].to_string().contains(&derived), "{}", document["warnings"]);
        let statuses: Vec<Value> = promoted(&cloud).iter().map(|one| one["ModelApprovalStatus"].clone()).collect();
        assert_eq!(statuses, [status, "Approved"]);
    }
}

#[test]
fn a_version_whose_deployment_somebody_has_changed_since_a_run_was_killed_is_named_and_not_registered_again() {
    for status in ["Approved", "PendingManualApproval"] {
        let cloud = killed_after("CreateModelPackage");
        let mut specification =
            cloud.package(&arn_of_version(1)).expect("the version")["InferenceSpecification"].clone();
        specification["Containers"][0]["Environment"]["LEVEL"] = "debug".into();
        let edited = json!({"ModelApprovalStatus": status, "InferenceSpecification": specification});
        cloud.change(&arn_of_version(1), edited);
        let names = format!("an earlier run has registered {}", arn_of_version(1));
        promote(&cloud, &[]).fails(1, &[&names, "Environment{LEVEL} is \"debug\", not \"info\""]);
        assert_eq!((promoted(&cloud).len(), approval(&cloud)), (1, json!(status)));
    }
}

#[test]
fn a_pending_version_of_a_killed_run_whose_source_was_replaced_is_in_the_way_until_it_is_deleted() {
    let cloud = world();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    let cloud = killed_in(cloud, "CreateModelPackage");
    cloud.put(MODELS, "churn/model.tar.gz", "Weights");
    promote(&cloud, &[]).fails(1, &["refusing to overwrite", "and a pending version that refers to it"]);
    let mut command = cloud.promote(Principal::Both);
    command.args(full()).args(["--target-prefix", "other"]);
    let run = Run::of(command.output().expect("the binary starts"));
    assert!(run.stdout.contains("already promoted, and pending approval in the target"), "{}", run.stdout);
    assert!(run.told().contains("or delete the version to promote its source again"), "{}", run.stdout);
    delete_version(&cloud, &json!(arn_of_version(1)));
    promote(&cloud, &["--target-prefix", "other"]).document();
    assert_eq!(promoted(&cloud).last().expect("a version")["ModelApprovalStatus"], "Approved");
}
