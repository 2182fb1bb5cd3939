//! Copies that are not what their source is: each is noticed, and nothing is registered.

use super::*;
use crate::support::s3::Algorithm;
use crate::support::{Attributes, Body, Failure, Moment};

/// Changes the content of an object behind S3's back: its ETag and checksum stay.
fn rot(cloud: &Cloud, bucket: &str, key: &str, body: impl Into<Body>) {
    let body = body.into();
    cloud.locked(|world| {
        let bucket = world.buckets.get_mut(bucket).expect("the bucket exists");
        bucket.objects.get_mut(key).expect("the object exists").body = body;
    });
}

fn assert_noticed(cloud: &Cloud, more: &[&str], says: &[&str]) {
    let run = promote(cloud, more);
    run.fails(1, says);
    run.fails(1, &["nothing was registered"]);
    assert_eq!((run.result(), promoted(cloud).len()), ("", 0));
    assert!(cloud.calls_of("CreateModelPackage").is_empty());
}

#[test]
fn bytes_that_change_within_s3_are_noticed_by_the_checksum_and_stay_to_be_looked_at() {
    let in_parts = Attributes::default().parts_of(3);
    for attributes in [Attributes::default(), in_parts.clone(), in_parts.checksum(Algorithm::Crc32)] {
        let cloud = with("weights", attributes);
        cloud.hook(Moment::on("CopyObject", 1), |cloud| rot(cloud, MODELS, "m.tar.gz", "wEights"));
        let says = ["s3://serving/churn-model/", "m.tar.gz has the checksum", "after the copy, but its source"];
        assert_noticed(&cloud, &[], &says);
        promote(&cloud, &[]).fails(1, &["refusing to overwrite"]);
        cloud.remove(SERVING, &copy_key());
        rot(&cloud, MODELS, "m.tar.gz", "weights");
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
        assert_eq!(copy(&cloud).body.bytes(), "weights");
    }
}

#[test]
fn bytes_that_change_on_their_way_through_the_process_are_noticed_before_they_are_written() {
    for attributes in [Attributes::default(), Attributes::default().parts_of(3)] {
        let cloud = with("weights", attributes);
        cloud.hook(Moment::on("GetObject", 1).at("m.tar.gz"), |cloud| rot(cloud, MODELS, "m.tar.gz", "wEights"));
        let run = promote(&cloud, &["--copy-mode", "stream"]);
        run.fails(1, &["source: s3:GetObject on s3://models/m.tar.gz", "checksum mismatch"]);
        assert_eq!((cloud.keys(SERVING).len(), promoted(&cloud).len()), (0, 0));
    }
}

#[test]
fn a_range_that_changes_on_its_way_is_noticed_by_the_checksum_of_the_whole() {
    let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
    let other = Body::synthetic(20 << 20, 2);
    cloud.hook(Moment::on("GetObject", 2).at("m.tar.gz"), move |cloud| rot(cloud, MODELS, "m.tar.gz", other));
    assert_noticed(
        &cloud,
        &["--copy-mode", "stream"],
        &["s3:CompleteMultipartUpload on s3://serving/", "BadDigest", "hint: The bytes changed in transit"],
    );
    assert_eq!((cloud.keys(SERVING).len(), cloud.uploads(SERVING).len()), (0, 0));
}

#[test]
fn a_part_that_is_not_what_was_sent_is_noticed_by_the_checksum_of_the_whole() {
    let body = Body::synthetic(20 << 20, 1);
    let cloud = with(body, Attributes::default());
    cloud.hook(Moment::on("CompleteMultipartUpload", 1), |cloud| {
        cloud.locked(|world| {
            let uploads = &mut world.buckets.get_mut(SERVING).expect("the bucket exists").uploads;
            let upload = uploads.values_mut().next().expect("an upload is open");
            let part = upload.parts.get_mut(&2).expect("it has a second part");
            part.body = Body::synthetic(part.body.len(), 2);
        });
    });
    assert_noticed(&cloud, &["--copy-mode", "stream"], &["s3:CompleteMultipartUpload on s3://serving/", "BadDigest"]);
    assert_eq!((cloud.keys(SERVING).len(), cloud.uploads(SERVING).len()), (0, 0));
}

#[test]
fn a_copy_that_is_too_short_is_noticed_by_its_size_where_there_are_no_checksums() {
    let cloud = world();
    cloud.default_checksums(false);
    cloud.put_with(MODELS, "m.tar.gz", "weights", Attributes::default().parts_of(3));
    cloud.register(model("s3://models/m.tar.gz"));
    let key = copy_key();
    cloud.hook(Moment::on("HeadObject", 1).at(&key), |cloud| rot(cloud, SERVING, &copy_key(), "weig"));
    assert_noticed(
        &cloud,
        &["--copy-mode", "server-side"],
        &["has 4 bytes after the copy, but its source has 7 bytes"],
    );
}

#[test]
fn a_download_that_breaks_off_is_an_error_and_leaves_nothing() {
    for size in [7, 1 << 20, 20 << 20] {
        let cloud = with(Body::synthetic(size, 3), Attributes::default());
        cloud.fail(Moment::every("GetObject").at("m.tar.gz"), Failure::Truncate);
        let run = promote(&cloud, &["--copy-mode", "stream"]);
        run.fails(1, &["source: s3:GetObject on s3://models/m.tar.gz", "the download failed"]);
        assert_eq!((cloud.keys(SERVING).len(), cloud.uploads(SERVING).len(), promoted(&cloud).len()), (0, 0, 0));
    }
}

#[test]
fn a_copy_that_answers_200_with_an_error_is_no_copy() {
    let cloud = with_package();
    let error = Failure::InBody("InternalError", "We encountered an internal error.");
    cloud.fail(Moment::every("CopyObject"), error);
    let run = promote(&cloud, &[]);
    run.fails(1, &["target: s3:CopyObject on s3://serving/", "InternalError: We encountered an internal error"]);
    assert_eq!((cloud.keys(SERVING).len(), promoted(&cloud).len()), (0, 0));
}
