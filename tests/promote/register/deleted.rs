//! Decisions of the target account about a version outlive the version, and its record.

use super::again::delete_version;
use super::*;
use crate::support::{Principal, TARGET_ACCOUNT};

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// The last version of the target group.
fn last(cloud: &Cloud) -> Value {
    promoted(cloud).pop().expect("a version")
}

/// Deletes the promoted version, as a job that cleans up months later would.
fn clean_up(cloud: &Cloud) {
    delete_version(cloud, &json!(COPY));
    cloud.age_claims(SERVING);
    cloud.forget_client_tokens();
}

#[test]
fn a_version_that_the_target_has_rejected_and_deleted_is_not_approved() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "harmful output"}));
    promote(&cloud, &[]).document();
    clean_up(&cloud);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert!(planned["planned"].is_array(), "{planned:#}");
    assert!(!planned["planned"].to_string().contains("approve"), "{}", planned["planned"]);
    let document = promote(&cloud, &[]).document();
    let text = document["warnings"].to_string();
    assert!(text.contains("it was Rejected in the target account") && text.contains("harmful output"), "{text}");
    for _ in 0..2 {
        assert_eq!(last(&cloud)["ModelApprovalStatus"], "PendingManualApproval");
        promote(&cloud, &["--approval", "carry"]).document();
    }
    assert_eq!(promoted(&cloud).len(), 1);
}

#[test]
fn a_version_that_was_left_pending_and_deleted_is_not_approved() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    clean_up(&cloud);
    for _ in 0..2 {
        promote(&cloud, &[]).document();
        assert_eq!(last(&cloud)["ModelApprovalStatus"], "PendingManualApproval");
    }
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(last(&cloud)["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_version_in_place_of_a_rejected_one_is_not_approved_if_the_run_that_registered_it_wrote_no_record() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "harmful output"}));
    promote(&cloud, &[]).document();
    clean_up(&cloud);
    let before = cloud.keys(SERVING);
    promote(&cloud, &[]).document();
    let written = cloud.keys(SERVING).into_iter().filter(|key| !before.contains(key) && key.contains("/promotion"));
    let written: Vec<String> = written.collect();
    assert_eq!(written.len(), 1, "the record of the version: {written:?}");
    cloud.remove(SERVING, &written[0]);
    for _ in 0..2 {
        promote(&cloud, &[]).document();
        assert_eq!(last(&cloud)["ModelApprovalStatus"], "PendingManualApproval");
    }
    assert_eq!(promoted(&cloud).len(), 1);
}

#[test]
fn a_version_that_was_withdrawn_while_it_waited_and_then_deleted_waits_again() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    assert_eq!(last(&cloud)["ModelApprovalStatus"], "Rejected");
    clean_up(&cloud);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    promote(&cloud, &[]).document();
    assert_eq!(last(&cloud)["ModelApprovalStatus"], "PendingManualApproval");
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(last(&cloud)["ModelApprovalStatus"], "Approved");
}

#[test]
fn package_version_with_approval_carry_overrules_a_rejection() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    clean_up(&cloud);
    promote(&cloud, &["--package-version", "1", "--approval", "carry"]).document();
    assert_eq!(last(&cloud)["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_version_that_was_rolled_back_and_deleted_is_not_approved() {
    let cloud = with_package();
    let mut two = package();
    cloud.change(SOURCE_VERSION, json!({"ModelPackageDescription": "One"}));
    promote(&cloud, &[]).document();
    two["ModelPackageDescription"] = json!("Two");
    cloud.register(two);
    let second = promote(&cloud, &[]).document();
    let back = ["rollback", "--target-group", GROUP, "--reason", "wrong predictions", "--settle-seconds", "0"];
    let rolled = run(&cloud, Principal::Both, &back);
    assert_eq!(rolled.code, 0, "{}", rolled.stderr);
    let release = ["release", "--target-group", GROUP];
    let released = run(&cloud, Principal::Both, &release);
    assert_eq!(released.code, 0, "{}", released.stderr);
    delete_version(&cloud, &second["target"]["model_package_arn"]);
    cloud.age_claims(SERVING);
    cloud.forget_client_tokens();
    promote(&cloud, &[]).document();
    assert_eq!(last(&cloud)["ModelPackageDescription"], "Two");
    assert_eq!(last(&cloud)["ModelApprovalStatus"], "PendingManualApproval");
}

#[test]
fn a_version_that_the_target_has_suspended_before_its_record_is_not_approved() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    let suspended =
        json!({"ModelApprovalStatus": "PendingManualApproval", "ApprovalDescription": "incident 42: do not serve"});
    cloud.change(COPY, suspended);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert!(planned["planned"].is_array(), "{planned:#}");
    assert!(!planned["planned"].to_string().contains("approve"), "{}", planned["planned"]);
    for _ in 0..2 {
        promote(&cloud, &[]).document();
        let version = last(&cloud);
        assert_eq!(
            (&version["ModelApprovalStatus"], &version["ApprovalDescription"]),
            (&json!("PendingManualApproval"), &json!("incident 42: do not serve"))
        );
    }
}

