//! Copies in parts that were interrupted: the next run takes up the parts that are there, where it can be sure of them.

use super::*;
use crate::support::{Attributes, Body, Failure, Moment};

const GIB: u64 = 1 << 30;
const LOST: Failure = Failure::Status(500, "InternalError", "We encountered an error.");

/// Runs the promotion until so many parts have arrived and no more do.
fn interrupted(cloud: &Cloud, part: &str, after: usize, more: &[&str]) {
    cloud.fail(Moment::on(part, after + 1).times(usize::MAX / 2), LOST);
    let run = promote(cloud, &[&["--concurrency", "1"], more].concat());
    run.fails(1, &["1 object is unfinished; the next run resumes it", "run again"]);
    cloud.heal();
    assert_eq!((states(cloud), cloud.keys(SERVING).len(), cloud.uploads(SERVING).len()), (1, 1, 1));
    assert_eq!(parts_there(cloud), after);
}

/// How many objects tell of unfinished uploads.
fn states(cloud: &Cloud) -> usize {
    cloud.keys(SERVING).iter().filter(|key| key.starts_with(&format!("{FOLDER}_unfinished/"))).count()
}

fn parts_there(cloud: &Cloud) -> usize {
    cloud.uploads(SERVING).iter().map(|upload| upload.parts.len()).sum()
}

/// How many calls of a kind a run makes.
fn calls_during(cloud: &Cloud, operation: &str, run: impl FnOnce()) -> usize {
    let before = cloud.calls_of(operation).len();
    run();
    cloud.calls_of(operation).len() - before
}

#[test]
fn a_copy_in_parts_that_was_interrupted_continues_from_its_parts() {
    for (body, part, parts, more) in [
        (Body::synthetic(6 * GIB, 8), "UploadPartCopy", 64, vec![]),
        (Body::synthetic(60 << 20, 8), "UploadPart", 8, vec!["--copy-mode", "stream"]),
    ] {
        let cloud = with(body.clone(), Attributes::default().metadata("run", "7"));
        interrupted(&cloud, part, 3, &more);
        let copied = calls_during(&cloud, part, || {
            assert_eq!(told(&promote(&cloud, &more).document()), ("copied", "checksum"));
        });
        assert_eq!(copied, parts - 3);
        let copy = copy(&cloud);
        assert!(copy.body == body);
        assert_eq!((copy.metadata("run"), cloud.uploads(SERVING).len(), states(&cloud)), (Some("7"), 0, 0));
        assert_eq!(cloud.calls_of("CreateMultipartUpload").len(), 1);
    }
}

#[test]
fn parts_of_an_object_that_was_replaced_since_are_not_reused() {
    for checksums in [true, false] {
        let cloud = world();
        cloud.default_checksums(checksums);
        cloud.put(MODELS, "m.tar.gz", Body::synthetic(6 * GIB, 8));
        cloud.register(model("s3://models/m.tar.gz"));
        interrupted(&cloud, "UploadPartCopy", 3, &[]);
        cloud.put(MODELS, "m.tar.gz", Body::synthetic(6 * GIB, 9));
        promote(&cloud, &[]).document();
        assert!(copy(&cloud).body == Body::synthetic(6 * GIB, 9));
        assert_eq!(
            (cloud.calls_of("CreateMultipartUpload").len(), cloud.uploads(SERVING).len(), states(&cloud)),
            (2, 0, 0)
        );
    }
}

#[test]
fn parts_of_an_object_of_another_key_or_size_are_not_reused() {
    let key = "arn:aws:kms:eu-central-1:111222333444:key/11111111-2222-3333-4444-555555555555";
    for more in [["--kms-key-arn", key], ["--part-size", "1GiB"]] {
        let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default());
        interrupted(&cloud, "UploadPartCopy", 3, &[]);
        promote(&cloud, &more).document();
        assert!(copy(&cloud).body == Body::synthetic(6 * GIB, 8));
        assert_eq!(
            (cloud.calls_of("CreateMultipartUpload").len(), cloud.uploads(SERVING).len(), states(&cloud)),
            (2, 0, 0)
        );
    }
}

