//! `promote verify`: whatever is changed, removed or added is named; what is untouched passes.

use serde_json::{Value, json};

use crate::support::{Cloud, Failure, Moment, Principal};
use crate::world::*;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// Runs `verify` of the copy.
fn verify_as(cloud: &Cloud, who: Principal, more: &[&str]) -> Run {
    let arguments = [&["verify", "--model-package", COPY, "--output", "json"][..], more].concat();
    run(cloud, who, &arguments)
}

fn verify(cloud: &Cloud, more: &[&str]) -> Run {
    verify_as(cloud, Principal::Both, more)
}

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no document: {}", run.stderr))
}

/// What is not identical, as `subject name verdict`.
fn named(run: &Run) -> Vec<String> {
    let findings = document(run)["findings"].as_array().cloned().unwrap_or_default();
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    let bad = findings.iter().filter(|finding| finding["verdict"] != "identical");
    bad.map(|one| format!("{} {} {}", text(one, "subject"), text(one, "name"), text(one, "verdict"))).collect()
}

fn promoted_world() -> Cloud {
    let cloud = with_package();
    cloud.change(
        SOURCE_VERSION,
        json!({
            "SourceUri": "https://git.example.com/churn", "Domain": "OTHER",
            "ModelLifeCycle": {"Stage": "Production", "StageStatus": "Live"},
            "ModelCard": {"ModelCardStatus": "Draft", "ModelCardContent": "{\"a\": 1}"}
        }),
    );
    promote(&cloud, &[]).document();
    cloud
}

/// The artifacts of the promotion, by key.
fn artifacts(cloud: &Cloud) -> Vec<String> {
    let others = ["/promotion.json", "/_claims/0.json"];
    cloud.keys(SERVING).into_iter().filter(|key| !others.iter().any(|other| key.ends_with(other))).collect()
}

#[test]
fn an_untouched_promotion_is_identical_in_every_part() {
    let cloud = promoted_world();
    for more in [&[][..], &["--deep"]] {
        let run = verify(&cloud, more);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        let document = document(&run);
        assert_eq!(document["outcome"], "identical");
        // The record, the package, four objects, two images.
        assert_eq!((&document["identical"], document["findings"].as_array().map(Vec::len)), (&json!(8), Some(8)));
    }
}

#[test]
fn the_source_account_is_not_needed_unless_bytes_are_held_against_it() {
    let cloud = promoted_world();
    assert_eq!(verify_as(&cloud, Principal::Target, &[]).code, 0);
    // The recorded checksums tell what the source may not be asked.
    let deep = verify_as(&cloud, Principal::Target, &["--deep"]);
    assert_eq!((deep.code, document(&deep)["outcome"].as_str()), (0, Some("identical")), "{}", deep.stdout);
}

#[test]
fn every_flipped_byte_of_every_object_is_named() {
    let cloud = promoted_world();
    for key in artifacts(&cloud) {
        let object = cloud.object(SERVING, &key).expect("it is listed");
        let body = object.body.bytes();
        for at in 0..body.len() {
            let mut flipped = body.to_vec();
            flipped[at] ^= 1 << (at % 8);
            cloud.put(SERVING, &key, flipped);
            let run = verify(&cloud, if at % 2 == 0 { &[] } else { &["--deep"] });
            let expected = format!("artifact s3://{SERVING}/{key} changed");
            assert_eq!((run.code, named(&run)), (5, vec![expected]), "byte {at}");
        }
        cloud.put(SERVING, &key, body);
    }
    assert_eq!(verify(&cloud, &[]).code, 0, "the same bytes again are what was promoted");
}

#[test]
fn every_object_that_is_removed_cut_or_added_is_named() {
    let cloud = promoted_world();
    for key in artifacts(&cloud) {
        let body = cloud.object(SERVING, &key).expect("it is listed").body.bytes();
        cloud.remove(SERVING, &key);
        let run = verify(&cloud, &[]);
        assert_eq!((run.code, named(&run)), (5, vec![format!("artifact s3://{SERVING}/{key} missing")]));
        cloud.put(SERVING, &key, body.slice(1..));
        let run = verify(&cloud, &[]);
        assert_eq!((run.code, named(&run)), (5, vec![format!("artifact s3://{SERVING}/{key} changed")]));
        cloud.put(SERVING, &key, body);
    }
    let stranger = format!("{FOLDER}models/churn/llm/backdoor.py");
    cloud.put(SERVING, &stranger, "import os");
    let run = verify(&cloud, &[]);
    assert_eq!((run.code, named(&run)), (5, vec![format!("artifact s3://{SERVING}/{stranger} changed")]));
}

