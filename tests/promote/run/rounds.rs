//! Counts the dependent round trips of a run: each costs the latency of the network.

use crate::support::rounds::Rounds;
use crate::support::{Body, Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

/// Runs `full` without images, which has to succeed, and gives its rounds.
fn rounds_of_full(cloud: &Cloud) -> Rounds {
    rounds_with(cloud, "keep")
}

/// Runs `full` with this treatment of images, which has to succeed, and gives its rounds.
fn rounds_with(cloud: &Cloud, images: &str) -> Rounds {
    let mut command = cloud.process(Principal::Both);
    command.args(full()).args(["--images", images, "--output", "json"]);
    let (output, rounds) = cloud.in_rounds(command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    rounds
}

#[test]
fn a_first_promotion_takes_10_rounds_and_a_repeated_one_3() {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    let first = rounds_of_full(&cloud);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    let repeated = rounds_of_full(&cloud);
    assert_eq!((first.len(), repeated.len()), (10, 3), "{first:?}\n{repeated:?}");
}

/// The greatest number of versions of one account that were described in one round.
fn described_at_once(cloud: &Cloud, arguments: &[&str]) -> usize {
    let mut calls = cloud.calls().len();
    let mut command = cloud.process(Principal::Both);
    command.args(arguments).args(["--target-bucket", SERVING, "--images", "keep", "--output", "json"]);
    let (output, rounds) = cloud.in_rounds(command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let all = cloud.calls();
    let mut most = 0;
    for round in rounds {
        let round = &all[calls..][..round.len()];
        calls += round.len();
        let of = |account: &str| {
            let described = round.iter().filter(|call| call.operation == "DescribeModelPackage");
            described.filter(|call| call.resource.contains(account)).count()
        };
        most = most.max(of(SOURCE_ACCOUNT)).max(of(TARGET_ACCOUNT));
    }
    most
}

#[test]
fn a_run_describes_at_most_4_versions_of_an_account_at_once() {
    let cloud = with_package();
    cloud.describes_until_completed(0);
    for _ in 0..7 {
        promote(&cloud, &[]).document();
        cloud.register(package());
    }
    assert_eq!(described_at_once(&cloud, &["full", "--group", &Cloud::group_arn(GROUP)]), 4);
}

#[test]
fn a_run_of_many_groups_describes_at_most_4_versions_of_an_account_at_once() {
    let cloud = world();
    cloud.describes_until_completed(0);
    for number in 0..10 {
        let key = format!("{number}/model.tar.gz");
        cloud.put(MODELS, &key, "weights");
        let mut package = model(&format!("s3://{MODELS}/{key}"));
        package["ModelPackageGroupName"] = format!("Group-{number}").into();
        cloud.register(package);
    }
    let full = ["full", "--group", &Cloud::group_arn("Group-*")];
    assert_eq!(described_at_once(&cloud, &full), 4, "the first run");
    assert_eq!(described_at_once(&cloud, &full), 4, "a repeated run");
}

#[test]
fn an_image_with_layers_adds_7_rounds_to_a_first_promotion_and_1_to_a_repeated_one() {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    let first = rounds_with(&cloud, "copy");
    let repeated = rounds_with(&cloud, "copy");
    assert_eq!((first.len(), repeated.len()), (17, 4), "{first:?}\n{repeated:?}");
}

#[test]
fn further_records_add_no_round_to_a_repeated_promotion() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let before = rounds_of_full(&cloud);
    for team in ["a", "b"] {
        cloud.change(SOURCE_VERSION, serde_json::json!({"CustomerMetadataProperties": {"team": team}}));
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
    }
    let after = rounds_of_full(&cloud);
    assert_eq!(after.len(), before.len(), "{before:?}\n{after:?}");
}

#[test]
fn a_first_promotion_of_a_model_in_parts_takes_11_rounds_and_below_a_prefix_12() {
    for (key, expected) in [("churn/model.tar.gz", 11), ("churn/llm/weights", 12)] {
        let cloud = with_package();
        cloud.describes_until_completed(1);
        cloud.put(MODELS, key, Body::synthetic(500 << 20, 1));
        let first = rounds_of_full(&cloud);
        assert_eq!(first.len(), expected, "{key}: {first:?}");
    }
}

#[test]
fn copying_a_large_object_takes_5_rounds_after_the_listing() {
    let rounds = |cloud: &Cloud, more: &[&str]| {
        let mut command = cloud.process(Principal::Both);
        let fixed = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
        command.args(fixed).args(["--images", "keep"]).args(more);
        let (output, rounds) = cloud.in_rounds(command);
        assert_eq!(Run::of(output).code, 0);
        rounds
    };
    // HEAD, CreateMultipartUpload, the parts, CompleteMultipartUpload, DeleteObject of the upload's state; streamed, a part
    // takes two.
    for (mode, bytes, after) in [("server-side", 500 << 20, 5), ("stream", 20 << 20, 6)] {
        let cloud = with_package();
        cloud.put(MODELS, "churn/llm/weights", Body::synthetic(bytes, 1));
        let listed = rounds(&cloud, &["--copy-mode", mode, "--dry-run"]);
        let copied = rounds(&cloud, &["--copy-mode", mode]);
        assert_eq!(copied.len() - listed.len(), after, "{mode}: {listed:?}\n{copied:?}");
    }
}

#[test]
fn calls_in_parallel_are_one_round() {
    let cloud = with_package();
    let mut command = cloud.process(Principal::Both);
    command.args(["find-latest", "--group", &Cloud::group_arn(GROUP), "--output", "json"]);
    let (output, rounds) = cloud.in_rounds(command);
    assert_eq!(Run::of(output).code, 0);
    // List, then Describe.
    assert_eq!(rounds.len(), 2, "{rounds:?}");
}

#[test]
fn a_withdrawal_adds_no_round_to_a_promotion() {
    let of_a_second_version = |reject_the_first: bool| {
        let cloud = with_package();
        cloud.describes_until_completed(1);
        promote(&cloud, &[]).document();
        cloud.register(package());
        if reject_the_first {
            cloud.change(SOURCE_VERSION, serde_json::json!({"ModelApprovalStatus": "Rejected"}));
        }
        let rounds = rounds_of_full(&cloud);
        let status = if reject_the_first { "Rejected" } else { "Approved" };
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], status);
        rounds
    };
    let (without, with) = (of_a_second_version(false), of_a_second_version(true));
    assert_eq!(with.len(), without.len(), "{without:?}\n{with:?}");
}
