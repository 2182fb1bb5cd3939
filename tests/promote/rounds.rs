//! How many calls of a promotion wait for another one: what a distant registry costs.

use crate::support::{Body, Cloud, Principal};
use crate::world::*;

/// Runs `full` and counts its rounds.
fn rounds(cloud: &Cloud, more: &[&str]) -> usize {
    let mut command = cloud.process(Principal::Both);
    command.args(full()).args(["--output", "json"]).args(more);
    let (output, rounds) = cloud.in_rounds(command);
    let run = Run::of(output);
    assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{}", run.stdout);
    rounds
}

#[test]
fn a_first_promotion_takes_at_most_10_rounds_and_a_repeated_one_4() {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    let first = rounds(&cloud, &[]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    let repeated = rounds(&cloud, &[]);
    assert!(first <= 10 && repeated <= 4, "{first} and {repeated}");
}

#[test]
fn further_records_add_no_round_to_a_repeated_promotion() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let before = rounds(&cloud, &[]);
    for team in ["a", "b"] {
        cloud.change(SOURCE_VERSION, serde_json::json!({"CustomerMetadataProperties": {"team": team}}));
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
    }
    assert_eq!(rounds(&cloud, &[]), before);
}

#[test]
fn a_first_promotion_of_a_model_in_parts_takes_at_most_10_rounds_and_below_a_prefix_11() {
    for (key, most) in [("churn/model.tar.gz", 10), ("churn/llm/weights", 11)] {
        let cloud = with_package();
        cloud.describes_until_completed(1);
        cloud.put(MODELS, key, Body::synthetic(500 << 20, 1));
        let first = rounds(&cloud, &[]);
        assert!(first <= most, "{key}: {first}");
    }
}

#[test]
fn copying_a_large_object_takes_5_rounds_after_the_listing() {
    let rounds = |cloud: &Cloud, more: &[&str]| {
        let mut command = cloud.process(Principal::Both);
        let fixed = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
        command.args(fixed).args(more);
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
        assert_eq!(rounds(&cloud, &["--copy-mode", mode]) - listed, after, "{mode}");
    }
}

#[test]
fn rounds_are_dependent_calls_however_many_go_at_once() {
    let cloud = with_package();
    let mut command = cloud.process(Principal::Both);
    command.args(["find-latest", "--group", &Cloud::group_arn(GROUP), "--output", "json"]);
    let (output, rounds) = cloud.in_rounds(command);
    assert_eq!(Run::of(output).code, 0);
    // List, then Describe.
    assert_eq!(rounds, 2);
}

#[test]
fn a_withdrawal_adds_no_round_to_a_promotion() {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    promote(&cloud, &[]).document();
    cloud.register(package());
    cloud.change(SOURCE_VERSION, serde_json::json!({"ModelApprovalStatus": "Rejected"}));
    let rounds = {
        let mut command = cloud.process(Principal::Both);
        command.args(full()).args(["--output", "json"]);
        let (output, rounds) = cloud.in_rounds(command);
        assert_eq!(Run::of(output).document()["withdrawn"][0]["version"], 1);
        rounds
    };
    assert!(rounds <= 10, "{rounds}");
}
