//! Interrupted runs: after Ctrl-C, SIGTERM or a closed pipe nothing is left behind, and the next run completes the
//! promotion.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Body, Cloud, Failure, Moment, Principal};
use crate::world::*;

const AGAIN: &str = "Run again to continue\n";

#[test]
fn ctrl_c_during_a_multipart_copy_aborts_the_upload() {
    let cloud = with_large_model();
    cloud.fail(Moment::every("UploadPartCopy"), Failure::Hang);
    let copying = Arrival::of(&cloud, Moment::on("UploadPartCopy", 11));
    let child = spawn(&cloud, &[]);
    copying.wait();
    assert_eq!(cloud.uploads(SERVING).len(), 1);
    interrupt(&child, "INT");
    is_stopped(
        &cloud,
        child,
        &format!(
            "SIGINT: interrupted; {SOURCE_VERSION}: 0 of 1 object copied; unfinished uploads were aborted. {AGAIN}"
        ),
    );
    next_run_completes(&cloud, &[]);
}

#[test]
fn sigterm_during_a_streamed_multipart_copy_aborts_the_upload() {
    let cloud = with_package();
    cloud.put(MODELS, "churn/model.tar.gz", vec![7; 20 << 20]);
    cloud.fail(Moment::every("UploadPart"), Failure::Hang);
    let copying = Arrival::of(&cloud, Moment::on("UploadPart", 3));
    let flags = ["--copy-mode", "stream", "--source-profile", "source", "--target-profile", "target"];
    let child = spawn(&cloud, &flags);
    copying.wait();
    interrupt(&child, "TERM");
    is_stopped(
        &cloud,
        child,
        &format!(
            "SIGTERM: interrupted; {SOURCE_VERSION}: 3 of 4 objects copied; unfinished uploads were aborted. {AGAIN}"
        ),
    );
    next_run_completes(&cloud, &flags);
}

#[test]
fn an_upload_that_is_being_created_is_aborted() {
    let cloud = with_large_model();
    cloud.fail(Moment::every("CreateMultipartUpload"), Failure::HangAfter);
    let (_until_the_end, block) = mpsc::channel::<()>();
    cloud.hook(Moment::on("UploadPartCopy", 1), move |_| {
        let _ = block.recv();
    });
    let creating = Arrival::of(&cloud, Moment::on("CreateMultipartUpload", 1));
    let child = spawn(&cloud, &[]);
    creating.wait();
    interrupt(&child, "TERM");
    cloud.release();
    is_stopped(
        &cloud,
        child,
        &format!(
            "SIGTERM: interrupted; {SOURCE_VERSION}: 0 of 1 object copied; unfinished uploads were aborted. {AGAIN}"
        ),
    );
    assert_eq!(cloud.calls_of("AbortMultipartUpload").len(), 1, "it was created, and its id was waited for");
    next_run_completes(&cloud, &[]);
}

#[test]
fn an_upload_that_cannot_be_aborted_is_named_and_the_next_run_removes_it() {
    let cloud = with_large_model();
    cloud.fail(Moment::every("UploadPartCopy"), Failure::Hang);
    cloud.fail(Moment::every("AbortMultipartUpload"), Failure::Status(500, "InternalError", "We are sorry"));
    let copying = Arrival::of(&cloud, Moment::on("UploadPartCopy", 1));
    let child = spawn(&cloud, &[]);
    copying.wait();
    interrupt(&child, "INT");
    let run = ended(child);
    run.fails(
        130,
        &["an unfinished upload could not be aborted; a later run aborts it: target: s3:AbortMultipartUpload on s3://serving/", AGAIN],
    );
    assert_eq!(cloud.uploads(SERVING).len(), 1);
    next_run_completes(&cloud, &[]);
}

#[test]
fn an_upload_that_may_not_be_aborted_has_a_hint_of_its_own() {
    let cloud = with_large_model();
    cloud.fail(Moment::every("UploadPartCopy"), Failure::Hang);
    cloud.deny(Principal::Both, "s3:AbortMultipartUpload", "*");
    let copying = Arrival::of(&cloud, Moment::on("UploadPartCopy", 1));
    let child = spawn(&cloud, &[]);
    copying.wait();
    interrupt(&child, "INT");
    let run = ended(child);
    let says =
        "an unfinished upload could not be aborted; it stays open, and is charged: target: s3:AbortMultipartUpload";
    let hint = "hint: Grant s3:AbortMultipartUpload on arn:aws:s3:::serving/churn-model/* to this principal, or have a \
                lifecycle rule of the bucket abort incomplete uploads\n";
    run.fails(130, &[says, hint, AGAIN]);
    assert_eq!(cloud.uploads(SERVING).len(), 1);
}

