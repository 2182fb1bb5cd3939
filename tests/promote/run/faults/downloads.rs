//! Answers that do not come to their end.

use super::*;

/// All ways to stream: in one piece and in parts.
const WAYS: [Way; 2] = [STREAMED, STREAMED_IN_PARTS];

/// Runs `full` with the SDK's usual attempts, and gives a stalled connection up after a second.
fn impatient(cloud: &Cloud, flags: &[&str]) -> Run {
    let arguments: Vec<String> = full().into_iter().chain(["--output".into(), "json".into()]).collect();
    let mut command = cloud.promote(Principal::Both);
    command.args(arguments).args(flags).env("AWS_MAX_ATTEMPTS", "3").env("PROMOTE_STALL_SECONDS", "1");
    Run::of(command.timeout(std::time::Duration::from_secs(60)).output().expect("the binary starts"))
}

fn is_asked_for_again(failure: Failure) {
    for way in WAYS {
        let cloud = (way.world)();
        cloud.fail(Moment::on("GetObject", 1).at(&format!("{MODELS}/churn/model.tar.gz")), failure);
        let run = impatient(&cloud, way.flags);
        assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{failure:?}");
        complete(&cloud).expect("everything is there");
    }
}

#[test]
fn a_download_that_breaks_off_is_asked_for_again() {
    is_asked_for_again(Failure::Truncate);
}

#[test]
fn a_download_that_stalls_is_asked_for_again() {
    is_asked_for_again(Failure::Stall);
}

#[test]
fn a_download_that_trickles_is_asked_for_again() {
    is_asked_for_again(Failure::Trickle);
}

#[test]
fn a_download_that_breaks_off_each_time_ends_the_run() {
    for way in WAYS {
        let cloud = (way.world)();
        cloud.fail(Moment::every("GetObject").at(&format!("{MODELS}/churn/model.tar.gz")), Failure::Truncate);
        let run = impatient(&cloud, way.flags);
        run.fails(1, &["source: s3:GetObject on s3://models/churn/model.tar.gz", "the download failed", "run again"]);
        let asked = cloud.calls_of("GetObject").into_iter().filter(|call| call.resource.starts_with(MODELS));
        let ranges: Vec<_> = asked.map(|call| call.headers.get("range").cloned()).collect();
        assert!(ranges.iter().all(|range| ranges.iter().filter(|one| *one == range).count() <= 9), "{ranges:?}");
        assert!(cloud.uploads(SERVING).is_empty() && promoted(&cloud).is_empty());
    }
}

#[test]
fn an_answer_of_the_registry_that_stalls_is_told_as_such() {
    let cloud = usual();
    cloud.fail(Moment::every("DescribeModelPackage"), Failure::Stall);
    let run = impatient(&cloud, &["--wait-seconds", "60"]);
    run.fails(1, &["source: sagemaker:DescribeModelPackage on arn:aws:", "throughput of 0 B/s", "Run again"]);
    assert!(!run.stderr.contains("RawAnswer"), "{}", run.stderr);
}

#[test]
fn an_answer_of_the_registry_that_breaks_off_is_asked_for_again() {
    let cloud = usual();
    cloud.fail(Moment::on("DescribeModelPackage", 1), Failure::Truncate);
    let run = impatient(&cloud, &[]);
    assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{}", run.stderr);
    complete(&cloud).expect("everything is there");
}

#[test]
fn an_answer_to_a_copy_that_stalls_is_given_up_and_the_copy_is_found() {
    for (way, operation) in [(SERVER_SIDE, "CopyObject"), (SERVER_SIDE_IN_PARTS, "UploadPartCopy")] {
        let cloud = (way.world)();
        cloud.fail(Moment::on(operation, 1), Failure::Stall);
        let run = impatient(&cloud, way.flags);
        assert_eq!((run.code, run.remarks().as_str()), (0, ""), "{operation}: {}", run.stderr);
        complete(&cloud).expect("everything is there");
    }
}
