//! Inference specifications that the source adds to a version that a killed run has registered.

use super::specifications::{add_specification, names_in, plans};
use super::*;

const SPECIFICATIONS: &str = "AdditionalInferenceSpecifications";

/// Adds an inference specification to the source version: a changed copy of the one that the package has.
fn add_at_source(cloud: &Cloud, at: usize, change: impl FnOnce(&mut Value)) {
    let mut added = package()[SPECIFICATIONS][0].clone();
    change(&mut added);
    let mut specifications = cloud.package(SOURCE_VERSION).expect("the version")[SPECIFICATIONS].clone();
    if specifications.is_null() {
        specifications = json!([]);
    }
    specifications.as_array_mut().expect("a list").insert(at, added);
    cloud.change(SOURCE_VERSION, json!({SPECIFICATIONS: specifications}));
}

fn second(added: &mut Value) {
    added["Name"] = json!("second");
}

/// The specification has an object and an image of its own.
fn other_artifacts(added: &mut Value) {
    added["Name"] = json!("other");
    added["Containers"][0]["Image"] = json!("444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1");
    added["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3Uri"] = json!("s3://models/churn/other/");
}

/// The specification of the target account has the same name.
fn theirs(added: &mut Value) {
    added["Name"] = json!("theirs");
}

fn register_newer(cloud: &Cloud) {
    let mut newer = package();
    newer["ModelPackageDescription"] = json!("newer");
    cloud.register(newer);
}

fn named_in_record(cloud: &Cloud) -> Vec<String> {
    let record = record(cloud, "promotion.json");
    names_in(&record["request"]).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_specification_that_the_source_has_added_since_a_run_was_killed_is_added_after_the_version_is_recorded() {
    for (operation, at) in [("CreateModelPackage", 1), ("CreateModelPackage", 0), ("UpdateModelPackage", 1)] {
        let cloud = killed_after(operation);
        cloud.complete(&arn_of_version(1));
        add_at_source(&cloud, at, second);
        change_source(&cloud);
        promote(&cloud, &[]).document();
        assert_eq!((promoted(&cloud).len(), approval(&cloud)), (1, json!("Approved")), "{operation}");
        assert_eq!(named_in_record(&cloud), ["llm"], "as it was requested");
        assert_eq!((entry(&cloud, "team"), names_in(&promoted(&cloud)[0]).len()), (json!("risk"), 2));
        verifies(&cloud);
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
        follows(&cloud);
    }
}

#[test]
fn the_first_specification_that_the_source_has_added_since_a_run_was_killed_is_added() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({SPECIFICATIONS: null}));
    let cloud = killed_in(cloud, "CreateModelPackage");
    cloud.complete(&arn_of_version(1));
    let first = |added: &mut Value| added["Containers"] = package()["InferenceSpecification"]["Containers"].clone();
    add_at_source(&cloud, 0, first);
    promote(&cloud, &[]).document();
    assert!(named_in_record(&cloud).is_empty(), "as it was requested");
    assert_eq!((promoted(&cloud).len(), names_in(&promoted(&cloud)[0])), (1, vec!["llm"]));
    follows(&cloud);
}

#[test]
fn a_specification_of_artifacts_that_the_killed_run_has_not_copied_is_drift_and_the_version_is_completed_without_it() {
    let cloud = killed_after("CreateModelPackage");
    cloud.complete(&arn_of_version(1));
    cloud.put(MODELS, "churn/other/weights.bin", "other");
    add_at_source(&cloud, 0, other_artifacts);
    let document = promote(&cloud, &[]).document();
    assert_eq!((approval(&cloud), named_in_record(&cloud)), (json!("Approved"), vec!["llm".to_owned()]));
    let changes = document["changes"].to_string();
    assert!(changes.contains("AdditionalInferenceSpecifications{other}") && changes.contains("drift"), "{document:#}");
    assert!(!cloud.keys(SERVING).iter().any(|key| key.ends_with("weights.bin")), "{:?}", cloud.keys(SERVING));
    verifies(&cloud);
}

#[test]
fn an_older_version_is_recorded_although_its_source_has_a_new_specification_of_other_artifacts() {
    let cloud = killed_after("UpdateModelPackage");
    cloud.put(MODELS, "churn/other/weights.bin", "other");
    add_at_source(&cloud, 1, other_artifacts);
    register_newer(&cloud);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["target"]["version"], named_in_record(&cloud)), (&json!(2), vec!["llm".to_owned()]));
    verifies(&cloud);
}