#[test]
fn a_second_ctrl_c_ends_a_clean_up_that_takes_long() {
    let cloud = with_large_model();
    cloud.fail(Moment::every("UploadPartCopy"), Failure::Hang);
    cloud.fail(Moment::every("AbortMultipartUpload"), Failure::Hang);
    let copying = Arrival::of(&cloud, Moment::on("UploadPartCopy", 1));
    let aborting = Arrival::of(&cloud, Moment::on("AbortMultipartUpload", 1));
    let child = spawn(&cloud, &[]);
    copying.wait();
    interrupt(&child, "INT");
    aborting.wait();
    interrupt(&child, "INT");
    let run = ended(child);
    let says = format!(
        "SIGINT: interrupted; {SOURCE_VERSION}: 0 of 1 object copied; unfinished uploads stay until a later run aborts them. {AGAIN}"
    );
    assert_eq!((run.code, without_images(&run.remarks())), (130, says));
    next_run_completes(&cloud, &[]);
}

#[test]
fn a_clean_up_that_takes_long_ends_by_itself() {
    let cloud = with_large_model();
    cloud.fail(Moment::every("UploadPartCopy"), Failure::Hang);
    cloud.fail(Moment::every("AbortMultipartUpload"), Failure::Hang);
    let copying = Arrival::of(&cloud, Moment::on("UploadPartCopy", 1));
    let child = spawn(&cloud, &[]);
    copying.wait();
    let interrupted = Instant::now();
    interrupt(&child, "INT");
    let run = ended(child);
    let left = "unfinished uploads stay until a later run aborts them";
    assert!(run.stderr.contains(left) && run.code == 130, "exit {}: {}", run.code, run.stderr);
    // S3 is given 100 s to answer a call that moves bytes, and a call is tried ten times.
    assert!(interrupted.elapsed() < Duration::from_secs(60), "{:?}", interrupted.elapsed());
}

#[test]
fn objects_copied_before_ctrl_c_are_not_copied_again() {
    let cloud = with_package();
    cloud.fail(Moment::every("CopyObject").at("churn/model.tar.gz"), Failure::Hang);
    let copies = Arrival::of(&cloud, Moment::on("CopyObject", 4));
    let child = spawn(&cloud, &[]);
    copies.wait();
    assert!(cloud.succeeds("CopyObject", 3), "the other three are copied within a minute");
    interrupt(&child, "INT");
    ended(child).fails(
        130,
        &[
            &format!("SIGINT: interrupted; {SOURCE_VERSION}: "),
            " of 4 objects and ",
            " of 2 images copied; unfinished uploads were aborted. ",
            AGAIN,
        ],
    );
    assert_eq!(cloud.uploads(SERVING).len(), 0, "no upload stays open");
    cloud.heal();
    let document = promote(&cloud, &[]).document();
    let again = document["artifacts"].as_array().into_iter().flatten().filter(|one| one["result"] == "already-there");
    assert_eq!(again.count(), 3);
    assert_eq!(promoted(&cloud).len(), 1);
}

#[test]
fn ctrl_c_while_the_version_is_created_leaves_nothing_approved_and_the_next_run_completes_it() {
    let cloud = with_package();
    cloud.fail(Moment::every("CreateModelPackage"), Failure::HangAfter);
    let creating = Arrival::of(&cloud, Moment::on("CreateModelPackage", 1));
    let child = spawn(&cloud, &[]);
    creating.wait();
    interrupt(&child, "INT");
    let left = "4 of 4 objects copied; a pending version may exist: CreateModelPackage has not responded";
    is_stopped(&cloud, child, &format!("SIGINT: interrupted; {SOURCE_VERSION}: {left}. {AGAIN}"));
    let approvals: Vec<_> = promoted(&cloud).iter().map(|one| one["ModelApprovalStatus"].clone()).collect();
    assert_eq!(approvals, ["PendingManualApproval"]);
    next_run_completes(&cloud, &[]);
}

