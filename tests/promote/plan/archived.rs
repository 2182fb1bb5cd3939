//! Archived objects: refused before the first write, and promoted when they are restored.

use crate::support::{Attributes, Cloud, Principal};
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
    for class in ["GLACIER", "DEEP_ARCHIVE"] {
        let cloud = with_attributes(&Attributes::default().storage_class(class));
        for more in [&["--dry-run"][..], &[], &["--copy-mode", "stream"]] {
            let says = [
                "2 objects are archived, and S3 cannot copy archived objects:",
                "\n  s3://models/churn/model.tar.gz",
                "\n  s3://models/churn/llm/weights",
                "hint: Restore them with `aws s3api restore-object`, and run again when they are restored",
            ];
            promote(&cloud, more).fails(1, &says);
        }
        assert_eq!(writes(&cloud), Vec::<String>::new());
    }
}

#[test]
fn restored_objects_are_promoted() {
    let cloud = with_attributes(&Attributes::default().storage_class("GLACIER").restored());
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn an_object_in_an_archive_tier_of_intelligent_tiering_is_refused_and_below_a_prefix_it_has_a_hint_of_its_own() {
    let cold = Attributes::default().archive_tier("DEEP_ARCHIVE_ACCESS");
    let cloud = with_package();
    cloud.put_with(MODELS, "churn/model.tar.gz", "cold", cold.clone());
    promote(&cloud, &["--dry-run"]).fails(1, &["1 object is archived", "s3://models/churn/model.tar.gz"]);
    let cloud = with_package();
    cloud.put_with(MODELS, "churn/llm/weights", "cold", cold);
    // A listing does not tell the tier.
    let run = run(&cloud, Principal::Both, &full().iter().map(String::as_str).collect::<Vec<_>>());
    run.fails(1, &["InvalidObjectState", "hint: Restore the archived object (aws s3api restore-object)"]);
    assert!(promoted(&cloud).is_empty());
}
