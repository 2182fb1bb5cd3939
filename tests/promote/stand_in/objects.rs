//! S3: content and its digests, rights, encryption, uploads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::{Client, Reply};
use super::filled;
use crate::support::calls::Service;
use crate::support::s3::{Algorithm, Encryption};
use crate::support::{Attributes, Body, Cloud, Principal, TARGET_ACCOUNT};

fn put(client: &mut Client, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    client.ask("PUT", target, headers, body).expect("an answer")
}

#[test]
fn synthetic_content_has_its_real_digests_and_is_recognised_when_it_comes_back() {
    for (len, start) in [(1, 0), (15, 3), (16, 16), (1000, 7), (1 << 20, 0), ((1 << 20) + 5, 999), (3 << 20, 197_520)] {
        let cloud = filled();
        let whole = Body::synthetic(start + len, 77);
        let bytes = whole.bytes().slice(start as usize..);
        cloud.put("src", "bytes", bytes.to_vec());
        cloud.put("src", "whole", whole);
        let mut client = Client::new(&cloud, Principal::Source);
        let range = format!("bytes={start}-{}", start + len - 1);
        let part = client.ask("GET", "/src/whole", &[("range", &range)], b"").expect("an answer");
        assert!(part.body == bytes);
        put(&mut client, "/src/back", &[], &part.body);
        let object = |key| cloud.object("src", key).expect("it is there");
        assert!(object("back").body == object("bytes").body);
        assert_eq!(object("back").etag, object("bytes").etag);
        let mut digest = crc64fast_nvme::Digest::new();
        digest.write(&bytes);
        let checksum = object("back").checksum.expect("S3 computes one").value;
        assert_eq!(checksum, STANDARD.encode(digest.sum64().to_be_bytes()), "{len} {start}");
    }
}

#[test]
fn synthetic_bodies_are_equal_when_seed_and_length_are() {
    assert!(Body::synthetic(5000, 1) != Body::synthetic(5000, 2));
    assert!(Body::synthetic(5000, 1) != Body::synthetic(5001, 1));
    assert!(Body::synthetic(1 << 45, 1) == Body::synthetic(1 << 45, 1));
    assert_eq!(Body::synthetic(1 << 45, 1).len(), 1 << 45);
}

#[test]
fn permissions_follow_accounts_and_exceptions() {
    let cloud = filled();
    let status = |who, method: &str, target: &str| {
        Client::new(&cloud, who).ask(method, target, &[], b"x").expect("an answer").status
    };
    assert_eq!(status(Principal::Target, "GET", "/src/a"), 403);
    assert_eq!(status(Principal::Both, "GET", "/src/a"), 200);
    assert_eq!(status(Principal::Both, "PUT", "/src/a"), 403);
    assert_eq!(status(Principal::Stranger, "GET", "/dst/a"), 403);
    assert_eq!(status(Principal::Source, "HEAD", "/src/none"), 404);
    cloud.deny(Principal::Source, "s3:ListBucket", "src");
    assert_eq!(status(Principal::Source, "HEAD", "/src/none"), 403);
    cloud.deny(Principal::Both, "s3:GetObject", "src/a*");
    assert_eq!(status(Principal::Both, "GET", "/src/a"), 403);
    cloud.allow(Principal::Both, "s3:*", "src/a");
    assert_eq!(status(Principal::Both, "GET", "/src/a"), 200);
    let mut nobody = Client::new(&cloud, Principal::Source);
    nobody.key = "AKIANOBODY".into();
    assert_eq!(nobody.get("/src/a").status, 403);
    let callers: Vec<_> = cloud.calls().into_iter().map(|call| call.who.map(|who| who.principal)).collect();
    assert_eq!((callers.first(), callers.last()), (Some(&Some(Principal::Target)), Some(&None)));
}

#[test]
fn a_bucket_answers_in_its_own_region_only() {
    let cloud = filled();
    cloud.create_bucket_in("far", TARGET_ACCOUNT, "us-west-2");
    let mut client = Client::new(&cloud, Principal::Target);
    let answer = client.get("/far/a");
    assert_eq!((answer.status, answer.headers["x-amz-bucket-region"].as_str()), (301, "us-west-2"));
    assert_eq!(client.get("/nowhere/a").element("Code"), "NoSuchBucket");
}

