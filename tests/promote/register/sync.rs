//! Changes of a source version after its promotion: what an Update accepts is synced, the rest is reported as drift.

use serde_json::{Value, json};

use crate::support::{Cloud, Failure, Moment, Principal};
use crate::world::*;

mod again;
mod approvals;
mod meanwhile;
mod records;
mod specifications;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// A promoted version with everything that can change.
fn promoted_once() -> Cloud {
    let cloud = world();
    fill(&cloud);
    let card = json!({"ModelCardStatus": "Draft", "ModelCardContent": "{\"data\": \"s3://models/churn/report.json\"}"});
    let members = json!({
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved"}, "ModelCard": card, "Domain": "COMPUTER_VISION",
        "CustomerMetadataProperties": {"team": "growth", "stays": "1", "goes": "1"}
    });
    cloud.change(SOURCE_VERSION, members);
    promote(&cloud, &[]).document();
    cloud
}

/// Changes the metadata of the source version.
fn set_team(cloud: &Cloud, team: &str) {
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": team, "stays": "1", "goes": "1"}}));
}

fn results(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = document["changes"].as_array().cloned().unwrap_or_default();
    changes.iter().map(|change| (text(&change["field"]), text(&change["result"]))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(field, result)| ((*field).to_owned(), (*result).to_owned())).collect()
}

#[test]
fn fields_that_an_update_accepts_are_synced_and_reported_one_by_one() {
    let cloud = promoted_once();
    cloud.change(COPY, json!({"CustomerMetadataProperties": {
        "team": "growth", "stays": "1", "goes": "1", "ours": "kept",
        "promote:source-arn": SOURCE_VERSION, "promote:request-sha256": promoted(&cloud)[0]["CustomerMetadataProperties"]["promote:request-sha256"]
    }}));
    let before = promoted(&cloud)[0].clone();
    let card =
        json!({"ModelCardStatus": "Approved", "ModelCardContent": "{\"data\": \"s3://models/churn/report.json\"}"});
    cloud.change(
        SOURCE_VERSION,
        json!({
            "CustomerMetadataProperties": {"team": "risk", "stays": "1", "new": "2"},
            "ModelLifeCycle": {"Stage": "Production", "StageStatus": "Approved"}, "ModelCard": card
        }),
    );
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "updated");
    let updated = pairs(&[
        ("CustomerMetadataProperties{team}", "updated"),
        ("CustomerMetadataProperties{new}", "updated"),
        ("CustomerMetadataProperties{goes}", "updated"),
        ("ModelCard.ModelCardStatus", "updated"),
        ("ModelLifeCycle.Stage", "updated"),
        ("CustomerMetadataProperties{ours}", "kept"),
    ]);
    assert_eq!(results(&document), updated);
    let after = promoted(&cloud)[0].clone();
    let metadata = &after["CustomerMetadataProperties"];
    assert_eq!((&metadata["team"], &metadata["new"], &metadata["ours"]), (&json!("risk"), &json!("2"), &json!("kept")));
    assert_eq!((metadata.get("goes"), &metadata["promote:source-arn"]), (None, &json!(SOURCE_VERSION)));
    assert_eq!(
        (&after["ModelLifeCycle"]["Stage"], &after["ModelCard"]["ModelCardStatus"]),
        (&json!("Production"), &json!("Approved"))
    );
    assert_eq!(
        after["ModelCard"]["ModelCardContent"], before["ModelCard"]["ModelCardContent"],
        "it refers to the copies"
    );
    for member in ["InferenceSpecification", "ModelMetrics", "ModelApprovalStatus", "ApprovalDescription"] {
        assert_eq!(after[member], before[member]);
    }
    let again = promote(&cloud, &[]).document();
    let kept = pairs(&[("CustomerMetadataProperties{ours}", "kept")]);
    assert_eq!((&again["outcome"], results(&again)), (&json!("already-promoted"), kept));
    let records = cloud.keys(SERVING).iter().filter(|key| key.contains("/promotion")).count();
    assert_eq!(records, 3, "one for the promotion, one before and one after the update");
}

#[test]
fn a_key_of_the_user_that_begins_like_those_of_promote_follows_the_source() {
    let cloud = world();
    fill(&cloud);
    let ticket = |value: &str| json!({"CustomerMetadataProperties": {"promote:ticket": value}});
    cloud.change(SOURCE_VERSION, ticket("1"));
    promote(&cloud, &[]).document();
    cloud.change(SOURCE_VERSION, ticket("2"));
    let expected = pairs(&[("CustomerMetadataProperties{promote:ticket}", "updated")]);
    assert_eq!(results(&promote(&cloud, &[]).document()), expected);
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["promote:ticket"], "2");
}

