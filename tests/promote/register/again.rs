//! A second promotion of the same version: one target version, whatever became of the first one, its record and its
//! place.

use anyhow::{Result, ensure};

use super::*;
use crate::run::faults::{AT_ONCE, each};
use crate::stand_in::client::Client;
use crate::support::Principal;

/// Removes a version from the target's registry, as somebody there would.
pub(super) fn delete_version(cloud: &Cloud, arn: &Value) {
    let mut client = Client::new(cloud, Principal::Target);
    let answer = client.registry("DeleteModelPackage", json!({"ModelPackageName": arn}));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn versions(cloud: &Cloud) -> Vec<u64> {
    promoted(cloud).iter().filter_map(|package| package["ModelPackageVersion"].as_u64()).collect()
}

#[test]
fn a_deleted_version_is_registered_again_and_recorded_beside_the_first_record() {
    let cloud = with_package();
    let first = promote(&cloud, &[]).document();
    cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
    delete_version(&cloud, &first["target"]["model_package_arn"]);
    cloud.age_claims(SERVING);
    let second = promote(&cloud, &[]).document();
    assert_eq!((&second["outcome"], &second["target"]["version"]), (&json!("promoted"), &json!(3)));
    assert_eq!(second["artifacts"][0]["result"], "already-there");
    assert_eq!(versions(&cloud), [2, 3]);
    assert_eq!(record(&cloud, "promotion.json"), first);
    assert_eq!(record(&cloud, "promotion-3.json"), second);
    let third = promote(&cloud, &[]).document();
    assert_eq!((&third["outcome"], &third["target"]["version"]), (&json!("already-promoted"), &json!(3)));
    assert_eq!((versions(&cloud), cloud.calls_of("CopyObject").len()), (vec![2, 3], 4));
    assert_eq!(record(&cloud, "promotion-3.json"), second);
}

#[test]
fn a_lost_record_is_written_again_and_nothing_is_registered() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    let again = promote(&cloud, &[]).document();
    assert_eq!((&again["outcome"], &again["target"]["version"]), (&json!("already-promoted"), &json!(1)));
    assert_eq!(versions(&cloud), [1]);
    assert_eq!(record(&cloud, "promotion.json")["target"]["model_package_arn"], again["target"]["model_package_arn"]);
}

#[test]
fn a_version_that_was_promoted_to_another_prefix_is_not_changed_and_nothing_is_copied() {
    let cloud = with_package();
    let first = promote(&cloud, &["--target-prefix", "first/place"]).document();
    let (before, keys) = (promoted(&cloud), cloud.keys(SERVING));
    assert!(keys.iter().all(|key| key.starts_with("first/place/churn-model/")), "{keys:?}");
    let run = promote(&cloud, &["--target-prefix", "second"]);
    let again = run.document();
    assert_eq!(again["outcome"], "already-promoted");
    assert_eq!(again["target"]["model_package_arn"], first["target"]["model_package_arn"]);
    assert!(
        run.stderr.contains("was promoted with other settings; the settings of this run have no effect on it"),
        "{}",
        run.stderr
    );
    let warnings = again["warnings"].to_string();
    let prefix = "`--target-prefix` has no effect: the version was promoted to s3://serving/first/place/churn-model/";
    assert!(warnings.contains(prefix), "{warnings}");
    assert_eq!((promoted(&cloud), cloud.keys(SERVING)), (before, keys));
    let without = promote(&cloud, &[]).document()["warnings"].to_string();
    assert!(!without.contains("--target-prefix"), "nobody has passed it: {without}");
    let key = "arn:aws:kms:eu-central-1:111222333444:key/11111111-2222-3333-4444-555555555555";
    let warnings =
        promote(&cloud, &["--target-prefix", "second", "--kms-key-arn", key]).document()["warnings"].to_string();
    assert!(warnings.contains(prefix) && warnings.contains("`--kms-key-arn` has no effect"), "{warnings}");
}

