//! Promoted versions whose `promote:` metadata somebody has removed: their records name them.

use serde_json::{Value, json};

use super::races::arn_of_version;
use crate::support::{Cloud, Failure, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

/// A package with an image and nothing in S3.
fn image_only() -> Value {
    let mut package = model("");
    let container = &mut package["InferenceSpecification"]["Containers"][0];
    container.as_object_mut().expect("a container").remove("ModelDataUrl");
    package
}

fn with_image_only() -> Cloud {
    let cloud = world();
    cloud.register(image_only());
    cloud
}

/// The metadata of a version without what promote has set.
fn remove_metadata(cloud: &Cloud, version: u32) {
    cloud.change(&arn_of_version(version), json!({"CustomerMetadataProperties": {"team": "growth"}}));
}

fn approvals(cloud: &Cloud) -> Vec<String> {
    let status = |version: &Value| version["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned();
    promoted(cloud).iter().map(status).collect()
}

fn verify(cloud: &Cloud, more: &[&str]) -> Run {
    let version = arn_of_version(1);
    let arguments = [&["verify", "--model-package", &version, "--output", "json"][..], more].concat();
    run(cloud, Principal::Both, &arguments)
}

/// The details of the findings about the record and the metadata.
fn details(run: &Run) -> String {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    let findings = document["findings"].as_array().cloned().unwrap_or_default();
    let changed = findings.iter().filter(|one| one["verdict"] == "changed");
    changed.map(|one| format!("{} {}: {}\n", one["subject"], one["name"], one["detail"])).collect()
}

/// What a run says if only the record of the first source version names its promotion.
fn only_the_record_names_it() -> [String; 2] {
    let names = format!("only records name {} as the promotion of {SOURCE_VERSION}", arn_of_version(1));
    [names, format!("hint: Set promote:source-arn in its customer metadata to {SOURCE_VERSION} if that is true")]
}

fn set_metadata(cloud: &Cloud) {
    let metadata = json!({"CustomerMetadataProperties": {"promote:source-arn": SOURCE_VERSION}});
    cloud.change(&arn_of_version(1), metadata);
}

#[test]
fn a_version_of_an_image_alone_is_not_registered_again_and_is_named_with_its_record() {
    for images in ["copy", "keep"] {
        let cloud = with_image_only();
        let flags = ["--images", images];
        promote(&cloud, &flags).document();
        remove_metadata(&cloud, 1);
        let before = cloud.package(&arn_of_version(1));
        let says = only_the_record_names_it();
        for more in [&["--dry-run"][..], &[]] {
            promote(&cloud, &[&flags[..], more].concat()).fails(1, &says.each_ref().map(String::as_str));
            assert_eq!((cloud.package(&arn_of_version(1)), promoted(&cloud).len()), (before.clone(), 1));
        }
        let specification = before.expect("the version")["InferenceSpecification"].clone();
        let mut edited = specification.clone();
        edited["Containers"][0]["Environment"] = json!({"EDITED": "by others"});
        cloud.change(&arn_of_version(1), json!({"InferenceSpecification": edited}));
        promote(&cloud, &flags).fails(1, &says.each_ref().map(String::as_str));
        assert_eq!(promoted(&cloud).len(), 1);
        cloud.change(&arn_of_version(1), json!({"InferenceSpecification": specification}));
        set_metadata(&cloud);
        promote(&cloud, &flags).document();
        assert_eq!(verify(&cloud, &["--target-bucket", SERVING]).code, 0);
        assert_eq!(promote(&cloud, &flags).document()["outcome"], "already-promoted");
    }
}

#[test]
fn a_version_of_an_image_alone_follows_its_source_once_its_metadata_is_set_again() {
    let cloud = with_image_only();
    promote(&cloud, &[]).document();
    cloud.register(image_only());
    promote(&cloud, &[]).document();
    for (status, before) in [("Rejected", "Approved"), ("Approved", "Rejected")] {
        remove_metadata(&cloud, 1);
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        let run = promote(&cloud, &[]);
        assert_eq!((run.code, approvals(&cloud)), (1, vec![before.to_owned(), "Approved".to_owned()]));
        assert!(run.stderr.contains(&only_the_record_names_it()[0]), "{}", run.stderr);
        set_metadata(&cloud);
        promote(&cloud, &[]).document();
        assert_eq!(approvals(&cloud), [status, "Approved"]);
    }
}

#[test]
fn a_pending_version_that_only_its_record_names_is_neither_approved_nor_registered_again() {
    let cloud = with_image_only();
    promote(&cloud, &["--approval", "pending"]).document();
    remove_metadata(&cloud, 1);
    let says = only_the_record_names_it();
    for more in [&[][..], &["--approval", "carry"]] {
        promote(&cloud, more).fails(1, &says.each_ref().map(String::as_str));
        assert_eq!(approvals(&cloud), ["PendingManualApproval"]);
    }
    set_metadata(&cloud);
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(approvals(&cloud), ["Approved"]);
}

#[test]
fn a_forged_record_makes_a_model_by_others_no_promoted_version() {
    let cloud = with_image_only();
    cloud.create_group(TARGET_ACCOUNT, GROUP, json!({}));
    let mut theirs = image_only();
    theirs["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] = json!("s3://theirs/model.tar.gz");
    let theirs = cloud.register_in(TARGET_ACCOUNT, theirs);
    promote(&cloud, &["--into-existing-group", "--images", "keep"]).document();
    let key = format!("{FOLDER}promotion.json");
    let record = cloud.object(SERVING, &key).expect("the record").body.bytes();
    let mut record: Value = serde_json::from_slice(&record).expect("JSON");
    record["target"]["model_package_arn"] = json!(theirs);
    let description = cloud.package(&theirs).expect("their version");
    for member in ["InferenceSpecification", "CustomerMetadataProperties"] {
        record["request"][member] = description[member].clone();
    }
    cloud.put(SERVING, &key, record.to_string());
    remove_metadata(&cloud, 2);
    for status in ["Approved", "Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote(&cloud, &["--into-existing-group", "--images", "keep"]);
        assert_eq!(cloud.package(&theirs).as_ref(), Some(&description));
    }
}

#[test]
fn a_record_does_not_make_an_image_by_others_a_promoted_version() {
    let cloud = with_image_only();
    cloud.create_group(TARGET_ACCOUNT, GROUP, json!({}));
    let mut theirs = image_only();
    let other = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/theirs:1";
    theirs["InferenceSpecification"]["Containers"][0]["Image"] = json!(other);
    let theirs = cloud.register_in(TARGET_ACCOUNT, theirs);
    promote(&cloud, &["--into-existing-group", "--images", "keep"]).document();
    let before = cloud.package(&theirs);
    let key = format!("{FOLDER}promotion.json");
    let record = cloud.object(SERVING, &key).expect("the record").body.bytes();
    let record = String::from_utf8(record.to_vec()).expect("UTF-8");
    let of_theirs = record.replace(&arn_of_version(2), &theirs);
    let images = of_theirs.replace("444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1", other);
    for forged in [of_theirs, images] {
        cloud.put(SERVING, &key, forged);
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        promote(&cloud, &["--images", "keep"]);
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
        promote(&cloud, &["--images", "keep"]);
        assert_eq!(cloud.package(&theirs), before);
    }
}

#[test]
fn a_group_whose_only_version_has_lost_its_metadata_is_not_taken_for_a_group_of_others() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    remove_metadata(&cloud, 1);
    cloud.register(image_only());
    let next = promote(&cloud, &[]).document();
    assert_eq!(next["outcome"], "promoted", "{next:#}");
    assert_eq!(next["target_group"], json!({"existed": true, "ours": 1, "others": 0, "unread": 0}));
    assert_eq!(approvals(&cloud), ["Approved", "Approved"]);
}

#[test]
fn verify_says_that_the_metadata_is_gone_and_which_record_names_the_version() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    remove_metadata(&cloud, 1);
    let record = format!("s3://{SERVING}/{FOLDER}promotion.json");
    for more in [&[][..], &["--target-bucket", SERVING]] {
        let run = verify(&cloud, more);
        assert_eq!(run.code, 5, "{}", run.stderr);
        let says = format!("\"record\" \"{record}\": \"somebody has removed the metadata that promote has set");
        assert!(details(&run).contains(&says), "{}", details(&run));
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(document["source_model_package_arn"], SOURCE_VERSION);
    }
    let group = ["verify", "--group", &Cloud::group_arn(GROUP), "--output", "json"];
    let run = run(&cloud, Principal::Both, &group);
    assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
}

#[test]
fn verify_finds_the_record_of_an_image_alone_in_the_bucket_and_below_the_prefix_that_are_given() {
    let cloud = with_image_only();
    promote(&cloud, &["--target-prefix", "models/live"]).document();
    remove_metadata(&cloud, 1);
    let says = ["was not promoted: its customer metadata has no promote:source-arn", "`--target-bucket`"];
    verify(&cloud, &[]).fails(1, &says);
    let elsewhere = ["was not promoted", "no record below s3://serving/churn-model/ names it"];
    verify(&cloud, &["--target-bucket", SERVING]).fails(1, &elsewhere);
    let run = verify(&cloud, &["--target-bucket", SERVING, "--target-prefix", "models/live"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(details(&run).contains("somebody has removed the metadata"), "{}", details(&run));
    let group = Cloud::group_arn(GROUP);
    let place = ["--target-bucket", SERVING, "--target-prefix", "models/live"];
    let group = [&["verify", "--group", &group, "--output", "json"][..], &place].concat();
    let of_group = self::run(&cloud, Principal::Both, &group);
    assert_eq!(of_group.code, 5, "{}{}", of_group.stdout, of_group.stderr);
}

#[test]
fn an_interrupted_repair_of_the_metadata_is_completed() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    remove_metadata(&cloud, 1);
    cloud.fail(Moment::every("UpdateModelPackage"), Failure::Reset);
    promote(&cloud, &[]);
    cloud.heal();
    promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["Approved"]);
    assert_eq!(verify(&cloud, &["--target-bucket", SERVING]).code, 0);
}