#[test]
fn every_field_of_the_package_that_is_changed_is_named() {
    let cloud = promoted_world();
    let description = cloud.package(COPY).expect("it is promoted");
    let mut seen = 0;
    let unrecorded = [
        "CreationTime",
        "LastModifiedTime",
        "LastModifiedBy",
        "CreatedBy",
        "ModelPackageStatusDetails",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageGroupName",
        "ModelPackageStatus",
    ];
    for (member, value) in description.as_object().expect("a package").clone() {
        if unrecorded.contains(&member.as_str()) {
            continue;
        }
        for changed in every_change(&value, &member) {
            cloud.change(COPY, json!({&member: changed}));
            let run = verify(&cloud, &[]);
            // Without its provenance it is no promoted version any more: an error names that.
            let names = named(&run);
            let code = if document(&run)["outcome"] == "failed" { 1 } else { 5 };
            assert_eq!(run.code, code, "{member} as {changed} passes: {}{}", run.stdout, run.stderr);
            let package = names.iter().any(|name| name.starts_with("package ") && name.contains(&member));
            let provenance =
                names.iter().any(|name| name.starts_with("record ")) || run.stderr.contains("promote:source-arn");
            assert!(package || provenance, "{member} as {changed}: {names:?}");
            seen += 1;
        }
        cloud.change(COPY, json!({&member: null}));
        let run = verify(&cloud, &[]);
        assert_eq!(
            run.code,
            if document(&run)["outcome"] == "failed" { 1 } else { 5 },
            "without {member}: {}",
            run.stdout
        );
        cloud.change(COPY, json!({&member: value}));
    }
    assert!(seen >= 20, "{seen}");
    assert_eq!(verify(&cloud, &[]).code, 0);
}

/// The value with each of its texts changed, one at a time; what a registry fills in itself is not recorded.
fn every_change(value: &Value, member: &str) -> Vec<Value> {
    match value {
        Value::String(_) if ["ImageDigest", "ModelDataETag"].contains(&member) => Vec::new(),
        // A card may come back with other white space: its content is changed, not its form.
        Value::String(text) if member == "ModelCardContent" => vec![json!(text.replace('1', "2"))],
        Value::String(text) => vec![json!(format!("{text}x"))],
        Value::Array(items) => {
            let inside = |(index, item): (usize, &Value)| {
                let with = move |changed| {
                    let mut all = items.clone();
                    all[index] = changed;
                    Value::Array(all)
                };
                every_change(item, member).into_iter().map(with).collect::<Vec<_>>()
            };
            items.iter().enumerate().flat_map(inside).collect()
        }
        Value::Object(members) => {
            let inside = |(name, item): (&String, &Value)| {
                let (name, inner) = (name.clone(), name.clone());
                let with = move |changed| {
                    let mut all = members.clone();
                    all[&name] = changed;
                    Value::Object(all)
                };
                every_change(item, &inner).into_iter().map(with).collect::<Vec<_>>()
            };
            members.iter().flat_map(inside).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_record_that_is_gone_broken_or_of_another_request_is_named() {
    let cloud = promoted_world();
    let key = format!("{FOLDER}promotion.json");
    let text = cloud.object(SERVING, &key).expect("the record").body.bytes();
    let name = format!("record s3://{SERVING}/{key}");
    cloud.remove(SERVING, &key);
    let run = verify(&cloud, &[]);
    assert_eq!((run.code, named(&run)), (5, vec![format!("{name} missing")]));
    cloud.put(SERVING, &key, "{");
    assert!(named(&verify(&cloud, &[])).contains(&format!("{name} changed")));
    let mut record: Value = serde_json::from_slice(&text).expect("JSON");
    record["request"]["Domain"] = json!("FORGED");
    cloud.put(SERVING, &key, record.to_string());
    let run = verify(&cloud, &[]);
    assert_eq!(run.code, 5);
    assert!(named(&run).contains(&format!("{name} changed")), "{}", run.stdout);
}

#[test]
fn later_records_are_verified_too() {
    let cloud = promoted_world();
    let all_pass = |cloud: &Cloud, after: &str| {
        let run = verify(cloud, &[]);
        assert_eq!(run.code, 0, "after {after}: {}", run.stdout);
    };
    let card = json!({"ModelCardStatus": "Approved", "ModelCardContent": "{\"a\": 1}"});
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}, "ModelCard": card}));
    promote(&cloud, &[]).document();
    all_pass(&cloud, "an update");
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    all_pass(&cloud, "a withdrawal");
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved", "ApprovalDescription": "Again"}));
    promote(&cloud, &[]).document();
    all_pass(&cloud, "a second approval");
    cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected"}));
    assert_eq!(named(&verify(&cloud, &[])), ["package ModelApprovalStatus changed"]);
}

