//! By TLS, as with Amazon S3: what passes through is not signed piece by piece there, and S3 verifies it all the same.

use super::*;
use crate::support::{Attributes, Body, Failure, Moment};

fn encrypted(body: impl Into<Body>) -> Cloud {
    let cloud = with(body, Attributes::default());
    cloud.encrypt();
    cloud
}

const STREAMED: [&str; 6] = ["--copy-mode", "stream", "--source-profile", "source", "--target-profile", "target"];

#[test]
fn a_package_is_promoted_by_tls_in_each_mode() {
    for mode in ["server-side", "stream"] {
        let cloud = with_package();
        cloud.encrypt();
        let document = promote(&cloud, &["--copy-mode", mode]).document();
        assert_eq!((document["outcome"].as_str(), promoted(&cloud).len()), (Some("promoted"), 1));
    }
}

#[test]
fn parts_that_pass_through_by_tls_have_their_checksum_behind_them_and_no_other_signature() {
    let cloud = encrypted(Body::synthetic(20 << 20, 1));
    promote(&cloud, &STREAMED).document();
    assert!(copy(&cloud).body == Body::synthetic(20 << 20, 1));
    let parts = cloud.calls_of("UploadPart");
    assert_eq!(parts.len(), 3);
    for part in parts {
        let header = |name: &str| part.headers.get(name).map(String::as_str);
        assert_eq!(header("x-amz-content-sha256"), Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
        assert_eq!(header("x-amz-trailer"), Some("x-amz-checksum-crc64nvme"));
    }
}

#[test]
fn a_part_that_s3_is_too_busy_for_is_downloaded_and_sent_again_by_tls() {
    let cloud = encrypted(Body::synthetic(20 << 20, 2));
    cloud.fail(Moment::on("UploadPart", 2), Failure::Status(503, "SlowDown", "Reduce your request rate"));
    let mut command = cloud.promote(Principal::Both);
    command.args(full()).args(["--output", "json"]).args(STREAMED).env("AWS_MAX_ATTEMPTS", "3");
    let document = Run::of(command.output().expect("the binary starts")).document();
    assert_eq!(told(&document), ("copied", "checksum"));
    assert!(copy(&cloud).body == Body::synthetic(20 << 20, 2));
    let downloads = cloud.calls_of("GetObject").into_iter().filter(|call| call.resource.ends_with("m.tar.gz"));
    assert_eq!((cloud.calls_of("UploadPart").len(), downloads.count()), (4, 4));
}

#[test]
fn a_download_that_breaks_off_within_tls_is_tried_again() {
    let cloud = encrypted(Body::synthetic(20 << 20, 3));
    cloud.fail(Moment::on("GetObject", 1).at("m.tar.gz"), Failure::Truncate);
    assert_eq!(told(&promote(&cloud, &STREAMED).document()), ("copied", "checksum"));
    assert!(copy(&cloud).body == Body::synthetic(20 << 20, 3));
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_talked_to() {
    let cloud = encrypted("weights");
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/promote/support/tls/server.pem");
    let mut command = cloud.promote(Principal::Both);
    let run = Run::of(command.args(full()).env("SSL_CERT_FILE", other).output().expect("the binary starts"));
    assert_eq!((run.code, cloud.calls().len()), (1, 0), "{}", run.stderr);
}
