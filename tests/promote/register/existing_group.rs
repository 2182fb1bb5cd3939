//! Target groups that exist, and who has registered their versions.

use serde_json::{Value, json};

use crate::support::{Cloud, TARGET_ACCOUNT};
use crate::world::*;

fn theirs(cloud: &Cloud) {
    cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
}

#[test]
fn a_group_with_versions_by_others_only_needs_a_flag_once() {
    let cloud = with_package();
    theirs(&cloud);
    theirs(&cloud);
    let before = promoted(&cloud);
    for more in [&["--dry-run"][..], &[]] {
        let says = ["has 2 versions that others registered, and none from arn:", "Pass `--into-existing-group` once"];
        promote(&cloud, more).fails(1, &says);
    }
    assert_eq!((promoted(&cloud), writes(&cloud)), (before, Vec::new()));
    let insisting = promote(&cloud, &["--into-existing-group"]).document();
    let state = json!({"existed": true, "ours": 0, "others": 2, "unread": 0});
    assert_eq!((&insisting["outcome"], &insisting["target_group"]), (&json!("promoted"), &state));
    let record = cloud.object(SERVING, &format!("{FOLDER}promotion.json")).expect("a record");
    let record: Value = serde_json::from_slice(&record.body.bytes()).expect("JSON");
    assert_eq!(record["target_group"], state, "the record says so");
    cloud.register(package());
    let next = promote(&cloud, &[]).document();
    assert_eq!(next["target_group"], json!({"existed": true, "ours": 1, "others": 2, "unread": 0}));
}

#[test]
fn a_dry_run_and_a_run_say_that_the_group_is_created_and_whose_versions_it_has() {
    let cloud = with_package();
    let text = |more: &[&str]| {
        let arguments: Vec<String> = full().into_iter().chain(more.iter().map(|&text| text.to_owned())).collect();
        run(&cloud, crate::support::Principal::Both, &arguments).stdout
    };
    let says = |text: String, line: &str| assert!(text.contains(line), "no '{line}' in {text}");
    says(text(&["--dry-run"]), "the group will be created\n");
    says(text(&[]), "the group was created\n");
    cloud.register(package());
    theirs(&cloud);
    says(text(&["--dry-run"]), "the group has 1 version from the source group and 1 by others\n");
    says(text(&[]), "the group had 1 version from the source group and 1 by others\n");
}

#[test]
fn an_empty_group_and_a_group_with_an_old_version_of_ours_need_no_flag() {
    let cloud = with_package();
    cloud.create_group(TARGET_ACCOUNT, GROUP, json!({}));
    promote(&cloud, &[]).document();
    (0..40).for_each(|_| theirs(&cloud));
    cloud.register(package());
    let state = json!({"existed": true, "ours": 1, "others": 40, "unread": 0});
    assert_eq!(promote(&cloud, &[]).document()["target_group"], state);
}
