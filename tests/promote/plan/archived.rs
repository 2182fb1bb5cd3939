//! Archived objects: refused before the first write, and promoted when they are restored.

use crate::support::{Attributes, Body, Cloud, Moment, Principal};
use crate::world::*;

/// A package that refers to an object and a prefix with another object, with these attributes.
fn with_attributes(attributes: &Attributes) -> Cloud {
    let cloud = with_package();
    for key in ["churn/model.tar.gz", "churn/llm/weights"] {
        cloud.put_with(MODELS, key, "cold", attributes.clone());
    }
    cloud
}

#[test]
fn archived_objects_are_named_together_before_the_first_write_and_in_a_dry_run() {
    for attributes in ["GLACIER", "DEEP_ARCHIVE"].map(|class| Attributes::default().storage_class(class)) {
        let cloud = with_attributes(&attributes);
        for more in [&["--dry-run"][..], &[], &["--copy-mode", "stream"]] {
            let says = [
                "2 objects are archived, and S3 cannot copy archived objects:",
                "\n  s3://models/churn/model.tar.gz",
                "\n  s3://models/churn/llm/weights",
                "hint: Restore archived objects with `aws s3api restore-object`, and run again when they are restored",
            ];
            promote(&cloud, more).fails(1, &says);
        }
        assert_eq!(writes(&cloud), Vec::<String>::new());
    }
}

#[test]
fn objects_that_are_being_restored_are_still_archived() {
    let cloud = with_attributes(&Attributes::default().storage_class("GLACIER").restoring());
    promote(&cloud, &["--dry-run"]).fails(1, &["2 objects are archived, and S3 cannot copy archived objects:"]);
}

#[test]
fn restored_objects_are_promoted() {
    let cloud = with_attributes(&Attributes::default().storage_class("GLACIER").restored());
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn objects_in_archive_tiers_of_intelligent_tiering_are_named_together_before_the_first_write_also_below_a_prefix() {
    for tier in ["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"] {
        let cloud = with_package();
        for key in ["churn/model.tar.gz", "churn/llm/1", "churn/llm/2"] {
            cloud.put_with(MODELS, key, Body::synthetic(128 << 10, 1), Attributes::default().archive_tier(tier));
        }
        for more in [&["--dry-run"][..], &[], &["--copy-mode", "stream"]] {
            let says = [
                "3 objects are archived, and S3 cannot copy archived objects:",
                "\n  s3://models/churn/model.tar.gz",
                "\n  s3://models/churn/llm/1",
                "\n  s3://models/churn/llm/2",
                "hint: Restore archived objects with `aws s3api restore-object`, and run again when they are restored",
            ];
            promote(&cloud, more).fails(1, &says);
        }
        assert_eq!(writes(&cloud), Vec::<String>::new());
    }
}

#[test]
fn only_objects_that_intelligent_tiering_may_have_archived_cost_a_request_of_their_own() {
    let cloud = with_package();
    let tiered = || Attributes::default().storage_class("INTELLIGENT_TIERING");
    cloud.put_with(MODELS, "churn/llm/large", Body::synthetic(128 << 10, 1), tiered());
    cloud.put_with(MODELS, "churn/llm/small", "small", tiered());
    cloud.put(MODELS, "churn/llm/standard", Body::synthetic(128 << 10, 1));
    promote(&cloud, &["--dry-run"]).document();
    let heads = cloud.calls_of("HeadObject").into_iter().map(|call| call.resource);
    let mut heads: Vec<String> = heads.filter(|key| key.starts_with("models/churn/llm/")).collect();
    heads.sort();
    assert_eq!(heads, ["models/churn/llm/large"]);
}

#[test]
fn one_object_that_is_archived_meanwhile_does_not_switch_the_others_to_streaming() {
    // The smallest object is copied first.
    for key in ["churn/report.json", "churn/model.tar.gz"] {
        let cloud = with_package();
        cloud.allow(Principal::Target, "s3:*", "models*");
        cloud.hook(Moment::on("CopyObject", 1), move |cloud| {
            let body = cloud.object(MODELS, key).expect("the object is there").body;
            cloud.put_with(MODELS, key, body, Attributes::default().storage_class("GLACIER"));
        });
        let arguments: Vec<String> = full()
            .into_iter()
            .chain(TWO_PRINCIPALS.map(str::to_owned))
            .chain(["--output", "json"].map(str::to_owned))
            .collect();
        let run = run(&cloud, Principal::Stranger, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        run.fails(1, &[key, "hint: Restore the archived object (`aws s3api restore-object`)"]);
        assert_eq!(cloud.traffic(|call| call.resource.starts_with(MODELS)).read, 0, "{key}: nothing is streamed");
        assert!(promoted(&cloud).is_empty());
    }
}