#[test]
fn a_run_does_not_advise_to_run_its_own_command_for_a_version_without_a_record() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "first"]).document();
    let record = cloud.keys(SERVING).into_iter().find(|key| key.ends_with("/promotion.json")).expect("a record");
    cloud.remove(SERVING, &record);
    let warnings = promote(&cloud, &["--package-version", "1"]).document()["warnings"].to_string();
    let advice = format!("run `promote full --package-version 1 --target-bucket {SERVING} --target-prefix first`");
    assert!(warnings.contains(&advice), "{warnings}");
    promote(&cloud, &["--package-version", "1", "--target-prefix", "first"]).document();
    assert!(cloud.keys(SERVING).contains(&record));
}

#[test]
fn the_document_of_a_promotion_to_another_prefix_names_the_destination_of_its_artifacts() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "first"]).document();
    let again = promote(&cloud, &["--target-prefix", "second"]).document();
    let folder = again["target"]["folder"].as_str().expect("a folder").to_owned();
    let url = &promoted(&cloud)[0]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"];
    assert!(url.as_str().is_some_and(|url| url.starts_with(&folder)), "{url} is not below {folder}");
}

#[test]
fn a_second_version_of_the_source_becomes_a_second_version_of_the_target() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let first = promoted(&cloud);
    cloud.register(package());
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["source"]["version"], &document["target"]["version"]), (&json!(2), &json!(2)));
    assert_eq!((promoted(&cloud)[0].clone(), versions(&cloud)), (first[0].clone(), vec![1, 2]));
    assert_eq!(cloud.keys(SERVING).iter().filter(|key| key.contains("-churn-model-v2/")).count(), 6);
    assert_eq!(promote(&cloud, &["--package-version", "1"]).document()["outcome"], "already-promoted");
    assert_eq!(versions(&cloud), [1, 2]);
}

