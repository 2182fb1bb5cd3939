//! A withdrawal that is done is told, whatever fails after it.

use super::*;

const METADATA: &str = "CustomerMetadataProperties";

/// Denies to write further records of the promotion of version 2.
fn deny_records(cloud: &Cloud) {
    let records = format!("{SERVING}/{}promotion-*", FOLDER.replace("-v1/", "-v2/"));
    cloud.deny(Principal::Both, "s3:PutObject", &records);
}

fn done(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    document["done"].clone()
}

#[test]
fn a_withdrawal_is_told_although_the_record_before_another_update_cannot_be_written() {
    let cloud = two_promoted();
    cloud.change(&source(2), json!({METADATA: {"team": "risk"}}));
    reject(&cloud, 2);
    deny_records(&cloud);
    let run = promote(&cloud, &[]);
    let says = "the version was not synced otherwise: the record could not be written, so no field was updated";
    run.fails(3, &[&format!("withdrew {}: its source {} is Rejected\n", copy(2), source(2)), says]);
    assert_eq!(run.stderr.matches("withdrew").count(), 1, "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!((&document["withdrawn"][0]["version"], statuses(&cloud)[1].as_str()), (&json!(2), "Rejected"));
    assert_eq!(promoted(&cloud)[1][METADATA]["team"], "growth");
    cloud.allow(Principal::Both, "s3:PutObject", &format!("{SERVING}/*"));
    promote(&cloud, &[]).document();
    assert_eq!((&promoted(&cloud)[1][METADATA]["team"], statuses(&cloud)[1].as_str()), (&json!("risk"), "Rejected"));
    let verify = run_verify(&cloud, 2);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}

#[test]
fn a_withdrawal_with_another_update_is_told_once() {
    let cloud = two_promoted();
    cloud.change(&source(2), json!({METADATA: {"team": "risk"}}));
    reject(&cloud, 2);
    let run = promote(&cloud, &[]);
    run.document();
    assert_eq!(run.stderr, format!("withdrew {}: its source {} is Rejected\n", copy(2), source(2)));
    assert_eq!(promoted(&cloud)[1][METADATA]["team"], "risk");
}

#[test]
fn a_run_whose_promotion_fails_tells_what_became_of_the_other_versions() {
    let cloud = two_promoted();
    cloud.register(model("s3://models/no-such-object"));
    reject(&cloud, 2);
    let absent = Failure::Status(400, "ValidationException", "ModelPackage churn-model/1 does not exist.");
    cloud.fail(Moment::every("DescribeModelPackage").at(&source(1)), absent);
    deny_records(&cloud);
    let run = promote(&cloud, &[]);
    let warning =
        format!("warning: {}: its source {} no longer exists; the version was not changed", copy(1), source(1));
    let unconfirmed = format!("{}: the record could not be written beside the artifacts", copy(2));
    run.fails(1, &["no-such-object", "withdrew", &warning, &format!("unconfirmed: {unconfirmed}")]);
    let done = done(&run);
    assert_eq!(done["withdrawn"], json!([copy(2)]));
    let told = done["unconfirmed"][0].as_str().unwrap_or_default();
    assert!(told.starts_with(&unconfirmed), "{told}");
}

#[test]
fn a_run_that_is_interrupted_tells_which_versions_it_has_withdrawn_and_updated() {
    let cloud = two_promoted();
    theirs(&cloud);
    cloud.change(&source(1), json!({METADATA: {"team": "risk"}}));
    cloud.register(package());
    reject(&cloud, 2);
    cloud.fail(Moment::every("CopyObject"), Failure::Hang);
    let copies = Arrival::of(&cloud, Moment::on("CopyObject", 1));
    // The group is looked at, and versions without a record are described after all others are followed.
    let followed = Arrival::of(&cloud, Moment::on("DescribeModelPackage", 2).at(&copy(3)));
    let child = spawn(&cloud, &[]);
    copies.wait();
    followed.wait();
    interrupt(&child);
    let run = ended(child);
    let says = format!("{} was withdrawn; {} was synced with its source. ", copy(2), copy(1));
    run.fails(130, &["SIGINT: interrupted; ", &says]);
    let done = done(&run);
    assert_eq!(done["withdrawn"], json!([copy(2)]));
    assert_eq!(done["followed"], json!([{"model_package_arn": copy(1), "result": "updated"}]));
}

fn run_verify(cloud: &Cloud, version: u32) -> Run {
    run(cloud, Principal::Both, &["verify", "--model-package", &copy(version)])
}

fn interrupt(child: &std::process::Child) {
    let sent = std::process::Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status();
    assert!(sent.expect("a shell").success());
}

/// The first line of the text of a run.
fn first_line(cloud: &Cloud, more: &[&str]) -> String {
    let arguments: Vec<String> = full().into_iter().chain(more.iter().map(ToString::to_string)).collect();
    let run = run(cloud, Principal::Both, &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.told().trim_start_matches("Outcome ").to_owned()
}

#[test]
fn the_first_line_says_what_was_withdrawn_before_what_was_done_with_the_latest_version() {
    for is_new in [false, true] {
        let cloud = two_promoted();
        let (planned, done) = match is_new {
            true => (", and ", "promoted "),
            false => (" ", "already promoted: nothing was registered "),
        };
        if is_new {
            cloud.register(package());
        }
        reject(&cloud, 1);
        let expected = format!("dry run, nothing was written: would reject {}{planned}", copy(1));
        let line = first_line(&cloud, &["--dry-run"]);
        assert!(line.starts_with(&expected), "{line}");
        let line = first_line(&cloud, &[]);
        let expected = format!("withdrew 1 version, because the source is Rejected; {done}");
        assert!(line.starts_with(&expected), "{line}");
    }
}
