//! The spelling of group names: one promotion, whichever spelling a person types and the registry answers with.

use serde_json::{Value, json};

use crate::support::{Cloud, Principal, Spelling, TARGET_ACCOUNT};
use crate::world::*;

/// What people type for the same group.
const TYPED: [&str; 4] = [GROUP, "churn-model", "CHURN-MODEL", "Churn-model"];

/// How the registry answers. It understands every spelling.
const SPELLINGS: [Spelling; 3] = [Spelling::LowerCase, Spelling::AsCreated, Spelling::Mixed];

fn promote_as(cloud: &Cloud, name: &str) -> Value {
    let group = Cloud::group_arn(name);
    let full = ["full", "--group", &group, "--target-bucket", SERVING, "--output", "json"];
    run(cloud, Principal::Both, &full).document()
}

/// The ARN of a version of the group in an account, with the group's name as somebody types it.
fn version(account: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:eu-central-1:{account}:model-package/{name}/1")
}

fn decide(cloud: &Cloud, status: &str) {
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
}

/// The one version of the target, which is in this state.
fn the_promoted_version_is(cloud: &Cloud, status: &str) -> Value {
    let versions = promoted(cloud);
    assert_eq!(versions.len(), 1, "{versions:#?}");
    assert_eq!(versions[0]["ModelApprovalStatus"], status);
    versions[0].clone()
}

#[test]
fn a_version_is_promoted_followed_and_verified_whichever_spelling_is_typed_and_answered() {
    for spelling in SPELLINGS {
        let cloud = with_package();
        cloud.spell(spelling);
        assert_eq!(promote_as(&cloud, GROUP)["outcome"], "promoted", "{spelling:?}");
        let keys = cloud.keys(SERVING);
        assert!(keys.iter().all(|key| key.starts_with(FOLDER)), "{keys:?}");
        for name in TYPED {
            assert_eq!(promote_as(&cloud, name)["outcome"], "already-promoted", "{name} {spelling:?}");
        }
        let metadata = &the_promoted_version_is(&cloud, "Approved")["CustomerMetadataProperties"];
        assert_eq!(metadata["promote:source-arn"], SOURCE_VERSION);
        assert_eq!(cloud.keys(SERVING), keys, "nothing is written twice");
        decide(&cloud, "Rejected");
        assert_eq!(promote_as(&cloud, TYPED[1])["withdrawn"].as_array().map(Vec::len), Some(1), "{spelling:?}");
        the_promoted_version_is(&cloud, "Rejected");
        decide(&cloud, "Approved");
        assert_eq!(promote_as(&cloud, TYPED[2])["outcome"], "approved-again", "{spelling:?}");
        the_promoted_version_is(&cloud, "Approved");
        for name in TYPED {
            let arn = version(TARGET_ACCOUNT, name);
            let verified = run(&cloud, Principal::Both, &["verify", "--model-package", &arn, "--output", "json"]);
            assert_eq!(verified.document()["outcome"], "identical", "{name} {spelling:?}");
            let status = ["status", "--group", &Cloud::group_arn(name), "--output", "json"];
            let status = run(&cloud, Principal::Both, &status).document();
            let row = &status["versions"][0];
            assert_eq!((&row["state"], &row["drift"], &status["others"]), (&json!("promoted"), &json!([]), &json!(0)));
        }
    }
}

#[test]
fn the_steps_take_an_arn_in_any_spelling() {
    for spelling in SPELLINGS {
        let cloud = with_package();
        cloud.spell(spelling);
        let step = |verb: &str, name: &str| {
            let arn = version("444333666777", name);
            let target = ["--target-group", GROUP, "--target-bucket", SERVING, "--output", "json"];
            let arguments = [&[verb, "--model-package", &arn][..], &target].concat();
            run(&cloud, Principal::Both, &arguments).document()
        };
        assert_eq!(step("copy-artifacts", GROUP)["outcome"], "copied", "{spelling:?}");
        assert_eq!(step("register", "CHURN-model")["outcome"], "promoted", "{spelling:?}");
        assert_eq!(step("register", "churn-model")["outcome"], "already-promoted", "{spelling:?}");
        the_promoted_version_is(&cloud, "Approved");
    }
}

#[test]
fn a_step_goes_on_after_the_step_before_although_the_registry_changes_its_spelling() {
    let cloud = with_package();
    let group = Cloud::group_arn(GROUP);
    let found = run(&cloud, Principal::Both, &["find-latest", "--group", &group, "--output", "json"]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    cloud.spell(Spelling::AsCreated);
    let arguments = ["copy-artifacts", "--from", "-", "--target-bucket", SERVING, "--output", "json"];
    let copied = cloud.promote(Principal::Both).args(arguments).write_stdin(found.stdout).output();
    assert_eq!(Run::of(copied.expect("the binary starts")).document()["outcome"], "copied");
}

#[test]
fn a_group_is_not_promoted_into_itself_in_another_spelling() {
    let cloud = with_package();
    let arguments = ["full", "--group", GROUP, "--target-group", "CHURN-model", "--target-bucket", SERVING];
    run(&cloud, Principal::Source, &arguments).fails(1, &["would be promoted into itself"]);
}

#[test]
fn a_rewritten_folder_of_a_longer_group_name_is_not_mistaken_for_this_promotion() {
    let cloud = with_package();
    let document = promote(&cloud, &["--target-prefix", "first", "--target-group", "b"]).document();
    assert_eq!(document["target"]["prefix"], "first/");
    let again = promote(&cloud, &["--target-prefix", "first/a-", "--target-group", "b"]).document();
    assert_eq!((&again["outcome"], &again["target"]["prefix"]), (&json!("already-promoted"), &json!("first/")));
}