#[test]
fn the_single_steps_give_the_same_result_as_full() {
    let cloud = with_package();
    let group = Cloud::group_arn(GROUP);
    let found = run(&cloud, Principal::Both, &["find-latest", "--group", &group, "--output", "json"]);
    found.document();
    let file = cloud.home().join("found.json");
    std::fs::write(&file, &found.stdout).expect("a file in the home folder");
    let from = file.to_str().expect("a path in UTF-8");
    let copy = ["copy-artifacts", "--from", from, "--target-bucket", SERVING, "--output", "json", "--record", from];
    let copied = run(&cloud, Principal::Both, &copy).document();
    assert_eq!((&copied["outcome"], promoted(&cloud).len()), (&json!("copied"), 0));
    let registered = run(&cloud, Principal::Both, &["register", "--from", from, "--output", "json"]).document();
    assert_eq!((&registered["outcome"], versions(&cloud)), (&json!("promoted"), vec![1]));
    let (steps, other) = (create_request(&cloud), with_package());
    promote(&other, &[]).document();
    assert_eq!(steps, create_request(&other));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn a_key_that_has_no_effect_on_a_version_that_was_promoted_before_is_named() {
    const KEYS: [&str; 2] = [
        "arn:aws:kms:eu-central-1:111222333444:key/11111111-2222-3333-4444-555555555555",
        "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000",
    ];
    let told = |document: &Value| document["warnings"].to_string().contains("`--kms-key-arn` has no effect");
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let document = promote(&cloud, &["--kms-key-arn", KEYS[0]]).document();
    assert!(told(&document) && document["warnings"].to_string().contains("was promoted without it"), "{document:#}");
    let cloud = with_package();
    assert_eq!(promote(&cloud, &["--kms-key-arn", KEYS[0]]).document()["kms_key"], KEYS[0]);
    let same = promote(&cloud, &["--kms-key-arn", KEYS[0]]).document();
    assert_eq!((&same["kms_key"], &same["warnings"]), (&json!(KEYS[0]), &json!([])));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let other = promote(&cloud, &["--kms-key-arn", KEYS[1]]).document();
    assert!(told(&other) && other["warnings"].to_string().contains(KEYS[0]), "{other:#}");
    assert_eq!(other["kms_key"], KEYS[0], "it is the key of the promotion");
    assert!(!told(&promote(&cloud, &[]).document()), "the warning is about the run that was given another key");
}

#[test]
fn each_setting_that_has_no_effect_on_a_version_that_was_promoted_before_is_named() {
    const ROLES: [[&str; 2]; 2] = [
        ["--target-validation-role-arn", "arn:aws:iam::111222333444:role/validation"],
        ["--target-validation-role-arn", "arn:aws:iam::111222333444:role/other"],
    ];
    let cases = [
        (ROLES[0], ROLES[1], "`--target-validation-role-arn` has no effect: the version was promoted with arn:aws:iam"),
        (
            ["--verify", "size"],
            ROLES[0],
            "`--target-validation-role-arn` has no effect: the version was promoted without its",
        ),
        (["--environment-urls", "none"], ["--environment-urls", "all"], "`--environment-urls all` has no effect"),
        (
            ["--images", "copy"],
            ["--images", "keep"],
            "`--images keep` has no effect: the version was promoted with copies",
        ),
        (
            ["--images", "keep"],
            ["--images", "copy"],
            "`--images copy` has no effect: the version was promoted with the images",
        ),
        (
            ["--image-repository-prefix", "team/"],
            ["--image-repository-prefix", "models/"],
            "`--image-repository-prefix` has no effect: the version was promoted with 111222333444.dkr.ecr",
        ),
        (["--verify", "checksum"], ["--verify", "deep"], "`--verify deep` has no effect on artifacts that are there"),
    ];
    each(AT_ONCE, &cases, |(then, now, warning)| {
        let cloud = world();
        fill(&cloud);
        cloud.register(with_validation_and_variable());
        let warnings = |flags: &[&str]| -> Result<String> {
            let run = promote(&cloud, flags);
            ensure!(run.code == 0, "{}", run.stderr);
            Ok(run.document()["warnings"].to_string())
        };
        let told = |warnings: &str| warnings.contains("has no effect");
        ensure!(!told(&warnings(then)?), "{then:?}: the first promotion");
        ensure!(!told(&warnings(then)?), "{then:?}: the same settings again");
        ensure!(now[0] == "--images" || !told(&warnings(&[])?), "{then:?}: the defaults");
        let warnings = warnings(now)?;
        ensure!(warnings.contains(warning), "{now:?} after {then:?}: {warnings}");
        Ok(())
    });
}

/// The package of the world with a validation and a URL in a variable.
fn with_validation_and_variable() -> Value {
    let mut package = package();
    package["InferenceSpecification"]["Containers"][0]["Environment"]["CODE"] = json!("s3://models/churn/model.tar.gz");
    package["ValidationSpecification"] = json!({
        "ValidationRole": "arn:aws:iam::444333666777:role/validation",
        "ValidationProfiles": [{"ProfileName": "p", "TransformJobDefinition": {
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/churn/llm/"}}
            },
            "TransformOutput": {"S3OutputPath": "s3://models/out/"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}
        }}]
    });
    package
}

#[test]
fn a_pending_version_stays_where_it_is_when_another_prefix_is_given() {
    let cloud = with_package();
    let first = promote(&cloud, &["--target-prefix", "first", "--approval", "pending"]).document();
    let (before, keys) = (promoted(&cloud), cloud.keys(SERVING));
    for _ in 0..2 {
        let again = promote(&cloud, &["--target-prefix", "second"]).document();
        assert_eq!(
            (&again["outcome"], &again["target"]["folder"]),
            (&json!("already-promoted"), &first["target"]["folder"])
        );
    }
    assert_eq!((promoted(&cloud), cloud.keys(SERVING)), (before, keys));
}
