//! How many calls of a promotion wait for another one: what a distant registry costs.

use crate::support::{Cloud, Principal};
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
