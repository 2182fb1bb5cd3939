//! Prefixes that are listed in several pages. All of them are listed before anything is written.

use std::collections::BTreeMap;

use super::*;
use crate::support::calls::Call;
use crate::support::{Body, Failure, Moment, SOURCE_ACCOUNT};

/// Keys on a page of the listings of these worlds.
const PAGE: usize = 10;
const OBJECTS: usize = 45;

/// A world whose package refers to a prefix of five pages and to nothing else.
fn long() -> Cloud {
    let cloud = world();
    cloud.page_size(PAGE);
    (0..OBJECTS).for_each(|n| cloud.put(MODELS, &key(n), format!("shard {n}")));
    cloud.register(prefix("s3://models/llm/"));
    cloud
}

fn key(n: usize) -> String {
    format!("llm/{n:03}")
}

fn prefix(url: &str) -> Value {
    let mut package = model("s3://models/unused");
    let data = serde_json::json!({"S3Uri": url, "S3DataType": "S3Prefix", "CompressionType": "None"});
    let container = &mut package["InferenceSpecification"]["Containers"][0];
    container.as_object_mut().expect("a container").remove("ModelDataUrl");
    container["ModelDataSource"] = serde_json::json!({"S3DataSource": data});
    package
}

/// The package, which also refers to a report.
fn with_report(url: &str) -> Value {
    let mut package = prefix("s3://models/llm/");
    let report = serde_json::json!({"ContentType": "application/json", "S3Uri": url});
    package["ModelMetrics"] = serde_json::json!({"ModelQuality": {"Statistics": report}});
    package
}

/// The page of the source's listing with this number.
fn page(number: usize) -> Moment {
    Moment::on("ListObjectsV2", number).at(MODELS)
}

/// Every object is at the target, and the document tells of each what is there.
fn assert_all(cloud: &Cloud, document: &Value) {
    let told = document["artifacts"].as_array().expect("artifacts");
    let told: BTreeMap<&str, &Value> = told.iter().map(|one| (one["source"].as_str().expect("a URL"), one)).collect();
    let keys = cloud.keys(MODELS);
    assert_eq!(told.len(), keys.len());
    for key in keys {
        let copy = cloud.object(SERVING, &format!("{FOLDER}models/{key}")).expect(&key);
        assert!(copy.body == cloud.object(MODELS, &key).expect("the source").body, "{key}");
        let told = told[format!("s3://models/{key}").as_str()];
        assert_eq!((told["bytes"].as_u64(), told["target_etag"].as_str()), (Some(copy.body.len()), Some(&*copy.etag)));
    }
}

#[test]
fn nothing_is_written_before_everything_else_has_been_found() {
    let cloud = long();
    cloud.register(with_report("s3://models/gone.json"));
    promote(&cloud, &[]).fails(1, &["there is no such object: s3://models/gone.json"]);
    assert_eq!(super::writes(&cloud), []);
}

#[test]
fn a_dry_run_reports_every_problem() {
    let cloud = long();
    let document = promote(&cloud, &["--dry-run"]).document();
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(OBJECTS));
    assert_eq!(super::writes(&cloud), []);
}

#[test]
fn large_objects_of_later_pages_arrive_with_the_small_ones() {
    for mode in ["auto", "server-side", "stream"] {
        let cloud = long();
        for n in [3, 17, 31, 44] {
            cloud.put(MODELS, &key(n), Body::synthetic((n as u64) << 20, n as u64));
        }
        let document = promote(&cloud, &["--copy-mode", mode]).document();
        assert_all(&cloud, &document);
    }
}

#[test]
fn with_two_principals_the_smallest_object_tells_that_all_have_to_be_streamed() {
    let cloud = long();
    let options = TWO_PRINCIPALS.into_iter().chain(["--output", "json"]).map(str::to_owned);
    let arguments: Vec<String> = full().into_iter().chain(options).collect();
    let document = run(&cloud, Principal::Stranger, &arguments).document();
    assert_all(&cloud, &document);
    assert_eq!(cloud.calls_of("CopyObject").len(), 1);
}

#[test]
fn a_listing_that_breaks_off_leaves_nothing_behind() {
    let cloud = long();
    cloud.fail(page(3), Failure::Status(403, "AccessDenied", "no more"));
    let run = promote(&cloud, &[]);
    run.fails(1, &["S3Uri: source: s3:ListObjectsV2 on s3://models/llm/: AccessDenied: no more"]);
    assert_eq!(super::writes(&cloud), []);
}

#[test]
fn a_key_of_a_later_page_that_is_too_long_for_the_target_is_named_and_nothing_is_written() {
    let cloud = long();
    cloud.put(MODELS, &format!("llm/{}", "z".repeat(1000)), "too long");
    let run = promote(&cloud, &[]);
    run.fails(1, &["cannot be promoted:\n", "S3 allows 1024", "Shorten the target prefix"]);
    assert_eq!(super::writes(&cloud), []);
}

#[test]
fn keys_of_later_pages_that_a_deployment_cannot_use_are_warned_of() {
    let cloud = long();
    cloud.put(MODELS, "llm/999/", "");
    let document = promote(&cloud, &[]).document();
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("ends in '/'") && warnings.contains("999/"), "{warnings}");
}

#[test]
fn a_prefix_within_a_long_one_is_copied_once() {
    let cloud = long();
    cloud.register(with_report("s3://models/llm/044"));
    let document = promote(&cloud, &[]).document();
    let folder = FOLDER.replace("-v1/", "-v2/");
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(OBJECTS));
    let copies = cloud.keys(SERVING).into_iter().filter(|key| key.starts_with(&folder) && !key.ends_with(".json"));
    assert_eq!((copies.count(), cloud.calls_of("CopyObject").len()), (OBJECTS, OBJECTS));
}

#[test]
fn two_long_prefixes_arrive() {
    let cloud = long();
    (0..OBJECTS).for_each(|n| cloud.put(MODELS, &format!("other/{n:03}"), format!("other {n}")));
    let mut package = prefix("s3://models/llm/");
    package["AdditionalInferenceSpecifications"] = serde_json::json!([{
        "Name": "other", "Containers": [prefix("s3://models/other/")["InferenceSpecification"]["Containers"][0]]
    }]);
    cloud.register(package);
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(2 * OBJECTS));
    assert_eq!(cloud.calls_of("CopyObject").len(), 2 * OBJECTS);
}

#[test]
fn a_prefix_that_the_target_lies_in_is_listed_before_anything_is_written_there() {
    let cloud = long();
    let group = Cloud::group_arn(GROUP);
    let fixed = ["full", "--group", &group, "--target-bucket", MODELS, "--target-prefix", "llm/to/"];
    let owner = ["--target-bucket-owner", SOURCE_ACCOUNT, "--output", "json"];
    cloud.allow(Principal::Both, "s3:*", "models*");
    // As many pages as there are objects: the first copies would be written long before the last page.
    cloud.page_size(1);
    let document = run(&cloud, Principal::Both, &[&fixed[..], &owner].concat()).document();
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(OBJECTS));
    // The looks for a hold come later, and list nothing that is copied.
    let is_hold = |call: &Call| call.request["prefix"].as_str().is_some_and(|prefix| prefix.ends_with("/_hold-"));
    let numbers =
        |operation: &str| cloud.calls_of(operation).into_iter().filter(|call| !is_hold(call)).map(|call| call.number);
    assert!(numbers("ListObjectsV2").max() < numbers("CopyObject").min());
}
