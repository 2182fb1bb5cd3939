//! Two runs at once: one version at the end.

use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Cloud, Failure, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

#[test]
fn two_runs_that_both_found_nothing_end_with_one_version() {
    let cloud = with_package();
    one_promotion(&cloud, &two_that_claim_at_once(&cloud));
}

#[test]
fn two_runs_at_a_registry_without_tokens_that_shows_new_versions_late_end_with_one_version() {
    let cloud = with_package();
    cloud.ignore_client_tokens();
    cloud.show_new_versions_late(Duration::from_secs(1));
    one_promotion(&cloud, &two_that_claim_at_once(&cloud));
}

#[test]
fn three_runs_of_which_one_creates_for_a_while_end_with_one_version() {
    let cloud = with_package();
    cloud.show_new_versions_late(Duration::from_secs(1));
    let [first, second] = one_that_creates_and_one_that_waits(&cloud);
    let third = spawn(&cloud, &[]);
    cloud.release();
    one_promotion(&cloud, &[first, second, third].map(ended));
}

#[test]
fn a_run_whose_claim_is_written_although_the_response_is_lost_registers_the_version() {
    let cloud = with_package();
    cloud.fail(Moment::on("PutObject", 1).at(CLAIM), Failure::ResetAfter);
    let mut command = cloud.promote(Principal::Both);
    command.args(full()).args(["--output", "json"]).env("AWS_MAX_ATTEMPTS", "2");
    let run = Run::of(command.output().expect("the binary starts"));
    assert_eq!((run.document()["outcome"].as_str(), run.remarks().as_str()), (Some("promoted"), ""));
    assert_eq!(cloud.calls_of("PutObject").iter().filter(|call| call.resource.ends_with(CLAIM)).count(), 2);
}

#[test]
fn the_claim_of_a_killed_run_is_waited_for_within_the_time_that_is_given() {
    let cloud = with_package();
    let [mut first, second] = one_that_creates_and_one_that_waits(&cloud);
    first.kill().and_then(|()| first.wait()).expect("it is killed");
    interrupt(&second);
    let stopped = ended(second);
    assert_eq!((stopped.code, stopped.result()), (130, ""), "it does not wait any longer: {}", stopped.stderr);
    let impatient = promote(&cloud, &["--wait-seconds", "1"]);
    let says = [
        &format!("waiting for another run ({}", principal()),
        &format!("that is registering {SOURCE_VERSION}"),
        "and its version was not visible after 1 s\nhint: Run again",
    ];
    impatient.fails(1, &says);
    assert!(promoted(&cloud).is_empty());
    cloud.age_claims(SERVING);
    let run = promote(&cloud, &[]);
    assert_eq!((run.document()["outcome"].as_str(), run.remarks().as_str()), (Some("promoted"), ""));
    assert_eq!(versions(&cloud), ["Approved"]);
    assert!(cloud.object(SERVING, &format!("{FOLDER}_claims/1.json")).is_some(), "it has its own claim");
}

#[test]
fn a_claim_with_the_highest_number_is_named_and_nothing_is_registered() {
    let cloud = with_package();
    cloud.put(SERVING, &format!("{FOLDER}_claims/{}.json", u32::MAX), "{}");
    cloud.age_claims(SERVING);
    promote(&cloud, &[])
        .fails(1, &["claim 4294967295 has the highest possible number", "hint: Delete the object _claims/"]);
    assert!(promoted(&cloud).is_empty());
}

#[test]
fn a_run_does_not_wait_for_the_claim_of_a_run_whose_only_request_was_refused() {
    for (status, code) in [(400, "ValidationException"), (403, "AccessDeniedException")] {
        let cloud = with_package();
        cloud.fail(Moment::on("CreateModelPackage", 1), Failure::Status(status, code, "Not like this."));
        promote(&cloud, &[]).fails(1, &["sagemaker:CreateModelPackage", "Not like this"]);
        assert!(cloud.object(SERVING, &format!("{FOLDER}_claims/0.released.json")).is_some());
        let run = promote(&cloud, &["--wait-seconds", "20"]);
        assert_eq!((run.document()["outcome"].as_str(), run.remarks().as_str()), (Some("promoted"), ""));
        assert_eq!(versions(&cloud), ["Approved"]);
        assert!(cloud.object(SERVING, &format!("{FOLDER}_claims/1.json")).is_some(), "it has its own claim");
        let verify = run_verify(&cloud);
        assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
    }
}