#[test]
fn a_version_without_artifacts_that_waits_is_not_approved_from_another_prefix() {
    for (first, suspend) in [(&["--approval", "pending"][..], false), (&[][..], true)] {
        let cloud = world();
        let mut only = model("s3://models/none");
        only["InferenceSpecification"]["Containers"][0].as_object_mut().expect("a container").remove("ModelDataUrl");
        cloud.register(only);
        promote(&cloud, first).document();
        if suspend {
            cloud.change(COPY, json!({"ModelApprovalStatus": "PendingManualApproval"}));
            promote(&cloud, &[]).document();
        }
        let planned = promote(&cloud, &["--target-prefix", "other", "--dry-run"]).document();
        assert!(planned["planned"].is_array(), "{planned:#}");
        assert!(!planned["planned"].to_string().contains("approve"), "{}", planned["planned"]);
        for _ in 0..2 {
            promote(&cloud, &["--target-prefix", "other"]).document();
            assert_eq!(promoted(&cloud).len(), 1);
            assert_eq!(last(&cloud)["ModelApprovalStatus"], "PendingManualApproval");
        }
    }
}

#[test]
fn a_version_that_somebody_derived_is_not_the_promotion_after_the_promoted_version_was_deleted() {
    for (status, description) in [("Approved", None), ("PendingManualApproval", None), ("Approved", Some("Ours"))] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        let mut derived = model("s3://serving/theirs.tar.gz");
        if let Some(description) = description {
            derived = create_request(&cloud);
            derived["ModelPackageDescription"] = json!(description);
        }
        derived["CustomerMetadataProperties"] = last(&cloud)["CustomerMetadataProperties"].clone();
        derived["ModelApprovalStatus"] = json!(status);
        let arn = cloud.register_in(TARGET_ACCOUNT, derived);
        let before = cloud.package(&arn);
        clean_up(&cloud);
        let planned = promote(&cloud, &["--dry-run"]).document();
        assert!(planned["planned"].to_string().contains("register"), "{}", planned["planned"]);
        let document = promote(&cloud, &[]).document();
        assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(3)));
        assert!(document["warnings"].to_string().contains(&arn), "{}", document["warnings"]);
        assert_eq!(promote(&cloud, &[]).document()["target"]["version"], 3);
        assert_eq!((cloud.package(&arn), promoted(&cloud).len()), (before, 2));
        assert_eq!(last(&cloud)["ModelApprovalStatus"], "Approved");
    }
}

#[test]
fn a_version_that_somebody_derived_with_less_than_was_promoted_is_not_the_promotion() {
    const SPECIFICATIONS: &str = "AdditionalInferenceSpecifications";
    let without_one: fn(&mut Value) = |derived| drop(derived[SPECIFICATIONS].as_array_mut().expect("a list").pop());
    let without_any: fn(&mut Value) =
        |derived| drop(derived.as_object_mut().expect("a request").shift_remove(SPECIFICATIONS));
    let without_field: fn(&mut Value) = |derived| {
        let container = derived[SPECIFICATIONS][0]["Containers"][0].as_object_mut().expect("a container");
        container.shift_remove("Environment").expect("it has variables");
    };
    for less in [without_one, without_any, without_field] {
        let cloud = with_package();
        let mut source = package();
        source[SPECIFICATIONS][0]["Containers"][0]["Environment"] = json!({"BATCH": "8"});
        let mut second = source[SPECIFICATIONS][0].clone();
        second["Name"] = json!("second");
        source[SPECIFICATIONS].as_array_mut().expect("a list").push(second);
        cloud.register(source);
        promote(&cloud, &[]).document();
        let mut derived = create_request(&cloud);
        derived.as_object_mut().expect("a request").shift_remove("ClientToken");
        less(&mut derived);
        let arn = cloud.register_in(TARGET_ACCOUNT, derived);
        let before = cloud.package(&arn);
        clean_up(&cloud);
        let document = promote(&cloud, &[]).document();
        assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(3)));
        assert!(document["warnings"].to_string().contains(&arn), "{}", document["warnings"]);
        assert_eq!((cloud.package(&arn), promoted(&cloud).len()), (before, 2));
    }
}

#[test]
fn a_version_that_the_target_approved_and_a_run_withdrew_is_approved_again_with_its_source_although_it_was_deleted() {
    for deleted in [false, true] {
        let cloud = with_package();
        promote(&cloud, &["--approval", "pending"]).document();
        cloud.change(COPY, json!({"ModelApprovalStatus": "Approved"}));
        promote(&cloud, &[]).document();
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        promote(&cloud, &[]).document();
        assert_eq!(last(&cloud)["ModelApprovalStatus"], "Rejected");
        if deleted {
            clean_up(&cloud);
        }
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
        promote(&cloud, &[]).document();
        assert_eq!(last(&cloud)["ModelApprovalStatus"], "Approved", "deleted: {deleted}");
    }
}

#[test]
fn a_record_has_the_warnings_of_its_own_run_and_those_about_fields() {
    let cloud = with_package();
    cloud.put(MODELS, "churn/llm/empty/", "");
    promote(&cloud, &[]).document();
    cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    clean_up(&cloud);
    let says = |document: &Value| {
        let warnings = document["warnings"].to_string();
        (warnings.contains("and then deleted"), warnings.contains("ends in '/'"))
    };
    assert_eq!(says(&promote(&cloud, &[]).document()), (true, true));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let updated = promote(&cloud, &[]).document();
    assert_eq!((&updated["outcome"], says(&updated)), (&json!("updated"), (false, true)));
}

#[test]
fn a_version_whose_source_is_rejected_is_not_approved_at_another_prefix_after_the_promoted_version_was_deleted() {
    for more in [&[][..], &["--package-version", "1"], &["--package-version", "1", "--approval", "carry"]] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        clean_up(&cloud);
        for _ in 0..2 {
            promote(&cloud, &[&["--target-prefix", "other"], more].concat()).document();
            assert!(promoted(&cloud).iter().all(|version| version["ModelApprovalStatus"] == "Rejected"), "{more:?}");
        }
    }
}
