//! How artifacts get to the target: who moves the bytes, in which parts, how they are verified, and what a later run
//! takes up.

mod damage;
mod encrypted;
mod keys;
mod large;
mod pages;
mod resume;
mod strays;
mod streaming;
mod trouble;
mod tuning;
mod uploads;
mod verified;

use serde_json::Value;

use crate::support::{Cloud, Principal};
use crate::world::*;

/// Calls that write objects.
const WRITES: [&str; 7] = [
    "CopyObject",
    "PutObject",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "DeleteObject",
];

/// A world with an approved package of one object.
fn with(body: impl Into<crate::support::Body>, attributes: crate::support::Attributes) -> Cloud {
    let cloud = world();
    cloud.put_with(MODELS, "m.tar.gz", body, attributes);
    cloud.register(model("s3://models/m.tar.gz"));
    cloud
}

/// The copy of that object.
fn copy(cloud: &Cloud) -> crate::support::s3::Object {
    cloud.object(SERVING, &copy_key()).expect("the copy is there")
}

fn copy_key() -> String {
    format!("{FOLDER}models/m.tar.gz")
}

/// How that object was copied, as the document tells it: result and verification.
fn told(document: &Value) -> (&str, &str) {
    let artifact = artifact(document, "s3://models/m.tar.gz");
    (artifact["result"].as_str().unwrap_or_default(), artifact["verified"].as_str().unwrap_or_default())
}

/// Runs `copy-artifacts` for version 1 of the group.
fn copy_artifacts(cloud: &Cloud, who: Principal, more: &[&str]) -> Run {
    let arn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1";
    let fixed = ["copy-artifacts", "--model-package", arn, "--target-bucket", SERVING, "--output", "json"];
    let arguments: Vec<&str> = fixed.into_iter().chain(more.iter().copied()).collect();
    run(cloud, who, &arguments)
}

/// Each writing call so far, as operation and resource.
fn writes(cloud: &Cloud) -> Vec<(String, String)> {
    let calls = cloud.calls().into_iter().filter(|call| WRITES.contains(&call.operation.as_str()));
    calls.map(|call| (call.operation, call.resource)).collect()
}

#[test]
fn one_principal_copies_server_side_and_no_artifact_byte_passes_through_the_process() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(4));
    assert_eq!(cloud.calls_of("CopyObject").len(), 4);
    let others = ["/promotion.json", "/_claims/0.json"];
    let traffic = cloud.traffic(|call| !others.iter().any(|other| call.resource.ends_with(other)));
    assert_eq!((traffic.read, traffic.written), (0, 0));
}

#[test]
fn where_copies_in_one_request_cannot_be_conditional_each_object_is_an_upload_that_is() {
    let cloud = with_package();
    cloud.put(MODELS, "churn/llm/empty", "");
    cloud.refuse_conditional_copies();
    let document = promote(&cloud, &["--copy-mode", "server-side"]).document();
    let verified = |artifact: &Value| ["etag", "checksum"].contains(&artifact["verified"].as_str().unwrap_or_default());
    assert!(document["artifacts"].as_array().expect("artifacts").iter().all(verified), "{document:#}");
    let completed = cloud.calls_of("CompleteMultipartUpload");
    assert!(!completed.is_empty());
    assert!(completed.iter().all(|call| call.headers.get("if-none-match").map(String::as_str) == Some("*")));
    assert!(cloud.uploads(SERVING).is_empty());
    let said = document["warnings"].as_array().expect("warnings").iter().filter(|one| {
        one["remark"]
            .as_str()
            .is_some_and(|remark| remark.starts_with("S3 takes no conditional copy in one request here"))
    });
    assert_eq!(said.count(), 1, "{document:#}");
}

#[test]
fn a_key_of_a_third_account_is_used_with_a_warning() {
    let cloud = with_package();
    let key = "arn:aws:kms:eu-central-1:555666777888:key/66666666-7777-8888-9999-000000000000";
    cloud.allow(Principal::Both, "kms:*", key);
    for (dry, outcome) in [(&["--dry-run"][..], "planned"), (&[], "promoted")] {
        let document = promote(&cloud, &[dry, &["--kms-key-arn", key]].concat()).document();
        assert_eq!(document["outcome"], outcome);
        let remark = document["warnings"][0]["remark"].as_str().expect("a remark").to_owned();
        assert!(remark.starts_with("the key belongs to account 555666777888, not to the target account"), "{remark}");
    }
    let key = key.replace("555666777888", crate::support::TARGET_ACCOUNT);
    let own = with_package();
    assert_eq!(promote(&own, &["--kms-key-arn", &key]).document()["warnings"], serde_json::json!([]));
}

