//! A plan for a group that is held before, during and after the run that carries it out.

use super::*;

fn held(cloud: &Cloud, verb: &str) -> Run {
    let place = ["--target-group", GROUP, "--target-bucket", SERVING, "--reason", "Audit", "--output", "json"];
    run(cloud, Principal::Both, &[&[verb][..], &place].concat())
}

/// What a run that was stopped by a hold says, and that it has promoted nothing.
fn stopped(cloud: &Cloud, document: &Value, planned: &Value) {
    assert_eq!((&document["outcome"], &document["hold"]["reason"]), (&json!("held"), &json!("Audit")), "{document:#}");
    assert_eq!(document["reviewed_plan"]["digest"], planned["plan"]["digest"]);
    assert!(document.get("plan").is_none(), "it is not a plan that can be carried out");
    assert_eq!(promoted(cloud).len(), 0);
}

#[test]
fn a_plan_waits_for_the_release_of_its_group_before_during_and_after_its_run() {
    let cloud = with_package();
    let (file, planned) = plan(&cloud, &[]);
    held(&cloud, "hold").document();
    stopped(&cloud, &carry_out(&cloud, &file, &[]).document(), &planned);
    held(&cloud, "release").document();
    cloud.hook(Moment::on("CopyObject", 1), |cloud| drop(held(cloud, "hold").document()));
    stopped(&cloud, &carry_out(&cloud, &file, &[]).document(), &planned);
    held(&cloud, "release").document();
    let document = carry_out(&cloud, &file, &[]).document();
    assert_eq!(document["outcome"], "promoted", "{document:#}");
    assert_eq!(document["reviewed_plan"]["digest"], planned["plan"]["digest"]);
    held(&cloud, "hold").document();
    let after = carry_out(&cloud, &file, &[]).document();
    assert_eq!(after["outcome"], "held", "{after:#}");
    held(&cloud, "release").document();
    assert_eq!(carry_out(&cloud, &file, &[]).document()["outcome"], "already-promoted");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_plan_that_was_made_while_its_group_was_held_is_carried_out_after_the_release() {
    let cloud = with_package();
    held(&cloud, "hold").document();
    let (file, planned) = plan(&cloud, &[]);
    assert_eq!(planned["hold"]["reason"], "Audit");
    stopped(&cloud, &carry_out(&cloud, &file, &[]).document(), &planned);
    held(&cloud, "release").document();
    assert_eq!(carry_out(&cloud, &file, &[]).document()["outcome"], "promoted");
}
