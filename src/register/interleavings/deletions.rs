//! Versions that somebody deletes as soon as they are registered.

use std::time::Duration;

use super::choices::Choices;
use super::fixtures::{claim, request};
use super::scheduler::drive;
use super::simulation::Simulation;
use super::{Case, NO_LIMITS, USUAL, promote};
use crate::model::claim::Claim;
use crate::register::attempt::client_token;
use crate::register::registration::Registration;

/// A world in which `versions` versions of one request were registered and deleted again. The first `claims` of them
/// have a claim, whose run has ended.
fn deleted(versions: usize, claims: usize) -> Simulation {
    let case = Case { tokens: true, ..USUAL };
    let runs = Simulation::new_world(case, Choices::first());
    let mut world = runs.locked();
    for number in 0..versions {
        let client_token = client_token(&request(), number);
        let mut request = request();
        request.insert("ClientToken".into(), client_token.clone().into());
        let version = world.register(&request, serde_json::json!({}));
        world.delete(version);
        if number < claims {
            world.add_claim(Claim { client_token, ..claim() }, Duration::from_secs(3600));
        }
    }
    drop(world);
    runs
}

fn run(runs: &Simulation) -> anyhow::Result<Registration> {
    drive(runs, vec![promote(runs.clone())], NO_LIMITS).remove(0).expect("it is not killed")
}

#[test]
fn a_run_goes_on_with_the_client_tokens_where_an_earlier_run_has_given_up() {
    let registered = run(&deleted(6, 4)).expect("the third attempt registers a version");
    assert_eq!(registered.arn.version(), 7);
}

#[test]
fn a_run_whose_versions_are_all_deleted_says_so_and_where_to_look() {
    let runs = deleted(4, 0);
    let error = format!("{:#}", run(&runs).expect_err("it gives up"));
    assert!(error.contains("in 4 of 4 attempts, CreateModelPackage returned a version that"), "{error}");
    let later = runs.locked().now + Duration::from_secs(100);
    runs.locked().advance(later);
    assert_eq!(run(&runs).expect("the next run goes on").arn.version(), 5);
}

#[test]
fn a_failed_version_that_another_run_has_just_deleted_is_not_reported_again() {
    let runs = Simulation::new_world(Case { tokens: true, ..USUAL }, Choices::first());
    {
        let mut world = runs.locked();
        let mut request = request();
        request.insert("ClientToken".into(), client_token(&request, 0).into());
        let version = world.register(&request, serde_json::json!({"ModelPackageStatus": "Failed"}));
        world.delete_and_still_describe(version);
    }
    assert_eq!(run(&runs).expect("it registers another version").arn.version(), 2);
}
