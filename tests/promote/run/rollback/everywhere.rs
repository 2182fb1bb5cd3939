//! A hold stops promotions into a group at every bucket and prefix.

mod unreachable;

use super::*;

/// The key of the first hold at a prefix.
fn first_hold(prefix: &str) -> String {
    format!("{prefix}churn-model/_hold-1-held/hold.json")
}

/// Whether the first hold at a prefix is there.
fn has_hold(cloud: &Cloud, prefix: &str) -> bool {
    cloud.keys(SERVING).contains(&first_hold(prefix))
}

/// Versions 1 to 3, promoted to the usual prefix, and version 4, promoted to another one by mistake.
fn with_stray_run() -> Cloud {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    assert_eq!(elsewhere(&cloud, &[])["outcome"], "promoted");
    cloud
}

/// A run that promotes to another prefix.
fn elsewhere(cloud: &Cloud, more: &[&str]) -> Value {
    promote(cloud, &[&["--target-prefix", "other/"], more].concat()).document()
}

fn decide(cloud: &Cloud, version: &str, status: &str) {
    let arn = SOURCE_VERSION.replace("/1", &format!("/{version}"));
    cloud.change(&arn, json!({"ModelApprovalStatus": status}));
}

#[test]
fn nothing_is_promoted_into_a_held_group_by_a_run_to_another_prefix_or_bucket() {
    let cloud = three();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    hold(&cloud).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let before = writes(&cloud).len();
    for more in [&["--target-prefix", "other/"][..], &["--target-bucket", "archive"]] {
        let group = Cloud::group_arn(GROUP);
        let flags = ["full", "--group", &group, "--target-bucket", SERVING, "--output", "json"];
        let flags = if more[0] == "--target-bucket" { [&flags[..3], &flags[5..]].concat() } else { flags.to_vec() };
        for dry_run in [&[][..], &["--dry-run"]] {
            let run = run(&cloud, Principal::Both, &[&flags[..], more, dry_run].concat());
            let document = run.document();
            assert_eq!(document["hold"]["reason"], "Audit", "{more:?}: {document:#}");
            assert_eq!(document["planned"][0]["act"], "register", "{document:#}");
            assert!(run.stderr.contains("is held since"), "{}", run.stderr);
            let outcome = if dry_run.is_empty() { "held" } else { "planned" };
            assert_eq!(document["outcome"], outcome, "{document:#}");
        }
    }
    assert_eq!(writes(&cloud).len(), before, "{:?}", writes(&cloud));
    release(&cloud).document();
    assert_eq!(elsewhere(&cloud, &[])["outcome"], "promoted");
}

#[test]
fn a_run_to_another_prefix_withdraws_what_the_source_rejects_in_a_held_group() {
    let cloud = three();
    hold(&cloud).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    decide(&cloud, "2", "Rejected");
    let document = elsewhere(&cloud, &[]);
    assert_eq!((&document["outcome"], &document["withdrawn"][0]["version"]), (&json!("held"), &json!(2)));
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
}

#[test]
fn register_at_another_prefix_registers_nothing_in_a_held_group() {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let fourth = SOURCE_VERSION.replace("/1", "/4");
    let flags = ["--target-bucket", SERVING, "--target-prefix", "other/", "--output", "json"];
    let copied = run(&cloud, Principal::Both, &[&["copy-artifacts", "--model-package", &fourth], &flags[..]].concat());
    let step = cloud.home().join("copied.json");
    std::fs::write(&step, &copied.stdout).expect("a file");
    hold(&cloud).document();
    let from = step.to_string_lossy().into_owned();
    let registers = ["register", "--from", &from, "--output", "json"];
    let document = run(&cloud, Principal::Both, &registers).document();
    assert_eq!((&document["outcome"], &document["hold"]["reason"]), (&json!("held"), &json!("Audit")), "{document:#}");
    assert_eq!(statuses(&cloud), ["Approved"; 3]);
    release(&cloud).document();
    assert_eq!(run(&cloud, Principal::Both, &registers).document()["outcome"], "promoted");
}

#[test]
fn a_run_at_another_prefix_that_is_held_while_it_copies_registers_nothing() {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud.hook(Moment::on("CopyObject", 1), |cloud| drop(hold(cloud)));
    assert_eq!(elsewhere(&cloud, &[])["outcome"], "held");
    assert_eq!(statuses(&cloud), ["Approved"; 3]);
}