#[test]
fn a_reference_is_resolved_only_if_exactly_this_reference_was_copied() {
    for uri in ["s3://models/churn/ll", "s3://models/churn/"] {
        let cloud = promoted_once();
        let mut specifications = package()["AdditionalInferenceSpecifications"].clone();
        let mut second = specifications[0].clone();
        second["Name"] = json!("second");
        second["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3Uri"] = json!(uri);
        specifications.as_array_mut().expect("a list").push(second);
        cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": specifications}));
        let document = promote(&cloud, &[]).document();
        assert_eq!(results(&document), pairs(&[("AdditionalInferenceSpecifications{second}", "drift")]), "{uri}");
    }
}

#[test]
fn the_record_says_which_references_were_resolved() {
    let cloud = promoted_once();
    let before = promote(&cloud, &[]).document()["references"].clone();
    let of = |field: &str| before.as_array().into_iter().flatten().find(|reference| reference["field"] == field);
    let reference = of("AdditionalInferenceSpecifications[0].Containers[0].ModelDataSource.S3DataSource.S3Uri");
    let expected = format!("s3://{SERVING}/{FOLDER}models/churn/llm/");
    assert_eq!(reference.map(|one| (&one["kind"], &one["target"])), Some((&json!("prefix"), &json!(expected))));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    assert_eq!(promote(&cloud, &[]).document()["references"], before);
}

#[test]
fn a_change_that_the_source_reverts_is_reverted() {
    let cloud = promoted_once();
    for team in ["risk", "growth"] {
        let metadata = json!({"team": team, "stays": "1", "goes": "1"});
        cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": metadata}));
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
        assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], team);
    }
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn drift_is_reported_again_after_an_update() {
    let cloud = promoted_once();
    let metadata = json!({"team": "risk", "stays": "1", "goes": "1"});
    cloud.change(SOURCE_VERSION, json!({"Domain": "OTHER", "CustomerMetadataProperties": metadata}));
    let (team, domain) = (("CustomerMetadataProperties{team}", "updated"), ("Domain", "drift"));
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[team, domain]));
    let again = promote(&cloud, &[]).document();
    assert_eq!((&again["outcome"], results(&again)), (&json!("already-promoted"), pairs(&[domain])));
}

#[test]
fn fields_that_no_update_accepts_are_drift_in_one_line_and_no_failure() {
    let cloud = promoted_once();
    cloud.change(SOURCE_VERSION, json!({"Domain": "OTHER", "ModelPackageDescription": "Another text"}));
    let before = promoted(&cloud);
    for _ in 0..2 {
        let run = promote(&cloud, &[]);
        assert_eq!(results(&run.document()), pairs(&[("Domain", "drift"), ("ModelPackageDescription", "drift")]));
        assert_eq!(run.document()["outcome"], "already-promoted");
        let line = format!(
            "drift: the source of {COPY} has changed Domain, ModelPackageDescription, which cannot be updated\n"
        );
        assert_eq!((run.code, run.stderr), (0, line));
        assert_eq!(promoted(&cloud), before);
    }
}

#[test]
fn fields_that_the_target_account_changed_are_not_overwritten() {
    let cloud = promoted_once();
    cloud.change(COPY, json!({"ModelLifeCycle": {"Stage": "Serving", "StageStatus": "Live"}}));
    cloud.change(SOURCE_VERSION, json!({"LastModifiedTime": 1800000000.0}));
    let before = promoted(&cloud);
    let kept = pairs(&[("ModelLifeCycle.Stage", "kept"), ("ModelLifeCycle.StageStatus", "kept")]);
    assert_eq!(verify(&cloud).code, 5);
    for _ in 0..2 {
        let document = promote(&cloud, &[]).document();
        assert_eq!((results(&document), promoted(&cloud)), (kept.clone(), before.clone()));
        let verified = verify(&cloud);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        assert!(verified.stdout.contains("kept         ModelLifeCycle.Stage\n"), "{}", verified.stdout);
    }
    assert_eq!(records(&cloud), 2, "one for the promotion, one for what the target account has changed");
}

/// The number of records beside the artifacts.
fn records(cloud: &Cloud) -> usize {
    cloud.keys(SERVING).iter().filter(|key| key.contains("/promotion")).count()
}

fn verify(cloud: &Cloud) -> Run {
    run(cloud, Principal::Both, &["verify", "--model-package", COPY])
}