#[test]
fn a_run_that_waits_for_a_claim_goes_on_when_the_claim_is_released() {
    let cloud = with_package();
    cloud.fail(Moment::on("CreateModelPackage", 1), Failure::Hang);
    cloud.deny(Principal::Both, "sagemaker:CreateModelPackage", "*");
    let creates = Arrival::of(&cloud, Moment::on("CreateModelPackage", 1));
    let first = spawn(&cloud, &[]);
    creates.wait();
    let waits = Arrival::of(&cloud, Moment::on("ListModelPackages", 6));
    let second = spawn(&cloud, &["--wait-seconds", "20"]);
    waits.wait();
    let allow = |cloud: &Cloud| cloud.allow(Principal::Both, "sagemaker:CreateModelPackage", "*");
    cloud.hook(Moment::on("PutObject", 1).at("_claims/0.released.json"), allow);
    cloud.release();
    ended(first).fails(1, &["sagemaker:CreateModelPackage"]);
    assert_eq!(ended(second).document()["outcome"], "promoted");
    assert_eq!(versions(&cloud), ["Approved"]);
}

#[test]
fn a_claim_is_not_released_if_an_earlier_request_may_still_arrive() {
    const REFUSED: Failure = Failure::Status(400, "ValidationException", "Not like this.");
    let broken = Failure::Status(500, "InternalFailure", "x");
    let throttled = Failure::Status(400, "ThrottlingException", "Rate exceeded");
    for failures in [&[broken, REFUSED][..], &[Failure::Reset, REFUSED], &[throttled, REFUSED], &[broken], &[throttled]]
    {
        let cloud = with_package();
        for (number, failure) in failures.iter().enumerate() {
            cloud.fail(Moment::on("CreateModelPackage", number + 1), *failure);
        }
        let mut command = cloud.promote(Principal::Both);
        command.args(full()).env("AWS_MAX_ATTEMPTS", failures.len().to_string());
        Run::of(command.output().expect("the binary starts")).fails(1, &["sagemaker:CreateModelPackage"]);
        let claims = cloud.keys(SERVING).into_iter().filter(|key| key.contains("/_claims/"));
        assert_eq!(claims.collect::<Vec<_>>(), [format!("{FOLDER}_claims/0.json")], "{failures:?}");
    }
}

fn run_verify(cloud: &Cloud) -> Run {
    run(cloud, Principal::Both, &["verify", "--model-package", &arn_of_version(1)])
}

#[test]
fn a_claim_says_who_registers_what() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let claim = cloud.object(SERVING, &format!("{FOLDER}_claims/0.json")).expect("the claim").body.bytes();
    let claim: Value = serde_json::from_slice(&claim).expect("a claim is JSON");
    let request = create_request(&cloud);
    assert_eq!((&claim["source_model_package_arn"], &claim["caller"]), (&json!(SOURCE_VERSION), &json!(principal())));
    assert_eq!(claim["client_token"], request["ClientToken"]);
    assert_eq!(claim["request_sha256"], request["CustomerMetadataProperties"]["promote:request-sha256"]);
    assert_eq!(claim["target_model_package_group_arn"], Cloud::target_group_arn(GROUP));
}

#[test]
fn a_version_that_was_registered_twice_all_the_same_is_named_and_discarded_and_a_derived_one_stays() {
    for may_delete in [true, false] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
        let mut again = create_request(&cloud);
        again.as_object_mut().expect("a request").shift_remove("ClientToken");
        let mut derived = again.clone();
        derived["ModelPackageDescription"] = json!("Ours, with a copy of the metadata");
        derived["ModelApprovalStatus"] = json!("Approved");
        cloud.register_in(TARGET_ACCOUNT, again);
        cloud.register_in(TARGET_ACCOUNT, derived);
        if !may_delete {
            cloud.deny(Principal::Both, "sagemaker:DeleteModelPackage", "*");
        }
        let document = promote(&cloud, &[]).document();
        let warning =
            document["warnings"].as_array().into_iter().flatten().find(|one| one["field"] == arn_of_version(2));
        let remark = warning.expect("a warning")["remark"].as_str().expect("a remark");
        assert!(remark.starts_with(&format!("it is the same promotion as {}: ", arn_of_version(1))), "{remark}");
        assert!(remark.contains(if may_delete { "deleted" } else { "left Rejected" }), "{remark}");
        let expected: &[&str] =
            if may_delete { &["Approved", "Approved"] } else { &["Approved", "Rejected", "Approved"] };
        assert_eq!(versions(&cloud), expected);
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
        assert_eq!(versions(&cloud), expected);
    }
}

