//! A plan with a write about a promoted version that is not needed any more when the plan is carried out.

use super::*;
use crate::run::withdraw::withdraw;

const PROMOTED: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

fn decide(cloud: &Cloud, status: &str) {
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
}

fn team(cloud: &Cloud, team: &str) {
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": team}}));
}

/// A group whose versions 1 and 2 are promoted, and version 3 waits to be.
fn two_of_three_promoted(flags: &[&str]) -> Cloud {
    let cloud = one_of_two_promoted();
    promote(&cloud, flags).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud
}

/// The promoted version was withdrawn, and is to be approved again.
fn approved_again(flags: &[&str]) -> Cloud {
    let cloud = two_of_three_promoted(flags);
    decide(&cloud, "Rejected");
    withdraw(&cloud, &[]).document();
    decide(&cloud, "Approved");
    cloud
}

/// A promoted version that waits for an approval in the target account, and is withdrawn and then to wait again.
fn waits_again(flags: &[&str]) -> Cloud {
    let cloud = with_package();
    promote(&cloud, flags).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    decide(&cloud, "Rejected");
    withdraw(&cloud, &[]).document();
    decide(&cloud, "Approved");
    cloud
}

type Case = (&'static [&'static str], fn(&[&str]) -> Cloud, fn(&Cloud), &'static str);

const CASES: [Case; 6] = [
    (
        &[],
        |flags| {
            let cloud = two_of_three_promoted(flags);
            decide(&cloud, "Rejected");
            cloud
        },
        |cloud| decide(cloud, "Approved"),
        "reject",
    ),
    (&[], approved_again, |cloud| decide(cloud, "Rejected"), "approve again"),
    (&[], approved_again, |cloud| decide(cloud, "PendingManualApproval"), "approve again"),
    (&["--approval", "pending"], waits_again, |cloud| decide(cloud, "Rejected"), "set back to pending"),
    (
        &[],
        |flags| {
            let cloud = two_of_three_promoted(flags);
            team(&cloud, "risk");
            cloud
        },
        |cloud| team(cloud, "growth"),
        "update",
    ),
    (
        &[],
        |flags| {
            let cloud = two_of_three_promoted(flags);
            cloud.change(SOURCE_VERSION, json!({"ModelLifeCycle": {"Stage": "Prod", "StageStatus": "Ready"}}));
            cloud
        },
        |cloud| cloud.change(SOURCE_VERSION, json!({"ModelLifeCycle": null})),
        "update",
    ),
];

#[test]
fn a_plan_with_a_write_about_a_promoted_version_that_is_no_longer_due_is_refused_before_the_first_write() {
    for (at, (flags, world, change, says)) in CASES.into_iter().enumerate() {
        let cloud = world(flags);
        let (file, planned) = plan(&cloud, flags);
        let acts = planned["planned"].as_array().into_iter().flatten().map(|one| one["subject"] == PROMOTED);
        assert_eq!(acts.filter(|is_about| *is_about).count(), 1, "case {at}: {:#}", planned["planned"]);
        change(&cloud);
        let before = (promoted(&cloud), cloud.keys(SERVING));
        carry_out(&cloud, &file, flags).fails(
            1,
            &["cannot be carried out any more", &format!("in the plan, but no longer due: {says} {PROMOTED}")],
        );
        assert_eq!((promoted(&cloud), cloud.keys(SERVING)), before, "case {at}");
    }
}

#[test]
fn a_plan_whose_withdrawal_another_run_has_carried_out_is_carried_out() {
    let cloud = two_of_three_promoted(&[]);
    decide(&cloud, "Rejected");
    let (file, _) = plan(&cloud, &[]);
    assert_eq!(withdraw(&cloud, &[]).document()["outcome"], "withdrawn");
    assert_eq!(carry_out(&cloud, &file, &[]).document()["outcome"], "promoted");
}

#[test]
fn a_plan_can_be_carried_out_again_with_every_write_about_a_promoted_version() {
    for (flags, world, _, says) in CASES {
        let cloud = world(flags);
        let (file, _) = plan(&cloud, flags);
        carry_out(&cloud, &file, flags).document();
        let before = promoted(&cloud);
        assert_eq!(carry_out(&cloud, &file, flags).document()["outcome"], "already-promoted", "{says}");
        assert_eq!(promoted(&cloud), before, "{says}");
    }
}

#[test]
fn a_withdrawal_that_is_not_due_any_more_after_the_comparison_fails_the_run() {
    let cloud = two_of_three_promoted(&[]);
    decide(&cloud, "Rejected");
    let (file, _) = plan(&cloud, &[]);
    // The first description is for the comparison.
    cloud.hook(Moment::on("DescribeModelPackage", 2).at(SOURCE_VERSION), |cloud| decide(cloud, "Approved"));
    let says = ["was not carried out completely", &format!("in the plan, but no longer due: reject {PROMOTED}")];
    carry_out(&cloud, &file, &[]).fails(1, &says);
}