#[test]
fn specifications_that_both_accounts_have_added_since_a_run_was_killed_stay_and_follow() {
    let cloud = killed_after("UpdateModelPackage");
    add_specification(&cloud);
    add_at_source(&cloud, 1, second);
    promote(&cloud, &[]).document();
    assert_eq!(named_in_record(&cloud), ["llm"], "as it was requested");
    assert_eq!((promoted(&cloud).len(), names_in(&promoted(&cloud)[0]).len()), (1, 3));
    verifies(&cloud);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn a_specification_of_the_target_with_the_name_of_one_of_the_source_is_not_approved_and_not_what_was_requested() {
    for (operation, more) in [("CreateModelPackage", false), ("CreateModelPackage", true), ("UpdateModelPackage", true)]
    {
        let cloud = killed_after(operation);
        cloud.complete(&arn_of_version(1));
        add_specification(&cloud);
        add_at_source(&cloud, 1, theirs);
        if more {
            add_at_source(&cloud, 2, second);
        }
        let run = promote(&cloud, &[]);
        assert_eq!(named_in_record(&cloud), ["llm"], "as it was requested: {}", run.stderr);
        if operation == "CreateModelPackage" {
            run.fails(1, &["was not approved", "AdditionalInferenceSpecifications{theirs} was added"]);
            assert_eq!(approval(&cloud), "PendingManualApproval");
        } else {
            assert_eq!((run.code, approval(&cloud)), (0, json!("Approved")), "{}", run.stderr);
            assert_eq!(names_in(&promoted(&cloud)[0]), ["llm", "theirs", "second"]);
        }
        assert_eq!(promoted(&cloud).len(), 1);
    }
}

#[test]
fn a_dry_run_says_which_fields_are_synced_after_the_version_is_recorded_and_a_reviewed_plan_leaves_them_to_the_next_run()
 {
    let cloud = killed_after("CreateModelPackage");
    cloud.complete(&arn_of_version(1));
    add_at_source(&cloud, 1, second);
    change_source(&cloud);
    let plan = cloud.home().join("plan.json").display().to_string();
    let planned = promote(&cloud, &["--dry-run", "--record", &plan]).document();
    assert!(plans(&planned, "approve") && !plans(&planned, "register"), "{planned:#}");
    let warnings = planned["warnings"].to_string();
    for field in ["CustomerMetadataProperties{team}", "AdditionalInferenceSpecifications{second}"] {
        assert!(warnings.contains("before its source changed") && warnings.contains(field), "{warnings}");
    }
    promote(&cloud, &["--plan", &plan]).document();
    assert_eq!((approval(&cloud), names_in(&promoted(&cloud)[0]).len()), (json!("Approved"), 1));
    promote(&cloud, &[]).document();
    assert_eq!(names_in(&promoted(&cloud)[0]).len(), 2);
    follows(&cloud);
}

#[test]
fn an_equal_specification_that_both_accounts_have_added_is_not_what_was_requested_and_the_version_follows() {
    let cloud = killed_after("CreateModelPackage");
    cloud.complete(&arn_of_version(1));
    let before = cloud.package(&arn_of_version(1)).expect("the version");
    let mut specifications = before[SPECIFICATIONS].clone();
    let mut added = specifications[0].clone();
    second(&mut added);
    specifications.as_array_mut().expect("a list").push(added);
    cloud.change(
        &arn_of_version(1),
        json!({SPECIFICATIONS: specifications, "LastModifiedTime": before["CreationTime"]}),
    );
    add_at_source(&cloud, 1, second);
    promote(&cloud, &[]).document();
    assert_eq!((named_in_record(&cloud), names_in(&promoted(&cloud)[0]).len()), (vec!["llm".to_owned()], 2));
    follows(&cloud);
}

#[test]
fn an_older_version_is_recorded_and_synced_in_one_run() {
    let cloud = killed_after("UpdateModelPackage");
    change_source(&cloud);
    add_at_source(&cloud, 1, second);
    register_newer(&cloud);
    promote(&cloud, &[]).document();
    assert_eq!((named_in_record(&cloud), entry(&cloud, "team")), (vec!["llm".to_owned()], json!("risk")));
    assert_eq!(names_in(&promoted(&cloud)[0]), ["llm", "second"]);
    verifies(&cloud);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn an_older_version_that_is_recorded_and_cannot_be_synced_is_told_as_recorded_and_synced_by_the_next_run() {
    let cloud = killed_after("UpdateModelPackage");
    change_source(&cloud);
    register_newer(&cloud);
    cloud.fail(
        Moment::on("UpdateModelPackage", 1).at(&arn_of_version(1)),
        Failure::Status(400, "ValidationException", "x"),
    );
    let run = promote(&cloud, &[]);
    run.fails(1, &["wrote a record of", "sagemaker:UpdateModelPackage"]);
    assert_eq!((named_in_record(&cloud).len(), entry(&cloud, "team")), (1, json!("growth")));
    cloud.heal();
    promote(&cloud, &[]).document();
    assert_eq!(entry(&cloud, "team"), "risk");
    verifies(&cloud);
}
