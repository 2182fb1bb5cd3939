//! Inference specifications that somebody adds to a version that a killed run has registered.

use super::*;

pub(super) const ADDED: &str = "AdditionalInferenceSpecifications{theirs}";

/// Adds an inference specification with artifacts by others to the promoted version, as soon as it is registered.
pub(super) fn add_specification(cloud: &Cloud) {
    let before = cloud.package(&arn_of_version(1)).expect("the version");
    let mut specifications = before["AdditionalInferenceSpecifications"].clone();
    let mut added = specifications[0].clone();
    added["Name"] = json!("theirs");
    added["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3Uri"] = json!("s3://theirs/weights/");
    specifications.as_array_mut().expect("a list").push(added);
    let members =
        json!({"AdditionalInferenceSpecifications": specifications, "LastModifiedTime": before["CreationTime"]});
    cloud.change(&arn_of_version(1), members);
}

pub(super) fn names_in(document: &Value) -> Vec<&str> {
    let specifications = document["AdditionalInferenceSpecifications"].as_array().into_iter().flatten();
    specifications.filter_map(|one| one["Name"].as_str()).collect()
}

pub(super) fn plans(document: &Value, act: &str) -> bool {
    document["planned"].as_array().into_iter().flatten().any(|write| write["act"] == act)
}

/// The run tells the specification as that of a recorded version that somebody else has changed.
pub(super) fn tells(document: &Value) {
    let changes = document["changes"].as_array().into_iter().flatten();
    let results: Vec<&Value> = changes.filter(|one| one["field"] == ADDED).map(|one| &one["result"]).collect();
    assert_eq!(results, ["kept"], "{document:#}");
}

#[test]
fn an_approved_version_to_which_somebody_has_added_a_specification_since_a_run_was_killed_is_recorded_and_told() {
    let cloud = killed_after("UpdateModelPackage");
    add_specification(&cloud);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert_eq!((&planned["target"]["version"], plans(&planned, "register")), (&json!(1), false), "{planned:#}");
    tells(&promote(&cloud, &[]).document());
    assert_eq!((promoted(&cloud).len(), approval(&cloud)), (1, json!("Approved")));
    let recorded = &record(&cloud, "promotion.json")["request"];
    assert_eq!(names_in(recorded).len(), 1, "as it was requested: {recorded:#}");
    change_source(&cloud);
    promote(&cloud, &[]).document();
    assert_eq!((entry(&cloud, "team"), names_in(&promoted(&cloud)[0]).len()), (json!("risk"), 2));
}

#[test]
fn a_pending_version_to_which_somebody_has_added_a_specification_is_recorded_and_only_the_target_account_approves_it() {
    let cloud = killed_after("CreateModelPackage");
    cloud.complete(&arn_of_version(1));
    add_specification(&cloud);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert!(!plans(&planned, "register") && !plans(&planned, "approve"), "{planned:#}");
    assert!(planned["warnings"].to_string().contains(&format!("{ADDED} was added")), "{planned:#}");
    let added = format!("{ADDED} was added");
    for more in [&[][..], &["--approval", "carry"]] {
        let says =
            ["differs from its record and was not approved", &added, "approve the version in the target account"];
        promote(&cloud, more).fails(1, &says);
        assert_eq!((promoted(&cloud).len(), approval(&cloud)), (1, json!("PendingManualApproval")));
        assert!(has_record(&cloud));
    }
    cloud.change(&arn_of_version(1), json!({"ModelApprovalStatus": "Approved"}));
    tells(&promote(&cloud, &[]).document());
    assert_eq!(approval(&cloud), "Approved");
}

#[test]
fn a_reviewed_plan_and_the_register_step_record_such_a_version_without_approving_it() {
    for is_planned in [true, false] {
        let cloud = killed_after("CreateModelPackage");
        cloud.complete(&arn_of_version(1));
        add_specification(&cloud);
        let plan = cloud.home().join("plan.json").display().to_string();
        let document = if is_planned {
            promote(&cloud, &["--dry-run", "--record", &plan]).document();
            promote(&cloud, &["--plan", &plan]).document()
        } else {
            let register = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
            run(&cloud, Principal::Both, &[&register[..], &["--output", "json"]].concat()).document()
        };
        assert_eq!((approval(&cloud), has_record(&cloud)), (json!("PendingManualApproval"), true), "{document:#}");
        assert!(document["warnings"].to_string().contains(&format!("{ADDED} was added")), "{document:#}");
        assert_eq!(document["target"]["decided_by"], "source", "{document:#}");
    }
}

#[test]
fn an_older_version_to_which_somebody_has_added_a_specification_since_a_run_was_killed_is_recorded() {
    let cloud = killed_after("UpdateModelPackage");
    add_specification(&cloud);
    cloud.register(package());
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["followed"][0]["result"], "recorded", "{document:#}");
    assert!(has_record(&cloud));
    change_source(&cloud);
    let document = promote(&cloud, &[]).document();
    tells(&document["followed"][0]);
    assert_eq!(entry(&cloud, "team"), "risk");
}

#[test]
fn a_version_that_somebody_has_derived_with_one_more_specification_is_not_the_promotion_beside_the_first() {
    let cloud = killed_after("UpdateModelPackage");
    let mut derived = create_request(&cloud);
    derived.as_object_mut().expect("a request").shift_remove("ClientToken");
    let mut added = derived["AdditionalInferenceSpecifications"][0].clone();
    added["Name"] = json!("theirs");
    derived["AdditionalInferenceSpecifications"].as_array_mut().expect("a list").push(added);
    let derived = cloud.register_in(TARGET_ACCOUNT, derived);
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["target"]["version"], 1, "{document:#}");
    assert!(document["warnings"].to_string().contains(&derived), "{document:#}");
    let statuses: Vec<Value> = promoted(&cloud).iter().map(|one| one["ModelApprovalStatus"].clone()).collect();
    assert_eq!(statuses, ["Approved", "PendingManualApproval"]);
}

#[test]
fn a_specification_that_somebody_adds_while_the_next_run_reads_the_claims_is_not_approved() {
    let cloud = killed_after("CreateModelPackage");
    cloud.complete(&arn_of_version(1));
    cloud.hook(Moment::on("GetObject", 1).at("_claims/1.json"), add_specification);
    promote(&cloud, &[]);
    assert_eq!((approval(&cloud), promoted(&cloud).len()), (json!("PendingManualApproval"), 1));
}
