//! The upload that doctor begins and aborts.

use std::process::Stdio;
use std::sync::mpsc;

use super::*;
use crate::run::interruption::interrupt;
use crate::support::{Failure, Moment};

const ACL: [&str; 2] = ["--target-acl", "bucket-owner-full-control"];

#[test]
fn the_permission_to_set_an_acl_is_asked_for_where_objects_are_written_with_one() {
    let acl = |run: &Run| checks(run).into_iter().find(|check| check["action"] == "s3:PutObjectAcl");
    let cloud = encrypted();
    assert_eq!(acl(&doctor(&cloud, &[])), None);
    assert_eq!(acl(&doctor(&cloud, &ACL)).expect("it is asked for")["result"], "ok");
    let unasked = [&ACL[..], &["--no-probes"]].concat();
    assert_eq!(acl(&doctor(&cloud, &unasked)).expect("it is named")["result"], "not-testable");
    for aborts in [true, false] {
        let cloud = encrypted();
        cloud.deny(Principal::Both, "s3:PutObjectAcl", "serving/*");
        if !aborts {
            cloud.deny(Principal::Both, "s3:AbortMultipartUpload", "serving/*");
        }
        let run = doctor(&cloud, &ACL);
        assert_eq!(acl(&run).expect("it is asked for")["result"], "denied", "{:#}", document(&run));
        let policies = document(&run)["policies"].to_string();
        assert!(policies.contains("s3:PutObjectAcl") && policies.contains("serving/churn-model/*"), "{policies}");
        let denied = promote(&cloud, &ACL);
        denied.fails(1, &["s3:PutObjectAcl on resource", "Grant ", "s3:PutObject, s3:PutObjectAcl, s3:GetObject, "]);
    }
}

#[test]
fn a_denial_that_names_no_permission_is_taken_for_both_that_a_write_with_an_acl_needs() {
    let cloud = encrypted();
    cloud.fail(Moment::every("CreateMultipartUpload"), Failure::Status(403, "AccessDenied", "Access Denied"));
    let run = doctor(&cloud, &ACL);
    let expected = ["s3:PutObject", "s3:PutObjectAcl"].map(|action| (action.to_owned(), "target".to_owned()));
    assert_eq!(denied(&run), BTreeSet::from(expected), "{:#}", document(&run));
}

#[test]
fn an_upload_whose_answer_is_lost_is_found_and_aborted() {
    let cloud = encrypted();
    cloud.fail(Moment::every("CreateMultipartUpload"), Failure::ResetAfter);
    let run = doctor(&cloud, &[]);
    assert_eq!((run.code, denied(&run)), (1, BTreeSet::new()), "{}", run.stdout);
    assert!(!cloud.calls_of("CreateMultipartUpload").is_empty(), "an upload is begun");
    assert_nothing_was_written(&cloud);
}

#[test]
fn an_upload_whose_answer_is_lost_and_that_cannot_be_looked_for_is_told() {
    let cloud = encrypted();
    cloud.deny(Principal::Both, "s3:ListBucketMultipartUploads", SERVING);
    cloud.fail(Moment::every("CreateMultipartUpload"), Failure::ResetAfter);
    let run = doctor(&cloud, &[]);
    let reasons: Vec<String> =
        checks(&run).iter().filter_map(|check| check["reason"].as_str().map(str::to_owned)).collect();
    let told =
        reasons.iter().any(|reason| reason.contains("an upload to s3://serving/") && reason.contains("may be open"));
    assert!(told, "{reasons:#?}");
}

#[test]
fn an_upload_that_cannot_be_aborted_is_told_and_no_other_run_aborts_it() {
    let cloud = encrypted();
    // The first one asks for the permission.
    cloud.fail(Moment::on("AbortMultipartUpload", 2).times(100), Failure::Status(403, "AccessDenied", "Access Denied"));
    let run = doctor(&cloud, &[]);
    let at = cloud.uploads(SERVING).first().map(|upload| upload.key.clone()).expect("an upload is open");
    let told = |check: &Value| check["reason"].as_str().unwrap_or_default().contains(&format!("{at} may be open"));
    assert!(checks(&run).iter().any(told), "{:#}", document(&run));
    cloud.heal();
    doctor(&cloud, &[]);
    assert_eq!(cloud.uploads(SERVING).len(), 1, "another run may be using it");
}

/// Starts doctor.
fn spawned(cloud: &Cloud) -> std::process::Child {
    let mut command = cloud.process(Principal::Both);
    command.args(["doctor", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

#[test]
fn ctrl_c_before_the_upload_is_aborted_aborts_it() {
    // The first abort asks for the permission.
    for (operation, call) in [("UploadPart", 1), ("AbortMultipartUpload", 2)] {
        for signal in ["INT", "TERM"] {
            let cloud = encrypted();
            cloud.fail(Moment::on(operation, call), Failure::Hang);
            let arrives = Arrival::of(&cloud, Moment::on(operation, call));
            let child = spawned(&cloud);
            arrives.wait();
            assert_eq!(cloud.uploads(SERVING).len(), 1);
            interrupt(&child, signal);
            let run = ended(child);
            assert_eq!(run.code, 130, "{}", run.stderr);
            assert_nothing_was_written(&cloud);
        }
    }
}

#[test]
fn ctrl_c_while_the_upload_is_begun_aborts_it() {
    let cloud = encrypted();
    cloud.fail(Moment::every("CreateMultipartUpload"), Failure::HangAfter);
    let (_until_the_end, block) = mpsc::channel::<()>();
    cloud.hook(Moment::on("UploadPart", 1), move |_| {
        let _ = block.recv();
    });
    let begins = Arrival::of(&cloud, Moment::on("CreateMultipartUpload", 1));
    let child = spawned(&cloud);
    begins.wait();
    interrupt(&child, "INT");
    cloud.release();
    let run = ended(child);
    assert_eq!(run.code, 130, "{}", run.stderr);
    assert_nothing_was_written(&cloud);
}
