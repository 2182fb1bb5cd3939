//! Holds at places that no version names.

use super::*;

const AT_MODELS: [&str; 4] = ["--target-bucket", SERVING, "--target-prefix", "models/"];

/// Holds the group at its versions' place, and at a prefix that no version names.
fn hold_also_at_models(cloud: &Cloud) -> Value {
    run(cloud, Principal::Both, &rollback_as("hold", &[&["--reason", "Audit"], &AT_MODELS[..]].concat())).document()
}

fn status(cloud: &Cloud) -> Value {
    run(cloud, Principal::Both, &["status", "--group", &Cloud::group_arn(GROUP), "--output", "json"]).document()
}

#[test]
fn a_release_without_flags_ends_a_hold_at_each_place_that_the_same_act_held() {
    let cloud = three();
    let held = hold_also_at_models(&cloud);
    let places = ["s3://serving/models/churn-model/", "s3://serving/churn-model/"];
    assert_eq!(held["hold"]["places"], json!(places), "{held:#}");
    assert_eq!(release(&cloud).document()["outcome"], "released");
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let document = promote(&cloud, &["--target-prefix", "models/"]).document();
    assert_eq!(document["outcome"], "promoted", "{document:#}");
    assert_eq!(release(&cloud).document()["outcome"], "not-held");
}

#[test]
fn a_release_that_fails_where_no_version_was_promoted_to_is_completed_by_the_next_one() {
    let cloud = three();
    hold_also_at_models(&cloud);
    let key = "models/churn-model/_hold-1-released/release.json";
    let denied = Failure::Status(403, "AccessDenied", "Denied");
    cloud.fail(Moment::every("PutObject").at(&format!("{SERVING}/{key}")), denied);
    release(&cloud).fails(1, &["could not be released at s3://serving/models/churn-model/"]);
    cloud.heal();
    assert_eq!(status(&cloud)["hold"]["places"][0], "s3://serving/models/churn-model/");
    assert_eq!(release(&cloud).document()["outcome"], "released");
    assert!(cloud.keys(SERVING).contains(&key.to_owned()), "{:?}", cloud.keys(SERVING));
    assert!(status(&cloud)["hold"].is_null());
    assert_eq!(release(&cloud).document()["outcome"], "not-held");
}

#[test]
fn the_hint_of_a_run_into_a_held_group_is_the_command_that_releases_it() {
    let cloud = with_package();
    let held = rollback_as("hold", &["--reason", "Audit", "--target-bucket", SERVING]);
    assert_eq!(run(&cloud, Principal::Both, &held).document()["outcome"], "held");
    // No version names the place of the hold.
    assert_eq!(promote(&cloud, &["--target-prefix", "other/"]).document()["outcome"], "promoted");
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let stopped = promote(&cloud, &[]);
    assert_eq!(stopped.document()["outcome"], "held");
    let command = format!("release --target-group {GROUP} --target-bucket {SERVING} --target-prefix /");
    assert!(stopped.stderr.to_lowercase().contains(&command.to_lowercase()), "{}", stopped.stderr);
    let flags: Vec<&str> = command.split(' ').chain(["--output", "json"]).collect();
    assert_eq!(run(&cloud, Principal::Both, &flags).document()["outcome"], "released");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn a_release_in_a_bucket_also_ends_a_hold_at_its_root() {
    let cloud = with_package();
    let at_bucket = ["--target-bucket", SERVING];
    let held = rollback_as("hold", &[&["--reason", "Audit"], &at_bucket[..]].concat());
    assert_eq!(run(&cloud, Principal::Both, &held).document()["outcome"], "held");
    assert_eq!(promote(&cloud, &["--target-prefix", "other/"]).document()["outcome"], "promoted");
    let released = run(&cloud, Principal::Both, &rollback_as("release", &at_bucket)).document();
    assert_eq!(released["outcome"], "released", "{released:#}");
    cloud.register(model("s3://models/churn/model.tar.gz"));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}