#[test]
fn a_key_of_kms_is_checked_and_changes_the_etag() {
    let cloud = filled();
    let key = "arn:aws:kms:eu-central-1:444333666777:key/1";
    let attributes = Attributes::default().kms(key).tag("t", "1").metadata("M", "v").checksum(Algorithm::Sha256);
    cloud.put_with("src", "k", "content of a", attributes);
    let object = cloud.object("src", "k").expect("it is there");
    assert_ne!(object.etag, cloud.object("src", "a").expect("it is there").etag);
    assert_eq!(object.attributes.encryption, Encryption::Kms { key: key.into(), bucket_key: false });
    assert_eq!(
        (object.metadata("m"), object.checksum.as_ref().map(|one| one.algorithm)),
        (Some("v"), Some(Algorithm::Sha256))
    );
    let mut both = Client::new(&cloud, Principal::Both);
    assert_eq!(both.get("/src/k").headers["x-amz-tagging-count"], "1");
    assert!(both.get("/src/k?tagging").text().contains("<Key>t</Key>"));
    cloud.deny(Principal::Both, "kms:Decrypt", key);
    let refused = both.get("/src/k");
    assert!(refused.status == 403 && refused.text().contains("kms:Decrypt"), "{}", refused.text());
    let own = "arn:aws:kms:eu-central-1:111222333444:key/2";
    cloud.encrypt_bucket("dst", own);
    let made = put(&mut both, "/dst/k", &[("x-amz-copy-source", "/src/a")], b"");
    assert_eq!(made.headers["x-amz-server-side-encryption-aws-kms-key-id"], own);
}

#[test]
fn what_is_archived_cannot_be_read_and_what_is_removed_is_gone() {
    let cloud = filled();
    cloud.put_with("src", "cold", "x", Attributes::default().storage_class("GLACIER").header("Expires", "never"));
    assert_eq!(cloud.object("src", "cold").expect("it is there").header("expires"), Some("never"));
    let mut client = Client::new(&cloud, Principal::Source);
    assert_eq!(client.get("/src/cold").element("Code"), "InvalidObjectState");
    cloud.remove("src", "cold");
    assert_eq!(client.get("/src/cold").element("Code"), "NoSuchKey");
}

#[test]
fn checksums_can_be_switched_off() {
    let cloud = filled();
    cloud.default_checksums(false);
    cloud.put("src", "plain", "x");
    assert_eq!(cloud.object("src", "plain").and_then(|object| object.checksum), None);
}

fn put_chunked(cloud: &Cloud, trailer: &str, value: &str) -> Reply {
    let body = format!("5\r\nhello\r\n6\r\n world\r\n0\r\n{trailer}:{value}\r\n\r\n");
    let headers = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-trailer", trailer),
    ];
    put(&mut Client::new(cloud, Principal::Target), "/dst/c", &headers, body.as_bytes())
}

#[test]
fn chunked_bodies_are_decoded_and_verified() {
    let cloud = filled();
    let right = [("crc64nvme", "jSnVw/bqjr4="), ("crc32", "DUoRhQ=="), ("crc32c", "yZRlqg==")];
    for (algorithm, checksum) in right {
        assert_eq!(put_chunked(&cloud, &format!("x-amz-checksum-{algorithm}"), checksum).status, 200, "{algorithm}");
    }
    assert_eq!(put_chunked(&cloud, "x-amz-checksum-crc32", "AAAAAA==").element("Code"), "BadDigest");
    let object = cloud.object("dst", "c").expect("it is there");
    assert_eq!((object.body.bytes(), object.header("content-encoding")), ("hello world".into(), None));
    let call = &cloud.calls()[0];
    assert_eq!((call.service, call.bytes_in), (Service::S3, 11));
    assert_eq!(call.headers["x-amz-decoded-content-length"], "11");
}

#[test]
fn uploads_that_nobody_finishes_are_seen() {
    let cloud = filled();
    let mut client = Client::new(&cloud, Principal::Target);
    let id = client.ask("POST", "/dst/m?uploads", &[], b"").expect("an answer").element("UploadId");
    assert_eq!(put(&mut client, &format!("/dst/m?partNumber=2&uploadId={id}"), &[], b"part").status, 200);
    let checksum = [("x-amz-checksum-crc32", "DUoRhQ==")];
    let wrong = put(&mut client, &format!("/dst/m?partNumber=1&uploadId={id}"), &checksum, b"hello world");
    assert!(wrong.text().contains("expected checksum Type: null, actual checksum Type: crc32"), "{}", wrong.text());
    let open = cloud.uploads("dst");
    assert_eq!((open.len(), open[0].key.as_str(), open[0].parts.len()), (1, "m", 1));
    let aborted = client.ask("DELETE", &format!("/dst/m?uploadId={id}"), &[], b"").expect("an answer");
    assert_eq!((aborted.status, cloud.uploads("dst").len()), (204, 0));
}
