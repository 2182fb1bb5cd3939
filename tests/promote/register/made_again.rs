//! A source group that was deleted and made again: its versions have the ARNs of the versions that were promoted.

use super::*;
use crate::support::Principal;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// A world whose version was registered long before it was promoted.
fn promoted_once() -> Cloud {
    let cloud = with_package();
    let long_ago = 1_700_000_000;
    cloud.change(SOURCE_VERSION, json!({"CreationTime": long_ago, "LastModifiedTime": long_ago}));
    promote(&cloud, &[]).document();
    cloud
}

/// Makes the group again, with a version of another model.
fn make_again(cloud: &Cloud, key: &str) {
    cloud.put(MODELS, key, "new weights");
    let mut other = model(&format!("s3://models/{key}"));
    other["ModelPackageGroupName"] = json!("made-now");
    let now = cloud.package(&cloud.register(other.clone())).expect("the version")["CreationTime"].clone();
    let members = json!({
        "CreationTime": now, "LastModifiedTime": now, "ModelApprovalStatus": "Approved", "ApprovalDescription": null,
        "ModelPackageDescription": "The next model", "InferenceSpecification": other["InferenceSpecification"],
        "AdditionalInferenceSpecifications": null, "ModelMetrics": null
    });
    cloud.change(SOURCE_VERSION, members);
}

fn statuses(cloud: &Cloud) -> Vec<String> {
    let text = |version: &Value| version["ModelApprovalStatus"].as_str().expect("a status").to_owned();
    promoted(cloud).iter().map(text).collect()
}

#[test]
fn a_withdrawn_version_is_not_approved_again_for_another_version_with_the_arn_of_its_source() {
    let cloud = promoted_once();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    assert_eq!(promote(&cloud, &[]).code, 0);
    make_again(&cloud, "churn/next.tar.gz");
    let before = promoted(&cloud);
    for _ in 0..2 {
        let says =
            ["was promoted from another version", "2023-11-14T22:13:20Z", "deleted and made again", "--target-prefix"];
        promote(&cloud, &[]).fails(1, &says);
        assert_eq!(promoted(&cloud), before);
    }
    assert_eq!(statuses(&cloud), ["Rejected"]);
}

#[test]
fn the_new_version_is_promoted_as_the_hint_says() {
    for place in [["--target-prefix", "again"], ["--target-group", "Churn-Again"]] {
        let cloud = promoted_once();
        make_again(&cloud, "churn/model.tar.gz");
        promote(&cloud, &[]).fails(1, &["was promoted from another version", place[0]]);
        for outcome in ["promoted", "already-promoted"] {
            let document = promote(&cloud, &place).document();
            assert_eq!(document["outcome"], outcome, "{place:?}");
        }
        let group = if place[0] == "--target-group" { place[1] } else { GROUP };
        let newest = cloud.packages(TARGET_ACCOUNT, group).pop().expect("the new version");
        assert_eq!(
            (&newest["ModelPackageDescription"], &newest["ModelApprovalStatus"]),
            (&json!("The next model"), &json!("Approved"))
        );
        assert_eq!(promoted(&cloud)[0]["ModelPackageDescription"], "Churn, trained on 2026 data");
    }
}

#[test]
fn a_version_without_a_record_is_not_the_promotion_of_a_newer_source() {
    let cloud = promoted_once();
    make_again(&cloud, "churn/next.tar.gz");
    cloud.register(package());
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    cloud.change(COPY, json!({"ModelApprovalStatus": "PendingManualApproval", "CreationTime": 1_700_000_100}));
    let before = promoted(&cloud)[0].clone();
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
    assert_eq!(promoted(&cloud)[0], before);
}