#[test]
fn without_a_recorded_tag_or_checksum_only_the_bytes_verify_an_artifact() {
    let cloud = promoted_world();
    let key = format!("{FOLDER}promotion.json");
    let mut record: Value =
        serde_json::from_slice(&cloud.object(SERVING, &key).expect("the record").body.bytes()).expect("JSON");
    for artifact in record["artifacts"].as_array_mut().expect("artifacts") {
        artifact
            .as_object_mut()
            .expect("facts")
            .retain(|name, _| !["target_etag", "checksum"].contains(&name.as_str()));
    }
    cloud.put(SERVING, &key, record.to_string());
    let run = verify(&cloud, &[]);
    assert_eq!((run.code, document(&run)["unverifiable"].as_u64()), (3, Some(4)), "{}", run.stdout);
    assert_eq!(verify(&cloud, &["--deep"]).code, 0);
    assert_eq!(verify_as(&cloud, Principal::Target, &["--deep"]).code, 3, "the source may not be read");
}

#[test]
fn an_artifact_whose_key_is_like_that_of_a_manifest_is_compared_with_its_source() {
    let cloud = world();
    cloud.put(MODELS, "runs/_manifests/models/m.tar.gz", "weights");
    cloud.register(model("s3://models/runs/_manifests/models/m.tar.gz"));
    promote(&cloud, &[]).document();
    let document = document(&verify(&cloud, &["--deep"]));
    let findings = document["findings"].as_array().expect("findings");
    let equal = findings.iter().filter(|one| one["detail"] == "every byte equals the source object's").count();
    assert_eq!(equal, 1, "{document:#}");
}

#[test]
fn a_version_that_was_never_promoted_is_refused() {
    let cloud = with_package();
    let arn = cloud.register_in(crate::support::TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
    let run = run(&cloud, Principal::Both, &["verify", "--model-package", &arn]);
    run.fails(1, &["was not promoted: its customer metadata has no promote:source-arn"]);
}

#[test]
fn a_target_that_cannot_be_read_is_an_error_and_not_a_verdict() {
    let cloud = promoted_world();
    for operation in ["DescribeModelPackage", "ListObjectsV2", "GetObject"] {
        cloud.fail(Moment::every(operation), Failure::Status(403, "AccessDenied", "Access Denied"));
        let run = verify(&cloud, &[]);
        run.fails(1, &["AccessDenied", "target: "]);
        assert_eq!(document(&run)["outcome"], "failed");
        cloud.heal();
    }
}

#[test]
fn verify_writes_nothing() {
    let cloud = promoted_world();
    let wrote = writes(&cloud);
    verify(&cloud, &["--deep"]);
    assert_eq!(writes(&cloud), wrote);
}

#[test]
fn a_missing_artifact_comes_with_the_command_that_copies_it_again() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    let version = document["target"]["model_package_arn"].as_str().expect("an ARN");
    cloud.remove(SERVING, &format!("{FOLDER}models/churn/model.tar.gz"));
    let verify = ["verify", "--model-package", version];
    let missing = run(&cloud, Principal::Both, &verify);
    assert!(
        missing.code == 5 && missing.told().contains("`promote copy-artifacts` copies it again"),
        "{}",
        missing.stdout
    );
    let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    assert_eq!(run(&cloud, Principal::Both, &copy).code, 0);
    assert_eq!(run(&cloud, Principal::Both, &verify).code, 0, "it does");
}

#[test]
fn a_bucket_or_a_prefix_alone_replaces_only_that_part_of_the_place_that_the_version_names() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "prod/"]).document();
    assert_eq!(verify(&cloud, &[]).code, 0);
    assert_eq!(verify(&cloud, &["--target-bucket", SERVING]).code, 0, "the prefix is that of the artifacts");
    assert_eq!(verify(&cloud, &["--target-prefix", "prod/"]).code, 0, "the bucket is that of the artifacts");
    let elsewhere = verify(&cloud, &["--target-prefix", "test/"]);
    let record = format!("record s3://{SERVING}/test/{FOLDER}promotion.json missing");
    assert_eq!((elsewhere.code, named(&elsewhere)), (5, vec![record]));
}
