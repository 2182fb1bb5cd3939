//! Keys are raw: whatever S3 stores under a key arrives under the same key, with its headers and metadata.

use serde_json::{Value, json};

use crate::support::{Attributes, Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

/// Keys that programs stumble over.
const KEYS: [&str; 36] = [
    "a space.bin",
    "a+plus.bin",
    "a%20percent.bin",
    "100%.bin",
    "%2F%2e%2e%2f.bin",
    "a#hash.bin",
    "a?question=1.bin",
    "a$dollar.bin",
    "a&ampersand&amp;.bin",
    "a=equals.bin",
    "a;semicolon.bin",
    "a:colon.bin",
    "a,comma.bin",
    "a@at!bang~tilde*star.bin",
    "a'single\"double`back.bin",
    "a<less>greater.bin",
    "a(round)[square]{curly}.bin",
    "a\\backslash|pipe^caret.bin",
    "ünïcode/日本語/🦀.bin",
    "e\u{301}-decomposed.bin",
    "two//slashes.bin",
    "three///slashes.bin",
    "../up.bin",
    "a/../b/./c.bin",
    "./here.bin",
    "/leading.bin",
    "//leading-twice.bin",
    "not-a-marker/",
    "x",
    "~",
    " leading space",
    "trailing space ",
    "a\ttab.bin",
    "a\nnewline.bin",
    "a\rreturn.bin",
    "a\u{1}control.bin",
];

/// The arguments of both ways to copy, with who runs them.
fn ways() -> [(Principal, Vec<&'static str>); 2] {
    let stream = TWO_PRINCIPALS.into_iter().chain(["--copy-mode", "stream"]).collect();
    [(Principal::Both, vec!["--copy-mode", "server-side"]), (Principal::Stranger, stream)]
}

fn run_json(cloud: &Cloud, who: Principal, more: &[&str]) -> Value {
    let arguments: Vec<String> = full().into_iter().chain(["--output".into(), "json".into()]).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    run(cloud, who, &arguments).document()
}

fn whole_bucket() -> Value {
    let mut package = model("");
    let source = json!({"S3Uri": "s3://models/", "S3DataType": "S3Prefix", "CompressionType": "None"});
    package["InferenceSpecification"]["Containers"] =
        json!([{"Image": "i", "ModelDataSource": {"S3DataSource": source}}]);
    package
}

#[test]
fn every_key_below_a_prefix_arrives_unchanged() {
    for (who, more) in ways() {
        let cloud = world();
        cloud.register(whole_bucket());
        KEYS.iter().for_each(|key| cloud.put(MODELS, key, *key));
        cloud.page_size(5);
        let document = run_json(&cloud, who, &more);
        assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(KEYS.len()), "{more:?}");
        for key in KEYS {
            let copy = cloud.object(SERVING, &format!("{FOLDER}models/{key}"));
            assert_eq!(copy.map(|copy| copy.body.bytes()), Some(key.into()), "{key} {more:?}");
        }
        assert_eq!(cloud.keys(SERVING).len(), KEYS.len() + 2, "{more:?}");
    }
}

#[test]
fn every_key_that_a_member_names_arrives_unchanged() {
    // AWS takes no URL with a line break.
    let keys: Vec<&str> = KEYS.into_iter().filter(|key| !key.contains('\n')).collect();
    for (who, more) in ways() {
        for keys in keys.chunks(15) {
            let cloud = world();
            let mut package = model("");
            let container = |key: &&str| json!({"Image": "i", "ModelDataUrl": format!("s3://models/{key}")});
            package["InferenceSpecification"]["Containers"] = keys.iter().map(container).collect();
            cloud.register(package);
            keys.iter().for_each(|key| cloud.put(MODELS, key, *key));
            let document = run_json(&cloud, who, &more);
            for (index, key) in keys.iter().enumerate() {
                let target = artifact(&document, &format!("s3://models/{key}"))["target"].clone();
                assert_eq!(target, format!("s3://{SERVING}/{FOLDER}models/{key}"));
                let request = create_request(&cloud);
                assert_eq!(request["InferenceSpecification"]["Containers"][index]["ModelDataUrl"], target);
                let copy = cloud.object(SERVING, &format!("{FOLDER}models/{key}"));
                assert_eq!(copy.map(|copy| copy.body.bytes()), Some((*key).into()), "{key} {more:?}");
            }
        }
    }
}

#[test]
fn the_longest_keys_that_fit_arrive_and_one_byte_more_is_refused_before_the_first_write() {
    let longest = 1024 - FOLDER.len() - "models/".len();
    assert!(longest > 900);
    let key = |bytes: usize| format!("{}/{}", "é".repeat(20), "k".repeat(bytes - 41));
    for (who, more) in ways() {
        let cloud = world();
        cloud.put(MODELS, &key(longest), "weights");
        cloud.register(whole_bucket());
        run_json(&cloud, who, &more);
        assert!(cloud.object(SERVING, &format!("{FOLDER}models/{}", key(longest))).is_some());
    }
    let cloud = world();
    cloud.put(MODELS, &key(longest + 1), "weights");
    cloud.register(whole_bucket());
    promote(&cloud, &[]).fails(1, &["S3DataSource.S3Uri would be copied to a key of 1025 bytes; S3 allows 1024"]);
    assert_eq!((cloud.keys(SERVING).len(), promoted(&cloud).len()), (0, 0));
}

#[test]
fn the_same_key_in_two_buckets_is_two_objects() {
    for (who, more) in ways() {
        let cloud = world();
        cloud.create_bucket("more-models", SOURCE_ACCOUNT);
        cloud.put(MODELS, "same/model.tar.gz", "one");
        cloud.put("more-models", "same/model.tar.gz", "other");
        let mut package = model("s3://models/same/model.tar.gz");
        let containers = package["InferenceSpecification"]["Containers"].as_array_mut().expect("a list");
        containers.push(json!({"Image": "i", "ModelDataUrl": "s3://more-models/same/model.tar.gz"}));
        cloud.register(package);
        run_json(&cloud, who, &more);
        for (bucket, text) in [(MODELS, "one"), ("more-models", "other")] {
            let copy = cloud.object(SERVING, &format!("{FOLDER}{bucket}/same/model.tar.gz"));
            assert_eq!(copy.map(|copy| copy.body.bytes()), Some(text.into()));
        }
    }
}

/// Every header that belongs to an object, and metadata.
fn dressed() -> Attributes {
    Attributes::default()
        .header("content-type", "application/x-tar; charset=utf-8")
        .header("cache-control", "max-age=3600, must-revalidate")
        .header("content-disposition", "attachment; filename=\"model v1.tar.gz\"")
        .header("content-encoding", "gzip")
        .header("content-language", "de-DE, en")
        .header("expires", "Wed, 21 Oct 2026 07:28:00 GMT")
        .metadata("trained-by", "growth team")
        .metadata("run", "a=b; c, \"d\"")
}

#[test]
fn headers_and_metadata_arrive_with_small_and_large_objects_in_both_modes() {
    for (who, more) in ways() {
        let cloud = world();
        cloud.register(whole_bucket());
        let (large, parts) = (vec![7; 9 << 20], dressed().parts_of(5 << 20));
        cloud.put_with(MODELS, "small", "small", dressed());
        cloud.put_with(MODELS, "marker/", "", dressed());
        cloud.put_with(MODELS, "small-in-parts", "parts", parts.clone());
        cloud.put_with(MODELS, "large", large.clone(), dressed());
        cloud.put_with(MODELS, "large-in-parts", large, parts);
        run_json(&cloud, who, &more);
        for key in ["small", "marker/", "small-in-parts", "large", "large-in-parts"] {
            let source = cloud.object(MODELS, key).expect("it was put");
            let copy = cloud.object(SERVING, &format!("{FOLDER}models/{key}")).expect(key);
            assert!(copy.body == source.body, "{key}");
            assert_eq!(copy.attributes.headers, source.attributes.headers, "{key} {more:?}");
            let mut metadata = copy.attributes.metadata.clone();
            let mark = metadata.remove("promote-source-etag");
            // The mark is for copies that cannot have the ETag of their source.
            let expected = (copy.etag != source.etag).then(|| source.etag.clone());
            assert_eq!(mark, expected, "{key} {more:?}");
            assert_eq!(metadata, source.attributes.metadata, "{key} {more:?}");
        }
    }
}

#[test]
fn an_ordinary_copy_has_no_metadata_of_promote() {
    for (who, more) in ways() {
        let cloud = with_package();
        run_json(&cloud, who, &more);
        let copy = cloud.object(SERVING, &format!("{FOLDER}models/churn/model.tar.gz")).expect("the copy");
        assert_eq!((copy.attributes.metadata.len(), copy.attributes.tags.len()), (0, 0));
        assert_eq!(copy.header("content-type"), Some("binary/octet-stream"));
    }
}