#[test]
fn neither_full_nor_withdraw_follows_another_version_with_the_arn_of_the_source() {
    let cloud = promoted_once();
    cloud.register(package());
    promote(&cloud, &[]).document();
    make_again(&cloud, "churn/next.tar.gz");
    let before = promoted(&cloud);
    let warned = |document: &Value| {
        let text = document["warnings"].to_string();
        assert!(text.contains("deleted and made again; the version was not changed"), "{text}");
    };
    warned(&promote(&cloud, &[]).document());
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    warned(&promote(&cloud, &[]).document());
    let mut withdraw: Vec<String> = full();
    withdraw[0] = "withdraw".into();
    let run = run(&cloud, Principal::Both, &[withdraw, vec!["--output".into(), "json".into()]].concat());
    assert_eq!(run.document()["outcome"], "nothing-to-withdraw");
    assert_eq!(promoted(&cloud), before);
}

#[test]
fn a_version_that_was_copied_is_not_registered_over_the_promotion_of_another_one() {
    let cloud = promoted_once();
    make_again(&cloud, "churn/next.tar.gz");
    let to = ["--target-bucket", SERVING];
    let copy =
        run(&cloud, Principal::Both, &[&["copy-artifacts", "--model-package", SOURCE_VERSION], &to[..]].concat());
    assert_eq!(copy.code, 0, "{}", copy.stderr);
    let before = promoted(&cloud);
    run(&cloud, Principal::Both, &[&["register", "--model-package", SOURCE_VERSION], &to[..]].concat())
        .fails(1, &["was promoted from another version"]);
    assert_eq!(promoted(&cloud), before);
}

/// The time that a version of a group that was made again later has.
fn later() -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    json!(now.as_secs() + 3600)
}

#[test]
fn a_record_of_a_former_target_group_does_not_make_a_version_by_others_the_promotion() {
    for named in [true, false] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        let mut theirs = json!({
            "CreationTime": later(), "ModelPackageDescription": "Theirs",
            "InferenceSpecification": model("s3://serving/theirs.tar.gz")["InferenceSpecification"]
        });
        if !named {
            theirs["CustomerMetadataProperties"] = json!({"team": "theirs"});
        }
        cloud.change(COPY, theirs);
        cloud.age_claims(SERVING);
        cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
        let before = cloud.package(COPY);
        let into = "--into-existing-group";
        let document = promote(&cloud, &[into]).document();
        assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(2)));
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        promote(&cloud, &[into]).document();
        assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
        assert_eq!(cloud.package(COPY), before);
    }
}

#[test]
fn a_version_of_a_target_group_that_was_made_again_has_a_record_of_its_own() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.change(COPY, json!({"CreationTime": later()}));
    let records = || cloud.keys(SERVING).into_iter().filter(|key| key.contains("/promotion")).count();
    assert_eq!(records(), 1);
    let verify = ["verify", "--model-package", COPY];
    assert!(run(&cloud, Principal::Both, &verify).stdout.contains("there is no record of this version"));
    promote(&cloud, &[]).document();
    assert_eq!((records(), promoted(&cloud).len()), (2, 1));
}

#[test]
fn a_version_has_its_record_although_the_clocks_of_s3_and_sagemaker_differ() {
    for ahead in [-3600.0, 12.0, 3600.0] {
        let cloud = world();
        cloud.set_registry_ahead(ahead);
        fill(&cloud);
        promote(&cloud, &[]).document();
        let keys = cloud.keys(SERVING);
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted", "{ahead}");
        assert_eq!(cloud.keys(SERVING), keys, "{ahead}");
        let verify = run(&cloud, Principal::Both, &["verify", "--model-package", COPY]);
        assert_eq!(verify.code, 0, "{ahead}: {}", verify.stdout);
    }
}

#[test]
fn a_record_is_not_about_a_version_that_was_registered_a_second_later_under_the_same_arn() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    let created = promoted(&cloud)[0]["CreationTime"].as_f64().expect("a time");
    assert!(document["target"]["created"].is_string(), "{}", document["target"]);
    cloud.change(COPY, json!({"CreationTime": created + 1.0}));
    let verify = run(&cloud, Principal::Both, &["verify", "--model-package", COPY]);
    assert!(verify.stdout.contains("there is no record of this version"), "{}", verify.stdout);
}
