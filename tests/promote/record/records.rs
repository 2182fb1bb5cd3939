//! The record: read strictly, complete, and never overwritten.

use promote::record::Record;
use serde_json::{Value, json};

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

/// Every document that lies beside artifacts, by its name.
fn all(cloud: &Cloud) -> Vec<(String, Value)> {
    let names = cloud.keys(SERVING).into_iter().filter(|key| key.contains("/promotion") && key.ends_with(".json"));
    let read = |name: String| {
        let object = cloud.object(SERVING, &name).expect("it is listed");
        (name, serde_json::from_slice(&object.body.bytes()).expect("a record is JSON"))
    };
    names.map(read).collect()
}

/// Reads a document and writes it again: what the reader does not know would be lost.
fn strict(document: &Value) {
    let record = Record::parse(&document.to_string().into_bytes().into()).expect("a document of promote");
    assert_eq!(serde_json::to_value(&record).expect("JSON"), *document);
}

#[test]
fn every_document_is_known_to_its_last_member() {
    let cloud = with_package();
    let mut documents = vec![promote(&cloud, &["--dry-run"]).document(), promote(&cloud, &[]).document()];
    cloud.change(SOURCE_VERSION, json!({"Domain": "OTHER", "CustomerMetadataProperties": {"team": "risk"}}));
    documents.push(promote(&cloud, &[]).document());
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    documents.push(promote(&cloud, &[]).document());
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    documents.push(promote(&cloud, &[]).document());
    let outcomes: Vec<&Value> = documents.iter().map(|document| &document["outcome"]).collect();
    assert_eq!(outcomes, ["planned", "promoted", "updated", "nothing-approved", "approved-again"]);
    let stored: Vec<Value> = all(&cloud).into_iter().map(|(_, record)| record).collect();
    assert_eq!(stored.len(), 5, "promoted, updating, updated, withdrawn, approved again");
    documents.iter().chain(&stored).for_each(strict);
}

#[test]
fn who_read_who_wrote_and_when_is_in_every_record() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    let both = Principal::Both.arn();
    assert_eq!((&document["source"]["caller"], &document["target"]["caller"]), (&json!(both), &json!(both)));
    assert_eq!(cloud.calls_of("GetCallerIdentity").len(), 1, "one principal is asked once");
    let time = |member: &str| document[member].as_str().expect("a time").to_owned();
    assert!(time("started") < time("ended"), "{document:#}");
    let other = with_package();
    let document = promote(&other, &["--target-profile", "target", "--copy-mode", "stream"]).document();
    assert_eq!(document["source"]["caller"], both);
    assert_eq!(document["target"]["caller"], Principal::Target.arn());
}

#[test]
fn in_a_build_the_record_names_it() {
    let cloud = with_package();
    let mut command = cloud.promote(Principal::Both);
    let variables = [("ARN", "arn:aws:codebuild:eu-central-1:111222333444:build/p:1"), ("ID", "p:1"), ("NUMBER", "17")];
    for (name, value) in variables {
        command.env(format!("CODEBUILD_BUILD_{name}"), value);
    }
    command.env("CODEBUILD_INITIATOR", "codepipeline/promote").args(full()).args(["--output", "json"]);
    let document = Run::of(command.output().expect("the binary starts")).document();
    let [(_, arn), (_, id), (_, number)] = variables;
    let build = json!({"arn": arn, "id": id, "number": number, "initiator": "codepipeline/promote"});
    assert_eq!(document["build"], build);
    strict(&document);
}

#[test]
fn no_record_is_ever_overwritten() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let mut before = all(&cloud);
    for (status, count) in [("Rejected", 2), ("Approved", 3), ("Rejected", 4)] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote(&cloud, &[]).document();
        let after = all(&cloud);
        assert_eq!(after.len(), count);
        assert!(before.iter().all(|record| after.contains(record)), "{status}");
        before = after;
    }
}

#[test]
fn artifacts_from_a_bucket_whose_name_begins_with_promotion_are_no_records() {
    let cloud = world();
    cloud.create_bucket("promotion-models", SOURCE_ACCOUNT);
    cloud.put("promotion-models", "model.json", "{}");
    cloud.register(model("s3://promotion-models/model.json"));
    let document = promote(&cloud, &[]).document();
    assert!(cloud.keys(SERVING).contains(&format!("{FOLDER}promotion-models/model.json")));
    let arn = document["target"]["model_package_arn"].as_str().expect("an ARN");
    let verified = run(&cloud, Principal::Both, &["verify", "--model-package", arn]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}