#[test]
fn a_run_that_is_stopped_before_it_writes_has_nothing_to_clean_up() {
    let cloud = with_package();
    cloud.fail(Moment::every("DescribeModelPackage"), Failure::Hang);
    let looking = Arrival::of(&cloud, Moment::on("DescribeModelPackage", 1));
    let child = spawn(&cloud, &[]);
    looking.wait();
    interrupt(&child, "TERM");
    is_stopped(&cloud, child, &format!("SIGTERM: interrupted; nothing was copied or registered. {AGAIN}"));
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn ctrl_c_is_answered_while_nobody_reads_the_output() {
    let cloud = with_package();
    for number in 0..400 {
        cloud.put(MODELS, &format!("churn/llm/shard/{number:03}.bin"), "one");
    }
    let mut command = cloud.process(Principal::Both);
    command.args(full()).args(["--dry-run", "--output", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut out = child.stdout.take().expect("a pipe");
    // More than a pipe holds follows the first byte: the only thread of the run waits for a reader.
    out.read_exact(&mut [0]).expect("a document");
    interrupt(&child, "INT");
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let ended = ended.recv_timeout(Duration::from_secs(60));
    // A run that has not answered ends now: its pipe is closed.
    drop(out);
    let run = Run::of(ended.expect("it ends while nobody reads").expect("it ends"));
    run.fails(130, &["SIGINT: interrupted; ", AGAIN]);
}

#[test]
fn ctrl_c_while_a_document_is_awaited_on_standard_input_ends_at_once() {
    let cloud = with_package();
    let mut command = cloud.process(Principal::Both);
    command.args(["register", "--from", "-", "--target-bucket", SERVING]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut document = child.stdin.take().expect("a pipe");
    // More than a pipe holds: afterwards the program has read, and waits for the rest.
    document.write_all(&[b' '; 1 << 20]).expect("somebody reads");
    interrupt(&child, "INT");
    is_stopped(&cloud, child, &format!("SIGINT: interrupted; nothing was copied or registered. {AGAIN}"));
    drop(document);
}

#[test]
fn a_closed_standard_output_is_no_failure() {
    for form in ["json", "text"] {
        let cloud = with_package();
        let mut command = cloud.process(Principal::Both);
        command.args(full()).args(["--output", form]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        drop(child.stdout.take());
        let run = ended(child);
        assert_eq!((run.code, run.remarks().as_str()), (0, ""));
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    }
}

#[test]
fn ctrl_c_while_sagemaker_completes_the_version_names_the_version_that_is_pending() {
    let cloud = with_package();
    cloud.describes_until_completed(1000);
    let waiting = Arrival::of(&cloud, Moment::on("DescribeModelPackage", 6));
    let child = spawn(&cloud, &[]);
    waiting.wait();
    interrupt(&child, "INT");
    let version = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
    let run = ended(child);
    run.fails(
        130,
        &[&format!("4 of 4 objects and 2 of 2 images copied; {version} is registered and pending approval. {AGAIN}")],
    );
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!(
        (&document["outcome"], &document["done"]["model_package_arn"]),
        (&json!("interrupted"), &json!(version))
    );
}

/// A model of which a server-side copy takes parts.
fn with_large_model() -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "churn/model.tar.gz", Body::synthetic((5 << 30) + 1, 7));
    let mut package = model("s3://models/churn/model.tar.gz");
    package["ApprovalDescription"] = json!("Reviewed by the risk board");
    cloud.register(package);
    cloud
}

/// A message without its count of images: they are copied beside the objects, so that the count varies.
fn without_images(text: &str) -> String {
    let images = regex::Regex::new(r" and \d of \d images?").expect("a pattern");
    images.replace(text, "").into_owned()
}

pub(super) fn interrupt(child: &Child, signal: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
    assert!(sent.expect("a shell").success());
}

/// It ended as interrupted, said just this, and no upload is open.
fn is_stopped(cloud: &Cloud, child: Child, says: &str) {
    let run = ended(child);
    assert_eq!((run.code, without_images(&run.remarks()).as_str()), (130, says));
    assert!(run.stdout.is_empty() || run.stdout.contains("\"outcome\": \"interrupted\""), "{}", run.stdout);
    assert_eq!(cloud.uploads(SERVING).len(), 0, "no upload stays open");
    assert!(promoted(cloud).iter().all(|version| version["ModelApprovalStatus"] != "Approved"));
}

fn next_run_completes(cloud: &Cloud, flags: &[&str]) {
    cloud.age_claims(SERVING);
    cloud.heal();
    assert_eq!(promote(cloud, flags).document()["outcome"], "promoted");
    let versions = promoted(cloud);
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0]["ModelApprovalStatus"], "Approved");
    for key in cloud.keys(MODELS) {
        let copy = cloud.object(SERVING, &format!("{FOLDER}{MODELS}/{key}")).expect("a copy");
        assert!(copy.body == cloud.object(MODELS, &key).expect("a source").body, "{key} differs");
    }
    assert!(cloud.uploads(SERVING).is_empty(), "no upload stays open");
}
