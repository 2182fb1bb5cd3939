//! The upload that doctor begins and aborts.

use super::*;
use crate::support::{Failure, Moment};

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