#[test]
fn a_version_at_a_held_place_is_not_approved_again_by_a_run_to_another_prefix() {
    // Version 3 is the latest at the other prefix, or version 2 is the latest at all.
    for promoted_elsewhere in [true, false] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        cloud.register(model("s3://models/churn/model.tar.gz"));
        promote(&cloud, &[]).document();
        let mut expected = vec!["Approved", "Rejected"];
        if promoted_elsewhere {
            cloud.register(model("s3://models/churn/model.tar.gz"));
            elsewhere(&cloud, &[]);
            expected.push("Approved");
        }
        decide(&cloud, "2", "Rejected");
        promote(&cloud, &[]).document();
        assert_eq!(statuses(&cloud)[..2], expected[..2]);
        decide(&cloud, "2", "Approved");
        // The hold of an earlier release is at one place only.
        cloud.put(SERVING, &first_hold(""), "{}");
        let document = elsewhere(&cloud, &[]);
        assert!(document["warnings"].to_string().contains("is held since"), "{document:#}");
        assert_eq!(document["hold"]["number"], 1, "{document:#}");
        assert_eq!(statuses(&cloud), expected, "{document:#}");
        if promoted_elsewhere {
            let followed = &document["followed"][0];
            assert_eq!((&followed["version"], &followed["result"]), (&json!(2), &json!("held")), "{document:#}");
        }
        release(&cloud).document();
        elsewhere(&cloud, &[]);
        assert_eq!(statuses(&cloud)[1], "Approved");
    }
}

/// Version 1, promoted to the usual prefix, and versions 2 and 3, promoted to another one.
fn moved_to_another_prefix() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    for _ in 0..2 {
        cloud.register(model("s3://models/churn/model.tar.gz"));
        elsewhere(&cloud, &[]);
    }
    cloud
}

#[test]
fn no_version_is_approved_again_in_a_group_that_is_held_only_where_another_version_was_promoted_to() {
    // Version 2 is followed, and version 3 is the latest. Approvals of one run look for the hold side by side.
    for versions in [&["2"][..], &["3"], &["2", "3"]] {
        let cloud = moved_to_another_prefix();
        versions.iter().for_each(|version| decide(&cloud, version, "Rejected"));
        elsewhere(&cloud, &[]);
        versions.iter().for_each(|version| decide(&cloud, version, "Approved"));
        // The hold could not be written to the other prefix.
        cloud.put(SERVING, &first_hold(""), "{}");
        let before = statuses(&cloud);
        let document = elsewhere(&cloud, &[]);
        assert_eq!(document["hold"]["number"], 1, "{document:#}");
        let outcome = if versions.contains(&"3") { "held" } else { "already-promoted" };
        assert_eq!(document["outcome"], outcome, "{document:#}");
        assert_eq!(statuses(&cloud), before, "{document:#}");
        assert_eq!(before.iter().filter(|status| *status == "Rejected").count(), versions.len(), "{before:?}");
        release(&cloud).document();
        elsewhere(&cloud, &[]);
        assert_eq!(statuses(&cloud), ["Approved"; 3]);
    }
}

#[test]
fn approvals_warn_once_of_a_place_where_no_hold_can_be_looked_for() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &[]).document();
    let of_archive = |document: &Value| {
        let warnings = document["warnings"].as_array().expect("warnings").iter();
        warnings.filter(|warning| warning["field"] == "s3://archive/churn-model/").count()
    };
    let is_here = |version: &Value| version.to_string().contains("s3://serving/");
    let numbers = (1..).map(|number: usize| number.to_string());
    let here: Vec<String> = numbers.zip(promoted(&cloud)).filter(|(_, of)| is_here(of)).map(|(n, _)| n).collect();
    assert_eq!(here, ["3", "4"]);
    here.iter().for_each(|version| decide(&cloud, version, "Rejected"));
    promote(&cloud, &[]).document();
    here.iter().for_each(|version| decide(&cloud, version, "Approved"));
    cloud.deny(Principal::Both, "s3:ListBucket", "archive");
    let document = promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), vec!["Approved"; promoted(&cloud).len()], "{document:#}");
    assert_eq!(of_archive(&document), 1, "{document:#}");
}