#[test]
fn a_field_that_both_sides_have_changed_is_a_conflict_and_not_written_until_one_side_gives_way() {
    let cloud = promoted_once();
    let metadata = |team: &str| json!({"team": team, "stays": "1", "goes": "1"});
    let life_cycle = |stage: &str, status: &str| json!({"Stage": stage, "StageStatus": status});
    edit_metadata(&cloud, json!({"team": "ours"}));
    cloud.change(COPY, json!({"ModelLifeCycle": life_cycle("Development", "Live")}));
    cloud.change(
        SOURCE_VERSION,
        json!({"CustomerMetadataProperties": metadata("risk"), "ModelLifeCycle": life_cycle("Production", "Approved")}),
    );
    let before = promoted(&cloud);
    for _ in 0..2 {
        let run = promote(&cloud, &[]);
        let expected = pairs(&[
            ("CustomerMetadataProperties{team}", "conflict"),
            ("ModelLifeCycle.Stage", "conflict"),
            ("ModelLifeCycle.StageStatus", "kept"),
        ]);
        assert_eq!((results(&run.document()), promoted(&cloud)), (expected, before.clone()));
        assert!(run.stderr.starts_with(&format!("conflict: the source of {COPY} has changed ")), "{}", run.stderr);
        assert_eq!(verify(&cloud).code, 0);
    }
    edit_metadata(&cloud, json!({"team": "growth"}));
    cloud.change(SOURCE_VERSION, json!({"ModelLifeCycle": life_cycle("Development", "Approved")}));
    let document = promote(&cloud, &[]).document();
    let expected = pairs(&[("CustomerMetadataProperties{team}", "updated"), ("ModelLifeCycle.StageStatus", "kept")]);
    assert_eq!(results(&document), expected);
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "risk");
    assert_eq!(verify(&cloud).code, 0);
}

/// Changes metadata keys of the promoted version as somebody in the target account.
fn edit_metadata(cloud: &Cloud, entries: Value) {
    let mut metadata = promoted(cloud)[0]["CustomerMetadataProperties"].clone();
    metadata.as_object_mut().expect("a map").extend(entries.as_object().cloned().unwrap_or_default());
    cloud.change(COPY, json!({"CustomerMetadataProperties": metadata}));
}

#[test]
fn a_source_uri_that_the_source_changes_is_synced() {
    let cloud = promoted_once();
    for uri in ["https://git.example.com/a", "https://git.example.com/b"] {
        cloud.change(SOURCE_VERSION, json!({"SourceUri": uri}));
        assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[("SourceUri", "updated")]));
        assert_eq!((promoted(&cloud)[0]["SourceUri"].as_str(), verify(&cloud).code), (Some(uri), 0));
    }
}

#[test]
fn the_source_artifacts_are_not_needed_to_update_a_promoted_version() {
    let cloud = promoted_once();
    for key in cloud.keys(MODELS) {
        cloud.remove(MODELS, &key);
    }
    set_team(&cloud, "risk");
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[("CustomerMetadataProperties{team}", "updated")]));
}

#[test]
fn a_dry_run_reports_what_would_be_updated_and_changes_nothing() {
    let cloud = promoted_once();
    set_team(&cloud, "risk");
    cloud.deny(Principal::Both, "sagemaker:UpdateModelPackage", "*");
    let before = promoted(&cloud);
    let document = promote(&cloud, &["--dry-run"]).document();
    assert_eq!(results(&document), pairs(&[("CustomerMetadataProperties{team}", "planned")]));
    assert_eq!(promoted(&cloud), before);
}

#[test]
fn a_card_that_sagemaker_has_added_is_reported_and_replaced_by_the_card_of_the_source() {
    let cloud = with_package();
    cloud.add_defaults();
    let added = [("ModelCard.ModelCardContent", "added"), ("ModelCard.ModelCardStatus", "added")];
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&added));
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&added));
    assert_eq!(run(&cloud, Principal::Both, &["verify", "--model-package", COPY]).code, 0);
    let card = json!({"ModelCardStatus": "Approved", "ModelCardContent": "{\"a\": 1}"});
    cloud.change(SOURCE_VERSION, json!({"ModelCard": card}));
    let updated = [("ModelCard.ModelCardContent", "updated"), ("ModelCard.ModelCardStatus", "updated")];
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&updated));
    assert_eq!(promoted(&cloud)[0]["ModelCard"], card);
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[]));
}

#[test]
fn a_card_that_somebody_has_made_of_an_added_one_is_theirs() {
    let cloud = with_package();
    cloud.add_defaults();
    promote(&cloud, &[]).document();
    let theirs = json!({"ModelCardStatus": "Approved", "ModelCardContent": "{\"theirs\": 1}"});
    cloud.change(COPY, json!({"ModelCard": theirs}));
    let card = json!({"ModelCardStatus": "Archived", "ModelCardContent": "{\"a\": 1}"});
    cloud.change(SOURCE_VERSION, json!({"ModelCard": card}));
    let conflict = [("ModelCard.ModelCardContent", "conflict"), ("ModelCard.ModelCardStatus", "conflict")];
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&conflict));
    assert_eq!(promoted(&cloud)[0]["ModelCard"], theirs);
}
