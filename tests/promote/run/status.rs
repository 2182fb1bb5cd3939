//! `promote status`: source versions and their copies side by side.

use serde_json::{Value, json};

use crate::snapshot::{assert_snapshot, shown};
use crate::support::{Cloud, Principal, TARGET_ACCOUNT};
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