#[test]
fn a_second_version_of_the_same_request_that_cannot_be_discarded_is_unconfirmed() {
    for approval in ["PendingManualApproval", "Approved"] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
        let mut again = create_request(&cloud);
        again.as_object_mut().expect("a request").shift_remove("ClientToken");
        again["ModelApprovalStatus"] = json!(approval);
        cloud.register_in(TARGET_ACCOUNT, again);
        for action in ["sagemaker:DeleteModelPackage", "sagemaker:UpdateModelPackage"] {
            cloud.deny(Principal::Both, action, &arn_of_version(2));
        }
        let run = promote(&cloud, &[]);
        let says = format!("{} is the same promotion as {}: ", arn_of_version(2), arn_of_version(1));
        run.fails(3, &[&says, "rejected"]);
        assert_eq!(versions(&cloud), ["Approved", approval]);
    }
}

/// The end of the key of the first claim.
const CLAIM: &str = "_claims/0.json";

/// Two runs that have both found no promotion and no claim before either claims it.
fn two_that_claim_at_once(cloud: &Cloud) -> [Run; 2] {
    cloud.fail(Moment::on("PutObject", 1).at(CLAIM).times(2), Failure::Hang);
    let both_hang = Arrival::of(cloud, Moment::on("PutObject", 2).at(CLAIM));
    let runs = [spawn(cloud, &[]), spawn(cloud, &[])];
    both_hang.wait();
    assert!(promoted(cloud).is_empty());
    cloud.release();
    runs.map(ended)
}

/// A run whose CreateModelPackage does not arrive, and one that has said that it waits for it.
fn one_that_creates_and_one_that_waits(cloud: &Cloud) -> [Child; 2] {
    cloud.fail(Moment::on("CreateModelPackage", 1), Failure::Hang);
    let creates = Arrival::of(cloud, Moment::on("CreateModelPackage", 1));
    let first = spawn(cloud, &[]);
    creates.wait();
    // Two lists of the source, two of the target before the copy, one after it, and one after the first pause.
    let waits = Arrival::of(cloud, Moment::on("ListModelPackages", 6));
    let second = spawn(cloud, &[]);
    waits.wait();
    [first, second]
}

fn interrupt(child: &Child) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status();
    assert!(sent.expect("a shell").success());
}

/// The ARN of the principal of the runs.
fn principal() -> String {
    "arn:aws:iam::111222333444:user/both".to_owned()
}

/// The approval status of each version of the target, lowest version first.
fn versions(cloud: &Cloud) -> Vec<String> {
    let status = |version: &Value| version["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned();
    promoted(cloud).iter().map(status).collect()
}

/// All ended well and report the same version, which is the only one, Approved, and has one record. CreateModelPackage was
/// called once.
pub(super) fn one_promotion(cloud: &Cloud, runs: &[Run]) {
    for run in runs {
        let remarks = run.remarks();
        let waits = remarks.starts_with("waiting for another run (") && remarks.lines().count() == 1;
        assert!(run.code == 0 && (remarks.is_empty() || waits), "{}{}", run.stdout, run.stderr);
        assert_eq!(run.document()["target"]["model_package_arn"], arn_of_version(1));
    }
    assert_eq!((versions(cloud), cloud.calls_of("CreateModelPackage").len()), (vec!["Approved".to_owned()], 1));
    assert_eq!(records(cloud), [format!("{FOLDER}promotion.json")]);
    assert!(cloud.uploads(SERVING).is_empty());
}

pub(super) fn records(cloud: &Cloud) -> Vec<String> {
    let others = ["/_claims/", &format!("/{MODELS}/")];
    cloud.keys(SERVING).into_iter().filter(|key| !others.iter().any(|other| key.contains(other))).collect()
}

pub(super) fn arn_of_version(version: u32) -> String {
    format!("arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/{version}")
}