#[test]
fn an_upload_that_goes_away_while_it_is_continued_is_begun_anew() {
    let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default());
    interrupted(&cloud, "UploadPartCopy", 3, &[]);
    cloud.hook(Moment::on("UploadPartCopy", 5), |cloud| {
        cloud.locked(|world| world.buckets.get_mut(SERVING).expect("the bucket").uploads.clear());
    });
    assert_eq!(told(&promote(&cloud, &[]).document()), ("copied", "checksum"));
    assert!(copy(&cloud).body == Body::synthetic(6 * GIB, 8));
    assert_eq!(cloud.uploads(SERVING).len(), 0);
}

#[test]
fn an_upload_without_parts_is_aborted() {
    let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default());
    cloud.fail(Moment::every("UploadPartCopy"), LOST);
    promote(&cloud, &[]).fails(1, &["target: s3:UploadPartCopy on s3://serving/"]);
    assert_eq!((cloud.keys(SERVING).len(), cloud.uploads(SERVING).len()), (0, 0));
}

#[test]
fn an_upload_that_no_run_could_continue_is_aborted() {
    let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default());
    cloud.hook(Moment::on("UploadPartCopy", 5), |cloud| cloud.put(MODELS, "m.tar.gz", Body::synthetic(6 * GIB, 9)));
    promote(&cloud, &["--concurrency", "1"]).fails(1, &["was replaced while it was copied", "hint: Run again"]);
    assert_eq!((cloud.keys(SERVING).len(), cloud.uploads(SERVING).len()), (0, 0));
}

#[test]
fn the_state_of_an_upload_is_in_plain_words() {
    let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default().metadata("run", "7"));
    interrupted(&cloud, "UploadPartCopy", 3, &[]);
    let key = cloud.keys(SERVING).pop().expect("the state");
    let state = cloud.object(SERVING, &key).expect("the state").body.bytes().to_vec();
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    let source = cloud.object(MODELS, "m.tar.gz").expect("the source");
    assert_eq!((&state["source"], &state["source_etag"]), (&"s3://models/m.tar.gz".into(), &source.etag.into()));
    assert_eq!((&state["bytes"], &state["part_size"]), (&(6 * GIB).into(), &(96_u64 << 20).into()));
    assert_eq!(state["target"], format!("s3://{SERVING}/{}", copy_key()));
    assert_eq!(state["upload_id"], cloud.uploads(SERVING)[0].id);
    assert_eq!(state["headers"]["metadata"]["run"], "7");
}

#[test]
fn an_upload_without_a_state_is_started_again() {
    for damage in ["gone", "damaged"] {
        let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default());
        interrupted(&cloud, "UploadPartCopy", 3, &[]);
        let key = cloud.keys(SERVING).pop().expect("the state");
        match damage {
            "gone" => cloud.locked(|world| world.buckets.get_mut(SERVING).expect("the bucket").objects.clear()),
            _ => cloud.put(SERVING, &key, "{"),
        }
        assert_eq!(told(&promote(&cloud, &[]).document()), ("copied", "checksum"));
        assert_eq!(
            (cloud.calls_of("CreateMultipartUpload").len(), cloud.uploads(SERVING).len(), states(&cloud)),
            (2, 0, 0)
        );
    }
}

#[test]
fn a_state_that_cannot_be_deleted_and_an_upload_that_cannot_be_aborted_are_warned_of() {
    let denied = || Failure::Status(403, "AccessDenied", "not yours");
    let cloud = with(Body::synthetic(6 * GIB, 8), Attributes::default());
    interrupted(&cloud, "UploadPartCopy", 3, &[]);
    cloud.put(MODELS, "m.tar.gz", Body::synthetic(6 * GIB, 9));
    cloud.fail(Moment::every("DeleteObject"), denied());
    cloud.fail(Moment::every("AbortMultipartUpload"), denied());
    let document = promote(&cloud, &[]).document();
    let warnings = document["warnings"].to_string();
    assert_eq!((told(&document).0, document["warnings"].as_array().map(Vec::len)), ("copied", Some(2)), "{warnings}");
    let remedy = "(Grant s3:AbortMultipartUpload on arn:aws:s3:::serving/churn-model/* to this principal, or have a";
    assert!(warnings.contains(remedy) && warnings.contains("s3:DeleteObject"), "{warnings}");
    assert!(
        warnings.contains("it stays open, and is charged") && !warnings.contains("a later run aborts"),
        "{warnings}"
    );
    cloud.heal();
    copy_artifacts(&cloud, Principal::Both, &[]).document();
    assert_eq!((cloud.uploads(SERVING).len(), states(&cloud)), (0, 0));
}
