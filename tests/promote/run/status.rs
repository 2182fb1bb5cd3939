//! `promote status`: source versions and their copies side by side.

mod held;

use serde_json::{Value, json};

use crate::snapshot::{assert_snapshot, shown};
use crate::support::{Cloud, Failure, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

fn source(version: u32) -> String {
    SOURCE_VERSION.replace("/1", &format!("/{version}"))
}

fn status(cloud: &Cloud) -> Value {
    let group = Cloud::group_arn(GROUP);
    run(cloud, Principal::Both, &["status", "--group", &group, "--output", "json"]).document()
}

/// Six versions of the source, each at another stage, and one of somebody else in the target.
fn at_every_stage() -> Cloud {
    let cloud = with_package();
    let decide = |version: u32, members: Value| cloud.change(&source(version), members);
    for version in 1..=5 {
        if version > 1 {
            cloud.register(package());
        }
        let approval = if version == 5 { "pending" } else { "carry" };
        promote(&cloud, &["--approval", approval]).document();
    }
    cloud.register(package());
    cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
    decide(2, json!({"ModelApprovalStatus": "Rejected"}));
    decide(6, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    promote(&cloud, &["--approval", "pending"]).document();
    decide(1, json!({"Domain": "OTHER", "CustomerMetadataProperties": {"team": "risk"}}));
    decide(3, json!({"ModelApprovalStatus": "Rejected"}));
    let copy = promoted(&cloud)[3]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    cloud.change(&copy, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not with us"}));
    cloud
}

#[test]
fn each_source_version_is_listed_with_its_promoted_version_and_outcome() {
    let cloud = at_every_stage();
    let wrote = writes(&cloud);
    let document = status(&cloud);
    let rows = document["versions"].as_array().expect("rows");
    let states: Vec<(u64, &str, u64)> = rows
        .iter()
        .map(|row| {
            let version = |side: &str| row[side]["version"].as_u64().unwrap_or(0);
            (version("source"), row["state"].as_str().unwrap_or_default(), version("target"))
        })
        .collect();
    let expected = [
        (6, "not-promoted", 0),
        (5, "pending", 5),
        (4, "rejected", 4),
        (3, "stale", 3),
        (2, "withdrawn", 2),
        (1, "promoted", 1),
    ];
    assert_eq!(states, expected);
    assert_eq!(rows[5]["drift"], json!(["CustomerMetadataProperties{team}", "Domain"]));
    assert_eq!(document["others"], 1);
    assert!(rows[4]["target"]["modified"].is_string(), "{:#}", rows[4]);
    assert_eq!(writes(&cloud), wrote, "it only reads");
}

#[test]
fn a_promoted_version_whose_source_is_deleted_is_listed() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let mut client = crate::stand_in::client::Client::new(&cloud, Principal::Source);
    assert_eq!(client.registry("DeleteModelPackage", json!({"ModelPackageName": source(1)})).status, 200);
    let row = &status(&cloud)["versions"][0];
    assert_eq!((&row["state"], row.get("source"), &row["target"]["version"]), (&json!("orphaned"), None, &json!(1)));
}

#[test]
fn a_promoted_version_whose_source_group_was_made_again_is_not_the_promotion_of_the_new_version() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    cloud.change(&source(1), json!({"CreationTime": now.as_secs() + 3600, "Domain": "OTHER"}));
    let versions = status(&cloud)["versions"].clone();
    let states: Vec<_> = (0..2).map(|at| &versions[at]["state"]).collect();
    assert_eq!(states, ["not-promoted", "orphaned"], "{versions:#}");
    assert_eq!((versions[0].get("target"), versions[1].get("source")), (None, None));
    assert_eq!((&versions[1]["promoted_from"], &versions[1]["drift"]), (&json!(source(1)), &json!([])));
}

#[test]
fn the_text_is_a_table() {
    let cloud = at_every_stage();
    let group = Cloud::group_arn(GROUP);
    let arguments = ["status", "--group", group.as_str()];
    let run = run(&cloud, Principal::Both, &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_snapshot("status", &shown(&cloud, &arguments, &run));
}

#[test]
fn a_group_that_is_not_there_is_an_error_and_an_empty_target_is_none() {
    let cloud = with_package();
    assert_eq!(status(&cloud)["versions"][0]["state"], "not-promoted");
    let missing = Cloud::group_arn("Nobody");
    let missing = run(&cloud, Principal::Both, &["status", "--group", &missing]);
    missing.fails(1, &["source: sagemaker:ListModelPackages"]);
}

/// `status` of the target group with the credentials of the target only.
fn status_of_target(cloud: &Cloud, more: &[&str]) -> Value {
    let arguments = [&["status", "--output", "json"][..], more].concat();
    run(cloud, Principal::Target, &arguments).document()
}

#[test]
fn the_newest_approved_version_of_the_target_is_marked() {
    let cloud = at_every_stage();
    let document = status(&cloud);
    let live = |document: &Value| {
        let rows = document["versions"].as_array().cloned().unwrap_or_default();
        rows.iter().filter(|row| row["live"] == true).map(|row| row["target"]["version"].clone()).collect::<Vec<_>>()
    };
    let others = promoted(&cloud).last().expect("a version by others")["ModelPackageArn"].clone();
    assert_eq!((&document["live"], live(&document)), (&others, Vec::new()), "it may be a version by others");
    cloud.change(others.as_str().expect("an ARN"), json!({"ModelApprovalStatus": "Rejected"}));
    let document = status(&cloud);
    assert_eq!((&document["live"], live(&document)), (&promoted(&cloud)[2]["ModelPackageArn"], vec![json!(3)]));
}

#[test]
fn the_target_alone_tells_what_was_promoted_from_where() {
    let cloud = at_every_stage();
    let group = Cloud::group_arn(GROUP);
    let not_given = status_of_target(&cloud, &["--target-group", GROUP]);
    let not_read = status_of_target(&cloud, &["--group", &group]);
    assert_eq!((not_given.get("source_group"), not_given.get("source_unread")), (None, None));
    let reason = not_read["source_unread"].as_str().expect("a reason");
    assert!(reason.contains("is not authorized to perform: sagemaker:ListModelPackages"), "{reason}");
    for document in [not_given, not_read] {
        assert_eq!(document["others"], 1);
        let rows = document["versions"].as_array().expect("rows");
        let shown: Vec<(&Value, &Value)> = rows.iter().map(|row| (&row["state"], &row["promoted_from"])).collect();
        let states = ["pending", "rejected", "approved", "withdrawn", "approved"].map(Value::from);
        let sources = [5, 4, 3, 2, 1].map(|version| json!(source(version)));
        assert_eq!(shown, states.iter().zip(&sources).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row.get("source").is_none()), "{rows:#?}");
    }
    let text = run(&cloud, Principal::Target, &["status", "--target-group", GROUP]);
    assert_snapshot("status-of-the-target", &shown(&cloud, &["status", "--target-group", GROUP], &text));
    run(&cloud, Principal::Target, &["status"]).fails(2, &["--group"]);
}

#[test]
fn a_version_that_sagemaker_is_still_creating_is_neither_failed_nor_finished() {
    let cloud = with_package();
    cloud.describes_until_completed(1000);
    promote(&cloud, &["--wait-seconds", "1"]).fails(1, &["is still InProgress"]);
    assert_eq!(status(&cloud)["versions"][0]["state"], "being-created");
    let arn = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    let verified = run(&cloud, Principal::Both, &["verify", "--model-package", &arn]);
    assert_eq!(verified.code, 5);
    let says = "SageMaker is still creating this version: its promotion is not finished, run `promote full` again";
    assert!(verified.told().contains(says), "{}", verified.stdout);
    cloud.complete(&arn);
    let verified = run(&cloud, Principal::Both, &["verify", "--model-package", &arn]);
    assert!(
        verified.told().contains("if its promotion is not finished, run `promote full` again"),
        "{}",
        verified.stdout
    );
}

#[test]
fn a_source_version_that_is_deleted_after_it_was_listed_does_not_fail_the_table() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.hook(Moment::on("DescribeModelPackage", 1).at(&source(1).replace("444333666777", TARGET_ACCOUNT)), |cloud| {
        let mut client = crate::stand_in::client::Client::new(cloud, Principal::Source);
        assert_eq!(client.registry("DeleteModelPackage", json!({"ModelPackageName": source(1)})).status, 200);
    });
    let row = &status(&cloud)["versions"][0];
    assert_eq!((&row["source"], &row["state"]), (&Value::Null, &json!("orphaned")), "it is deleted at the source");
    assert_eq!((&row["promoted_from"], &row["drift"]), (&json!(source(1)), &json!([])));
    assert_eq!(cloud.package(&source(1)), None, "it was deleted meanwhile");
}

#[test]
fn a_message_of_several_lines_is_indented() {
    let cloud = with_package();
    let denied = Failure::Status(403, "AccessDeniedException", "The first line.\nThe second line.");
    cloud.fail(Moment::every("ListModelPackages").at(&Cloud::group_arn(GROUP)), denied);
    let run = run(&cloud, Principal::Both, &["status", "--group", &Cloud::group_arn(GROUP)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let second = run.stdout.lines().find(|line| line.contains("The second line")).expect("the second line");
    assert!(second.starts_with("           The second line"), "{}", run.stdout);
}
