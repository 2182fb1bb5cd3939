//! Versions of one request that exist although claims prevent them.

use serde_json::json;

use super::choices::Choices;
use super::fixtures::request;
use super::scheduler::drive;
use super::simulation::Simulation;
use super::world::arn;
use super::{NO_LIMITS, USUAL, promote};

#[test]
fn two_versions_that_exist_all_the_same_become_one_and_a_derived_version_stays() {
    let runs = Simulation::new_world(USUAL, Choices::first());
    let change = |status: &str| json!({"ModelApprovalStatus": status});
    let mut derived = change("Approved");
    derived["Domain"] = json!("theirs");
    let numbers = [json!({}), change("Approved"), json!({}), derived].map(|change| {
        let mut request = request();
        request.insert("ClientToken".into(), json!(fastrand::u64(..)));
        runs.locked().register(&request, change)
    });
    let registered = drive(&runs, vec![promote(runs.clone())], NO_LIMITS);
    let registered = registered[0].as_ref().expect("not killed").as_ref().expect("it succeeds");
    assert_eq!(registered.arn.as_str(), arn(numbers[0]));
    let named: Vec<&str> = registered.warnings.iter().map(|warning| warning.field.as_str()).collect();
    assert_eq!(named, [arn(numbers[1]), arn(numbers[2])]);
    let world = runs.locked();
    let of = |index: usize| &world.versions[&numbers[index]];
    assert_eq!(of(0).description["ModelApprovalStatus"], "Approved");
    assert_eq!(of(1).description["ModelApprovalStatus"], "Rejected", "it was approved, so it is not deleted");
    assert!(of(2).is_deleted() && !of(3).is_deleted());
    assert_eq!(of(3).description["ModelApprovalStatus"], "Approved", "it is somebody else's");
}
