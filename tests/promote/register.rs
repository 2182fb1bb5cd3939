//! What is registered in the target: the group, the version, its status, and the record beside the artifacts.

mod again;
mod approval;
mod deleted;
mod disturbed;
mod existing_group;
mod killed;
mod late;
mod made_again;
mod meanwhile;
mod metadata_gone;
mod races;
mod spelling;
mod sync;
mod unrecorded;
mod withdraw;

use serde_json::{Value, json};

use crate::support::{Cloud, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

/// The ARN of version 1 of the source group.
const SOURCE: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1";

/// A world with a package whose group has a description and tags.
fn with_group() -> Cloud {
    let cloud = world();
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let tags = [tag("team", "growth"), tag("cost", "42"), tag("aws:cloudformation:stack-name", "churn")];
    let members = json!({"ModelPackageGroupDescription": "Who will leave?", "Tags": tags});
    cloud.create_group(SOURCE_ACCOUNT, GROUP, members);
    fill(&cloud);
    cloud
}

fn target_group(cloud: &Cloud) -> Value {
    let groups = cloud.groups(TARGET_ACCOUNT);
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups[0].clone()
}

/// The record that lies beside the artifacts under this name.
fn record(cloud: &Cloud, name: &str) -> Value {
    let object = cloud.object(SERVING, &format!("{FOLDER}{name}")).unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_slice(&object.body.bytes()).expect("the record is JSON")
}

#[test]
fn a_missing_group_is_created_with_the_description_and_the_tags_of_the_source() {
    let cloud = with_group();
    promote(&cloud, &["--group-tag", "cost=43", "--group-tag", "stage=serving a=b"]).document();
    let group = target_group(&cloud);
    assert_eq!(
        (&group["ModelPackageGroupName"], &group["ModelPackageGroupDescription"]),
        (&json!(GROUP), &json!("Who will leave?"))
    );
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    assert_eq!(group["Tags"], json!([tag("team", "growth"), tag("cost", "43"), tag("stage", "serving a=b")]));
}

#[test]
fn a_tag_that_aws_would_refuse_is_refused_before_the_first_write() {
    for tag in ["owner=a&b", "ow*ner=a", "aws:owner=a"] {
        let cloud = with_group();
        promote(&cloud, &["--group-tag", tag]).fails(2, &["--group-tag"]);
        assert_eq!((cloud.groups(TARGET_ACCOUNT).len(), cloud.keys(SERVING).len()), (0, 0));
    }
}

#[test]
fn a_group_that_exists_is_neither_created_nor_changed() {
    let cloud = with_group();
    let members = json!({"ModelPackageGroupDescription": "Ours", "Tags": [{"Key": "owner", "Value": "serving"}]});
    cloud.create_group(TARGET_ACCOUNT, GROUP, members);
    let before = target_group(&cloud);
    promote(&cloud, &["--group-tag", "stage=serving"]).document();
    assert_eq!(target_group(&cloud), before);
    assert_eq!((cloud.calls_of("CreateModelPackageGroup").len(), cloud.calls_of("AddTags").len()), (0, 0));
    assert_eq!(promoted(&cloud).len(), 1);
}

#[test]
fn a_missing_group_that_must_not_be_created_stops_the_run_before_the_first_write() {
    let cloud = with_group();
    promote(&cloud, &["--no-create-group"]).fails(
        1,
        &["the target group", GROUP, "does not exist\nhint: Create the group, or run without `--no-create-group`"],
    );
    assert_eq!((cloud.groups(TARGET_ACCOUNT).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn a_group_that_another_run_creates_meanwhile_is_used() {
    use crate::support::Moment;
    let cloud = with_group();
    cloud.hook(Moment::on("CreateModelPackageGroup", 1), |cloud| {
        cloud.create_group(TARGET_ACCOUNT, GROUP, json!({"ModelPackageGroupDescription": "The other run's"}));
    });
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
    assert_eq!(target_group(&cloud)["ModelPackageGroupDescription"], "The other run's");
}

#[test]
fn another_target_group_may_be_named() {
    let cloud = with_group();
    let document = promote(&cloud, &["--target-group", "Serving-Churn"]).document();
    assert_eq!(document["target"]["group"], "Serving-Churn");
    let arn = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/serving-churn/1";
    assert_eq!(document["target"]["model_package_arn"], arn);
    assert_eq!(target_group(&cloud)["ModelPackageGroupName"], "Serving-Churn");
    assert!(
        cloud
            .keys(SERVING)
            .iter()
            .all(|key| key.starts_with("serving-churn/444333666777-eu-central-1-churn-model-v1/"))
    );
}

#[test]
fn the_promoted_version_names_its_source_version() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let metadata = &promoted(&cloud)[0]["CustomerMetadataProperties"];
    assert_eq!((&metadata["team"], &metadata["promote:source-arn"]), (&json!("growth"), &json!(SOURCE)));
    assert_eq!(metadata["promote:request-sha256"].as_str().map(str::len), Some(64));
    assert_eq!(metadata.get("promote:origin-arn"), None);
}

#[test]
fn a_chain_of_promotions_keeps_the_first_origin() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    for (from, to) in [(GROUP, "second"), ("second", "third")] {
        let group = Cloud::target_group_arn(from);
        let arguments =
            ["full", "--group", &group, "--target-bucket", SERVING, "--target-group", to, "--output", "json"];
        let document = run(&cloud, crate::support::Principal::Target, &arguments).document();
        assert_eq!(document["outcome"], "promoted");
        let package = &cloud.packages(TARGET_ACCOUNT, to)[0];
        let metadata = &package["CustomerMetadataProperties"];
        let source = format!("arn:aws:sagemaker:eu-central-1:111222333444:model-package/{}/1", from.to_lowercase());
        assert_eq!(
            (&metadata["promote:source-arn"], &metadata["promote:origin-arn"]),
            (&json!(source), &json!(SOURCE))
        );
        assert_eq!(metadata["team"], "growth");
    }
}

#[test]
fn the_client_token_is_valid_and_the_same_for_the_same_request() {
    let tokens = [(); 2].map(|()| {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        create_request(&cloud)["ClientToken"].as_str().expect("a token").to_owned()
    });
    assert_eq!(tokens[0], tokens[1]);
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '-';
    assert!((1..=36).contains(&tokens[0].len()) && tokens[0].chars().all(valid), "{}", tokens[0]);
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "elsewhere"]).document();
    assert_ne!(create_request(&cloud)["ClientToken"], tokens[0]);
}