#[test]
fn every_server_side_copy_is_conditional_on_the_source_and_on_an_absent_target() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    for call in cloud.calls_of("CopyObject") {
        let key = call.resource.strip_prefix(&format!("{SERVING}/{FOLDER}models/")).expect("a copy").to_owned();
        let etag = cloud.object(MODELS, &key).expect("the source").etag;
        assert_eq!(call.headers.get("x-amz-copy-source-if-match"), Some(&format!("\"{etag}\"")));
        assert_eq!(call.headers.get("if-none-match").map(String::as_str), Some("*"));
        // By default S3 copies annotations, and demands two more permissions.
        assert_eq!(call.headers.get("x-amz-object-annotation-directive").map(String::as_str), Some("EXCLUDE"));
    }
}

#[test]
fn a_source_object_that_is_replaced_during_the_copy_is_noticed_and_nothing_is_registered() {
    use crate::support::Moment;
    for more in [&["--copy-mode", "server-side"], &["--copy-mode", "stream"]] {
        let cloud = with("first", Default::default());
        let operation = if more[1] == "stream" { "GetObject" } else { "CopyObject" };
        cloud.hook(Moment::on(operation, 1).at("m.tar.gz"), |cloud| cloud.put(MODELS, "m.tar.gz", "other"));
        promote(&cloud, more)
            .fails(1, &["s3://models/m.tar.gz was replaced while it was copied", "nothing was registered"]);
        assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
        let document = promote(&cloud, more).document();
        assert_eq!(document["outcome"], "promoted");
        assert_eq!(copy(&cloud).body.bytes(), "other");
    }
}

#[test]
fn server_side_without_permission_to_read_the_source_names_the_missing_grant() {
    let cloud = with_package();
    let fixed = ["--copy-mode", "server-side", "--output", "json"];
    let options: Vec<String> = TWO_PRINCIPALS.into_iter().chain(fixed).map(str::to_owned).collect();
    let arguments: Vec<String> = full().into_iter().chain(options).collect();
    let run = run(&cloud, Principal::Stranger, &arguments);
    run.fails(1, &["target: s3:CopyObject: AccessDenied", "Grant s3:GetObject on arn:aws:s3:::models/churn/"]);
    run.fails(1, &["(in the source's bucket policy too), or pass `--copy-mode stream`"]);
    assert!(!run.stderr.contains("Grant s3:PutObject"), "{}", run.stderr);
    assert_eq!((run.result(), promoted(&cloud).len(), cloud.keys(SERVING).len()), ("", 0, 0));
    assert_eq!(cloud.calls_of("PutObject").len(), 0);
}

#[test]
fn with_a_kms_key_every_object_is_encrypted_with_it_and_a_bucket_key() {
    use crate::support::s3::Encryption;
    let key = "arn:aws:kms:eu-central-1:111222333444:key/of-the-target";
    for more in [&["--copy-mode", "server-side"], &["--copy-mode", "stream"]] {
        let cloud = with_package();
        cloud.put(MODELS, "churn/llm/large", vec![3; 9 << 20]);
        cloud.put(MODELS, "churn/llm/marker/", "");
        let options: Vec<&str> = more.iter().copied().chain(["--kms-key-arn", key]).collect();
        promote(&cloud, &options).document();
        let keys = cloud.keys(SERVING);
        assert_eq!(keys.len(), 8);
        for one in keys {
            let encryption = cloud.object(SERVING, &one).expect("it is listed").attributes.encryption;
            assert_eq!(encryption, Encryption::Kms { key: key.into(), bucket_key: true }, "{one}");
        }
    }
}

#[test]
fn without_a_key_the_bucket_decides_how_objects_are_encrypted() {
    use crate::support::s3::Encryption;
    let key = "arn:aws:kms:eu-central-1:111222333444:key/of-the-bucket";
    let cloud = with_package();
    cloud.encrypt_bucket(SERVING, key);
    let document = promote(&cloud, &[]).document();
    assert_eq!(artifact(&document, "s3://models/churn/model.tar.gz")["verified"], "checksum");
    for one in cloud.keys(SERVING) {
        let encryption = cloud.object(SERVING, &one).expect("it is listed").attributes.encryption;
        assert_eq!(encryption, Encryption::Kms { key: key.into(), bucket_key: true }, "{one}");
    }
}
