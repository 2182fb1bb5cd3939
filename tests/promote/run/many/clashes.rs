//! Groups that cannot be promoted, although the others of the pattern can.

use super::*;

/// An account that shares groups with the source account.
const PARTNER: &str = "555666777888";

/// A world with the groups `team-a` and `team-b`, and with a group `Team-A` that a partner shares.
fn shared() -> Cloud {
    let cloud = with_groups(&["team-a", "team-b"]);
    let mut package = model(&format!("s3://{MODELS}/team-a/model.tar.gz"));
    package["ModelPackageGroupName"] = json!("Team-A");
    cloud.register_in(PARTNER, package);
    cloud.allow(Principal::Both, "sagemaker:*", &format!("arn:aws:sagemaker:eu-central-1:{PARTNER}:*"));
    cloud.allow(Principal::Source, "sagemaker:*", &format!("arn:aws:sagemaker:eu-central-1:{PARTNER}:*"));
    cloud
}

/// Runs a verb for the pattern of names `team-*`.
fn of_pattern(cloud: &Cloud, verb: &str, more: &[&str]) -> Run {
    let arguments = [verb, "--group", "team-*", "--source-profile", "source", "--target-profile", "target"];
    run(cloud, Principal::Stranger, &[&arguments, more].concat())
}

#[test]
fn groups_with_one_target_group_are_failed_rows_and_the_others_are_promoted() {
    let cloud = shared();
    cloud.allow(Principal::Target, "s3:GetObject", "models/*");
    let run = of_pattern(&cloud, "full", &["--target-bucket", SERVING, "--output", "json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let document = document_of(&run);
    assert_eq!(targets(&cloud), ["team-b"]);
    assert_eq!(document["summary"]["outcomes"], json!({"failed": 2, "promoted": 1}));
    let groups = document["groups"].as_array().expect("groups");
    let clashing: Vec<&Value> = groups.iter().filter(|group| group["exit_code"] == 1).collect();
    assert_eq!(clashing.len(), 2);
    for group in clashing {
        let message = group["document"]["error"]["message"].as_str().expect("a message");
        assert!(message.contains(PARTNER) && message.contains(SOURCE_ACCOUNT), "{message}");
    }
    let hint =
        "hint: Promote each of them by its own ARN with a `--target-group` of its own, or pass an ARN as the pattern";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    // What the hint names works.
    let partner = format!("arn:aws:sagemaker:eu-central-1:{PARTNER}:model-package-group/Team-A");
    let own = Cloud::group_arn("team-*");
    for (group, target) in [(partner.as_str(), "partner-a"), (own.as_str(), "{group}")] {
        let arguments = ["full", "--group", group, "--target-group", target, "--target-bucket", SERVING];
        let promoted = crate::world::run(&cloud, Principal::Both, &arguments);
        assert_eq!(promoted.code, 0, "{}", promoted.stderr);
    }
    assert_eq!(targets(&cloud), ["partner-a", "team-a", "team-b"]);
}

#[test]
fn every_verb_goes_on_with_the_groups_that_have_a_target_group_of_their_own() {
    let cloud = shared();
    full_of(&cloud, "team-b*", &[]).document();
    for (verb, more) in [
        ("status", &[][..]),
        ("verify", &[]),
        ("doctor", &["--target-bucket", SERVING, "--no-probes"]),
        ("withdraw", &["--target-bucket", SERVING]),
    ] {
        let run = of_pattern(&cloud, verb, more);
        assert_eq!(run.code, 1, "{verb}: {}{}", run.stdout, run.stderr);
        let row = |name: &str| run.stdout.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>().join("\n");
        assert!(row("team-a").contains("failed:") && row("Team-A").contains("failed:"), "{verb}: {}", run.stdout);
        assert!(!row("team-b").is_empty() && !row("team-b").contains("failed"), "{verb}: {}", run.stdout);
        assert!(run.stdout.contains("3 groups: ") && run.stdout.contains("2 failed"), "{verb}: {}", run.stdout);
    }
}

#[test]
fn a_group_whose_target_group_has_too_long_a_name_is_a_failed_row() {
    let long = "team-with-a-name-that-has-exactly-as-many-characters-as-allowed";
    let cloud = with_groups(&["team-a", long]);
    let run = full_of(&cloud, "team-*", &["--target-group", "prod-{group}"]);
    assert_eq!((run.code, targets(&cloud)), (1, vec!["prod-team-a".to_owned()]), "{}", run.stderr);
    let document = document_of(&run);
    assert_eq!(of(&document, long)["document"]["outcome"], "failed");
    assert!(of(&document, long).get("target_group").is_none(), "{document:#}");
    assert!(run.stderr.contains("hint: Shorten `--target-group`"), "{}", run.stderr);
}

#[test]
fn a_promotions_file_goes_on_with_the_groups_that_have_a_target_group_of_their_own() {
    let cloud = shared();
    let file = cloud.home().join("promotions.yaml");
    let text = "\
promotions:
  all:
    source: {group: team-*, profile: source}
    targets:
      production: {bucket: serving, profile: target}
";
    std::fs::write(&file, text).expect("the file is written");
    let file = file.display().to_string();
    let plan = cloud.home().join("plan.json").display().to_string();
    let planned = run(&cloud, Principal::Stranger, &["plan", "--file", &file, "--record", &plan]);
    assert_eq!(planned.code, 1, "{}", planned.stderr);
    assert!(planned.stdout.contains("! Team-A: failed: "), "{}", planned.stdout);
    assert!(planned.stdout.contains("team-b version 1"), "{}", planned.stdout);
}

#[test]
fn a_message_that_the_table_shortens_is_below_it_in_full_once() {
    let run = of_pattern(&shared(), "status", &[]);
    let (table, rest) = run.stdout.split_once("\nMessages in full\n").expect("the messages in full");
    assert!(table.contains('…'), "{}", run.stdout);
    let message = format!(
        "team-a, Team-A arn:aws:sagemaker:eu-central-1:{SOURCE_ACCOUNT}:model-package-group/team-a and \
         arn:aws:sagemaker:eu-central-1:{PARTNER}:model-package-group/Team-A would be promoted into the same target group, \
         team-a "
    );
    let folded = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(folded.matches("would be promoted into").count(), 1, "{rest}");
    assert!(folded.to_lowercase().contains(&message.to_lowercase()), "{rest}");
    assert!(rest.ends_with("\n\n3 groups: 2 failed, 1 not-promoted\n"), "{rest}");
}

#[test]
fn a_group_without_a_target_group_of_its_own_clashes_with_other_targets_of_the_file_too() {
    let cloud = shared();
    let file = cloud.home().join("promotions.yaml");
    let text = "\
promotions:
  all:
    source: {group: team-*, profile: source}
    targets:
      production: {bucket: serving, profile: target}
  one:
    source: {group: 'arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/team-b', profile: source}
    targets:
      production: {bucket: serving, profile: target, group: TEAM-A}
";
    std::fs::write(&file, text).expect("the file is written");
    let file = file.display().to_string();
    let refused = run(&cloud, Principal::Stranger, &["apply", "--file", &file]);
    let group = Cloud::target_group_arn("team-a");
    let stderr = refused.stderr.to_lowercase();
    let says = format!("error: all/production and one/production would both promote into {group}");
    assert!(refused.code == 1 && stderr.contains(&says), "{}", refused.stderr);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}