#[test]
fn the_record_lies_beside_the_artifacts_and_is_the_document() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    let record = record(&cloud, "promotion.json");
    assert_eq!(record, document);
    assert_eq!((&record["schema"], &record["outcome"]), (&json!(2), &json!("promoted")));
    assert_eq!(record["source"]["model_package_arn"], SOURCE);
    assert_eq!(record["target"]["version"], 1);
    let object = cloud.object(SERVING, &format!("{FOLDER}promotion.json")).expect("the record");
    assert_eq!(object.header("content-type"), Some("application/json"));
}

#[test]
fn other_versions_in_the_target_group_are_not_changed() {
    let cloud = with_package();
    for approval in ["Approved", "Rejected", "PendingManualApproval"] {
        let mut other = model("s3://serving/theirs.tar.gz");
        other["ModelApprovalStatus"] = json!(approval);
        other["CustomerMetadataProperties"] = json!({"promote:source-arn": "arn:of-another-package", "team": "theirs"});
        cloud.register_in(TARGET_ACCOUNT, other);
    }
    let before = promoted(&cloud);
    let document = promote(&cloud, &["--into-existing-group"]).document();
    assert_eq!(document["target"]["version"], 4);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
    let after = promoted(&cloud);
    assert_eq!((&after[..3], after.len()), (&before[..], 4));
}
