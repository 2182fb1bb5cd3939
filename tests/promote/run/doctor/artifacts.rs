//! The objects below a prefix.

use super::*;

const SHARDS_KEY: &str = "arn:aws:kms:eu-central-1:444333666777:key/cccccccc-3333-4444-5555-666677778888";

/// Puts an object that is encrypted with a key.
fn put(cloud: &Cloud, key: &str, content: &str, kms_key: &str) {
    let encryption = Encryption::Kms { key: kms_key.to_owned(), bucket_key: true };
    cloud.put_with(MODELS, key, content, Attributes { encryption, ..Attributes::default() });
}

fn denied_decrypt() -> BTreeSet<(String, String)> {
    BTreeSet::from([("kms:Decrypt".to_owned(), "source".to_owned())])
}

#[test]
fn the_first_object_with_content_below_a_prefix_is_read_and_not_the_empty_marker_of_its_folder() {
    let cloud = encrypted();
    put(&cloud, "churn/llm/", "", SOURCE_KEY);
    put(&cloud, "churn/llm/config.json", "{}", SHARDS_KEY);
    put(&cloud, "churn/llm/shard/1.bin", "one", SHARDS_KEY);
    cloud.deny(Principal::Both, "kms:Decrypt", SHARDS_KEY);
    let run = doctor(&cloud, &[]);
    assert_eq!(denied(&run), denied_decrypt(), "{:#}", document(&run));
}

#[test]
fn the_first_object_with_content_is_found_behind_a_page_of_empty_ones() {
    let cloud = encrypted();
    for number in 0..1001 {
        cloud.put(MODELS, &format!("churn/llm/{number:04}"), "");
    }
    put(&cloud, "churn/llm/config.json", "{}", SHARDS_KEY);
    cloud.deny(Principal::Both, "kms:Decrypt", SHARDS_KEY);
    let run = doctor(&cloud, &[]);
    assert_eq!(denied(&run), denied_decrypt(), "{:#}", document(&run));
}

#[test]
fn an_object_is_read_although_it_is_empty() {
    let cloud = encrypted();
    cloud.put(MODELS, "churn/report.json", "");
    let run = doctor(&cloud, &[]);
    let reads = cloud.calls_of("GetObject");
    assert!(reads.iter().any(|call| call.resource.ends_with("churn/report.json")), "{:#}", document(&run));
}
