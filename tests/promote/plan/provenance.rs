//! Versions that come from the target are not promoted back.

use serde_json::{Value, json};

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

fn with_metadata(metadata: Value) -> Cloud {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": metadata}));
    cloud
}

#[test]
fn a_version_that_was_promoted_from_the_target_group_is_not_promoted_back() {
    let of_target = SOURCE_VERSION.replace(SOURCE_ACCOUNT, TARGET_ACCOUNT);
    let elsewhere = of_target.replace("churn-model", "another");
    for metadata in [
        json!({"promote:source-arn": of_target}),
        json!({"promote:source-arn": of_target.replace("churn", "Churn")}),
        json!({"promote:source-arn": elsewhere, "promote:origin-arn": of_target}),
    ] {
        let cloud = with_metadata(metadata);
        for more in [&["--dry-run"][..], &[]] {
            let says = ["comes from the target group", "is not promoted back: its metadata has promote:", "hint: "];
            promote(&cloud, more).fails(1, &says);
        }
        assert_eq!((writes(&cloud), promoted(&cloud).len()), (Vec::<String>::new(), 0));
    }
}

#[test]
fn a_version_that_was_promoted_from_another_group_is_promoted_on() {
    let before = SOURCE_VERSION.replace(SOURCE_ACCOUNT, "999988887777");
    let cloud = with_metadata(json!({"promote:source-arn": before}));
    promote(&cloud, &[]).document();
    let metadata = &promoted(&cloud)[0]["CustomerMetadataProperties"];
    assert_eq!(
        (&metadata["promote:source-arn"], &metadata["promote:origin-arn"]),
        (&json!(SOURCE_VERSION), &json!(before))
    );
}

#[test]
fn accounts_that_are_swapped_are_refused_with_the_metadata_that_tells_it() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.create_bucket("training", SOURCE_ACCOUNT);
    let before = (cloud.packages(SOURCE_ACCOUNT, GROUP), promoted(&cloud));
    let swapped = ["--source-profile", "target", "--target-profile", "source", "--target-bucket", "training"];
    for more in [&["--dry-run"][..], &[]] {
        let arguments = [&["full", "--group", GROUP][..], &swapped, more].concat();
        let run = run(&cloud, Principal::Both, &arguments);
        run.fails(
            1,
            &[
                &format!("promote:source-arn = {SOURCE_VERSION}"),
                "hint: If the credentials of source and target are swapped",
            ],
        );
    }
    assert_eq!((cloud.packages(SOURCE_ACCOUNT, GROUP), promoted(&cloud)), before);
    assert_eq!(cloud.keys("training"), Vec::<String>::new());
}
