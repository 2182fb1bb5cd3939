//! Objects that are copied in parts within S3.

use super::*;
use crate::support::{Attributes, Body};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Promotes the object; how many calls copied it whole, and how many a part of it.
fn copies(cloud: &Cloud) -> (usize, usize) {
    let source = cloud.object(MODELS, "m.tar.gz").expect("the source");
    let document = promote(cloud, &[]).document();
    let artifact = artifact(&document, "s3://models/m.tar.gz");
    assert_eq!((artifact["result"].as_str(), artifact["bytes"].as_u64()), (Some("copied"), Some(source.body.len())));
    assert!(copy(cloud).body == source.body);
    (cloud.calls_of("CopyObject").len(), cloud.calls_of("UploadPartCopy").len())
}

#[test]
fn up_to_128_mib_are_copied_in_one_call_and_one_byte_more_in_parts() {
    for (size, calls) in [(128 * MIB, (1, 0)), (128 * MIB + 1, (0, 3)), (GIB, (0, 16)), (5 * GIB + 1, (0, 65))] {
        let cloud = with(Body::synthetic(size, 5), Attributes::default());
        assert_eq!(copies(&cloud), calls, "{size}");
    }
}

#[test]
fn an_object_that_only_its_md5_proves_is_copied_in_one_call() {
    let cloud = world();
    cloud.default_checksums(false);
    cloud.put(MODELS, "m.tar.gz", vec![5; 128 * MIB as usize + 1]);
    cloud.register(model("s3://models/m.tar.gz"));
    assert_eq!(copies(&cloud), (1, 0));
    assert_eq!(cloud.calls_of("HeadObject").len(), 1);
}

#[test]
fn an_object_of_6_gib_is_copied_in_parts_and_no_byte_passes_through_the_process() {
    let attributes = Attributes::default().header("content-type", "application/x-tar").metadata("run", "7");
    let cloud = with(Body::synthetic(6 * GIB, 6), attributes);
    let document = promote(&cloud, &[]).document();
    assert_eq!(told(&document), ("copied", "checksum"));
    let (source, copy) = (cloud.object(MODELS, "m.tar.gz").expect("the source"), copy(&cloud));
    assert!(copy.body == source.body);
    assert_eq!(copy.checksum, source.checksum);
    assert_eq!((copy.header("content-type"), copy.metadata("run")), (Some("application/x-tar"), Some("7")));
    for call in cloud.calls_of("UploadPartCopy") {
        assert_eq!(call.headers.get("x-amz-copy-source-if-match"), Some(&format!("\"{}\"", source.etag)));
    }
    let traffic = cloud.traffic(|call| call.resource.ends_with("m.tar.gz"));
    assert_eq!((traffic.read, traffic.written), (0, 0));
    let again = copy_artifacts(&cloud, Principal::Both, &[]).document();
    assert_eq!(told(&again), ("already-there", "checksum"));
    assert_eq!((cloud.calls_of("CreateMultipartUpload").len(), cloud.uploads(SERVING).len()), (1, 0));
}

#[test]
fn the_largest_objects_are_copied_in_at_most_10000_parts() {
    let size = 40 << 40;
    let cloud = with(Body::synthetic(size, 7), Attributes::default());
    let document = promote(&cloud, &[]).document();
    assert_eq!(told(&document).0, "copied");
    let copy = copy(&cloud);
    assert!(copy.body == Body::synthetic(size, 7));
    assert!((9_000..=10_000).contains(&copy.parts.len()), "{} parts", copy.parts.len());
    assert!(copy.parts.iter().all(|part| *part <= 5 * GIB));
    let traffic = cloud.traffic(|call| call.resource.ends_with("m.tar.gz"));
    assert_eq!((traffic.read, traffic.written), (0, 0));
}

#[test]
fn larger_objects_have_larger_parts_up_to_512_mib() {
    let cloud = with(Body::synthetic(100 * GIB, 9), Attributes::default());
    promote(&cloud, &[]).document();
    let largest = copy(&cloud).parts.into_iter().max();
    assert_eq!(largest, Some(512 << 20));
}

#[test]
fn a_part_size_that_is_given_is_kept_and_objects_up_to_it_are_copied_whole() {
    for (size, parts) in [(64 << 20, 0), (640 << 20, 10)] {
        let cloud = with(Body::synthetic(size, 9), Attributes::default());
        let document = promote(&cloud, &["--part-size", "64MiB"]).document();
        assert_eq!(told(&document), ("copied", "checksum"));
        assert_eq!(cloud.calls_of("UploadPartCopy").len(), parts);
    }
}
