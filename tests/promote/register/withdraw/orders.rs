//! Events arrive in any order, twice, and at once: each run follows the present state of the source.

use super::*;

/// What happens at the source, each step announced by events.
const STORY: [(&str, u32); 6] =
    [("approve", 1), ("approve", 2), ("reject", 2), ("approve", 2), ("reject", 2), ("reject", 1)];

/// A world with two pending versions, and one of somebody else in the target group.
fn pending() -> (Cloud, Value) {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    cloud.register(package());
    for version in [1, 2] {
        cloud.change(&source(version), json!({"ModelApprovalStatus": "PendingManualApproval"}));
    }
    let theirs = theirs(&cloud);
    (cloud, theirs)
}

fn happen(cloud: &Cloud, (what, version): (&str, u32)) {
    match what {
        "approve" => approve(cloud, version),
        _ => reject(cloud, version),
    }
}

/// The latest Approved version of the target has the content of the source's, each source version has one copy at
/// most, and what others have registered is as it was.
fn follows_the_source(cloud: &Cloud, theirs: &Value) {
    let approved = |version: &Value| version["ModelApprovalStatus"] == "Approved";
    let source: Option<Value> = cloud.packages(crate::support::SOURCE_ACCOUNT, GROUP).into_iter().rfind(approved);
    let (foreign, copies): (Vec<Value>, Vec<Value>) =
        promoted(cloud).into_iter().partition(|one| one["ModelPackageArn"] == theirs["ModelPackageArn"]);
    assert_eq!(foreign, std::slice::from_ref(theirs));
    let from = |copy: &Value| copy["CustomerMetadataProperties"]["promote:source-arn"].clone();
    let offered: Vec<Value> = copies.iter().filter(|one| approved(one)).map(from).collect();
    match source {
        Some(source) => assert!(offered.contains(&source["ModelPackageArn"]), "{offered:?}"),
        None => assert!(offered.is_empty(), "{offered:?}"),
    }
    for copy in &copies {
        let of = cloud.package(from(copy).as_str().expect("an ARN")).expect("its source");
        assert_eq!(approved(copy), approved(&of), "{copy:#} of {of:#}");
    }
    let mut sources: Vec<String> = copies.iter().map(|copy| from(copy).to_string()).collect();
    sources.sort();
    sources.dedup();
    assert_eq!(sources.len(), copies.len(), "one copy of each version");
}

#[test]
fn the_target_follows_the_source_after_each_event_and_its_duplicate() {
    let (cloud, theirs) = pending();
    for step in STORY {
        happen(&cloud, step);
        for _ in 0..2 {
            let run = promote(&cloud, &["--into-existing-group"]);
            assert_eq!(run.code, 0, "{step:?}: {}", run.stderr);
            follows_the_source(&cloud, &theirs);
        }
    }
}

#[test]
fn the_target_follows_the_source_when_events_are_late_or_duplicated() {
    // How many events arrive after each step: 12 in all, two of each step.
    for arrivals in [[0, 0, 0, 0, 0, 12], [0, 1, 0, 4, 1, 6], [2, 0, 0, 0, 3, 7], [0, 0, 5, 0, 0, 7]] {
        assert_eq!(arrivals.iter().sum::<usize>(), 2 * STORY.len());
        let (cloud, theirs) = pending();
        for (step, events) in STORY.into_iter().zip(arrivals) {
            happen(&cloud, step);
            for _ in 0..events {
                assert_eq!(promote(&cloud, &["--into-existing-group"]).code, 0);
                follows_the_source(&cloud, &theirs);
            }
        }
    }
}

#[test]
fn two_runs_at_once_withdraw_and_approve_again_as_one_run_does() {
    let cloud = two_promoted();
    for (step, status) in [("reject", "Rejected"), ("approve", "Approved")] {
        happen(&cloud, (step, 2));
        for run in [spawn(&cloud, &[]), spawn(&cloud, &[])].map(ended) {
            assert_eq!(run.code, 0, "{}", run.stderr);
        }
        assert_eq!(statuses(&cloud), ["Approved", status]);
    }
}