#[test]
fn a_rollback_after_a_run_to_another_prefix_holds_the_group_at_both_until_one_release() {
    let cloud = with_stray_run();
    let document = rollback(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["to"]), (&json!("rolled-back"), &json!(format!("{TARGET_VERSION}3"))));
    assert!(has_hold(&cloud, "") && has_hold(&cloud, "other/"), "{:?}", cloud.keys(SERVING));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "held");
    assert_eq!(elsewhere(&cloud, &[])["outcome"], "held");
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Approved", "Rejected"]);
    assert_eq!(release(&cloud).document()["outcome"], "released");
    assert_eq!(release(&cloud).document()["outcome"], "not-held");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn a_release_without_flags_ends_a_hold_at_the_place_of_older_versions() {
    let cloud = with_stray_run();
    cloud.put(SERVING, &first_hold(""), "{}");
    let document = release(&cloud).document();
    assert_eq!((&document["outcome"], &document["release"]["number"]), (&json!("released"), &json!(1)));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn a_hold_of_a_group_that_is_held_at_one_place_only_holds_it_at_the_other_one_too() {
    let cloud = with_stray_run();
    cloud.put(SERVING, &first_hold("other/"), "{}");
    assert_eq!(hold(&cloud).document()["outcome"], "held");
    assert!(has_hold(&cloud, ""));
    assert_eq!(hold(&cloud).document()["outcome"], "already-held");
}

#[test]
fn a_rollback_that_is_killed_at_any_call_has_rejected_nothing_or_holds_the_group_at_both_places() {
    let cases: Vec<usize> = {
        let cloud = with_stray_run();
        let before = cloud.calls().len();
        rollback(&cloud, &[]).document();
        (1..=cloud.calls().len() - before).collect()
    };
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = with_stray_run();
        cloud.fail(Moment::from(*k), if k % 2 == 0 { Failure::Reset } else { Failure::ResetAfter });
        let killed = rollback(&cloud, &[]);
        cloud.heal();
        let is_held = has_hold(&cloud, "") && has_hold(&cloud, "other/");
        anyhow::ensure!(is_held || statuses(&cloud) == ["Approved"; 4], "{:?}", statuses(&cloud));
        anyhow::ensure!(is_held || killed.code != 0, "{}", killed.stdout);
        let again = rollback(&cloud, &[]).document();
        anyhow::ensure!(again["to"] == format!("{TARGET_VERSION}3"), "{again:#}");
        anyhow::ensure!(has_hold(&cloud, "") && has_hold(&cloud, "other/"), "{:?}", cloud.keys(SERVING));
        anyhow::ensure!(statuses(&cloud) == ["Approved", "Approved", "Approved", "Rejected"], "{:?}", statuses(&cloud));
        Ok(())
    });
}

#[test]
fn after_a_hold_or_a_release_that_is_killed_at_any_call_the_next_one_is_at_both_places() {
    let cases: Vec<usize> = {
        let cloud = with_stray_run();
        let before = cloud.calls().len();
        hold(&cloud).document();
        (1..=cloud.calls().len() - before).collect()
    };
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = with_stray_run();
        cloud.register(model("s3://models/churn/model.tar.gz"));
        let failure = || if k % 2 == 0 { Failure::Reset } else { Failure::ResetAfter };
        cloud.fail(Moment::from(*k), failure());
        hold(&cloud);
        cloud.heal();
        hold(&cloud).document();
        anyhow::ensure!(has_hold(&cloud, "") && has_hold(&cloud, "other/"), "{:?}", cloud.keys(SERVING));
        cloud.fail(Moment::from(*k), failure());
        release(&cloud);
        cloud.heal();
        release(&cloud).document();
        anyhow::ensure!(elsewhere(&cloud, &[])["outcome"] == "promoted");
        cloud.register(model("s3://models/churn/model.tar.gz"));
        anyhow::ensure!(promote(&cloud, &[]).document()["outcome"] == "promoted");
        Ok(())
    });
}

#[test]
fn a_rollback_during_which_a_version_is_promoted_to_a_new_prefix_is_incomplete() {
    let cloud = three();
    cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| {
        let text = promoted(cloud)[2].to_string().replace("s3://serving/", "s3://serving/new/");
        let mut version: Value = serde_json::from_str(&text).expect("JSON");
        version.as_object_mut().expect("an object").retain(|member, _| {
            ["ModelPackageGroupName", "ModelApprovalStatus", "InferenceSpecification", "CustomerMetadataProperties"]
                .contains(&member.as_str())
        });
        cloud.register_in(TARGET_ACCOUNT, version);
    });
    rollback(&cloud, &[])
        .fails(1, &["was promoted to s3://serving/new/churn-model/ during", "not held there", "Run again"]);
    let again = rollback(&cloud, &[]).document();
    assert_eq!(again["outcome"], "rolled-back", "{again:#}");
    assert!(has_hold(&cloud, "new/"));
}

#[test]
fn the_plan_of_a_group_that_is_held_at_another_place_is_valid_and_has_each_warning_once() {
    let cloud = three();
    let mut second = create_request(&cloud);
    second.as_object_mut().expect("a request").shift_remove("ClientToken");
    let second = cloud.register_in(TARGET_ACCOUNT, second);
    hold(&cloud).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let file = cloud.home().join("plan.json").display().to_string();
    let planned = elsewhere(&cloud, &["--dry-run", "--record", &file]);
    let about_second = planned["warnings"].as_array().expect("warnings").iter();
    assert_eq!(about_second.filter(|warning| warning["field"] == second).count(), 1, "{planned:#}");
    release(&cloud).document();
    assert_eq!(elsewhere(&cloud, &["--plan", &file])["outcome"], "promoted");
}
