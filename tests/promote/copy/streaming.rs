//! Two principals: the source's reads, the target's writes, and the bytes pass through the process in bounded memory.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::support::{Attributes, Body, Failure, Moment};

/// How long a test waits for what has to happen.
const MINUTE: Duration = Duration::from_secs(60);

/// Runs `full` with the credentials of the two accounts, each without rights in the other.
fn promote_apart(cloud: &Cloud, more: &[&str]) -> Run {
    let arguments = apart(more);
    run(cloud, Principal::Stranger, &arguments)
}

fn apart(more: &[&str]) -> Vec<String> {
    let options = TWO_PRINCIPALS.into_iter().chain(["--output", "json"]).chain(more.iter().copied());
    full().into_iter().chain(options.map(str::to_owned)).collect()
}

#[test]
fn with_two_principals_auto_falls_back_to_streaming_after_a_denied_copy() {
    let cloud = with_package();
    cloud.put(MODELS, "churn/llm/large", Body::synthetic(20 << 20, 1));
    cloud.put(MODELS, "churn/llm/marker/", "");
    cloud.put(MODELS, "churn/llm/empty", "");
    let document = promote_apart(&cloud, &[]).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(7));
    for key in cloud.keys(MODELS) {
        let copy = cloud.object(SERVING, &format!("{FOLDER}models/{key}")).expect(&key);
        assert!(copy.body == cloud.object(MODELS, &key).expect("the source").body, "{key}");
    }
    let copies = cloud.calls_of("CopyObject");
    assert!(!copies.is_empty() && copies.iter().all(|call| call.status == 403));
}

#[test]
fn streaming_reads_and_writes_each_byte_once_and_each_principal_stays_on_its_side() {
    let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
    promote_apart(&cloud, &["--copy-mode", "stream"]).document();
    let traffic = cloud.traffic(|call| call.resource.ends_with("m.tar.gz"));
    assert_eq!((traffic.read, traffic.written), (20 << 20, 20 << 20));
    assert_eq!((cloud.calls_of("UploadPart").len(), cloud.calls_of("CopyObject").len()), (3, 0));
    // The download of a layer has a presigned URL, and no caller.
    for call in cloud.calls().into_iter().filter(|call| call.operation != "DownloadLayer") {
        let who = call.who.expect("the caller is known").principal;
        let of_target = call.resource.starts_with(SERVING) || call.resource.contains("111222333444");
        let of_source = !of_target && (call.resource.starts_with(MODELS) || call.resource.contains("444333666777"));
        assert!(!of_source || who == Principal::Source, "{} {}", call.operation, call.resource);
        assert!(!of_target || who == Principal::Target, "{} {}", call.operation, call.resource);
    }
}

#[test]
fn every_ranged_read_is_conditional_on_the_etag_that_was_planned() {
    let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
    promote_apart(&cloud, &["--copy-mode", "stream"]).document();
    let etag = format!("\"{}\"", cloud.object(MODELS, "m.tar.gz").expect("the source").etag);
    let mut ranges: Vec<String> = Vec::new();
    for call in cloud.calls_of("GetObject").into_iter().filter(|call| call.resource.ends_with("m.tar.gz")) {
        assert_eq!(call.headers.get("if-match"), Some(&etag));
        ranges.push(call.headers["range"].clone());
    }
    let bounds = ranges.iter().map(|range| range["bytes=".len()..].split_once('-').expect("two bounds"));
    let mut bounds: Vec<(u64, u64)> = bounds.map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).collect();
    bounds.sort_unstable();
    assert_eq!((bounds.len(), bounds[0].0, bounds[2].1), (3, 0, (20 << 20) - 1));
    assert!(bounds.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{bounds:?}");
}

#[test]
fn sizes_around_the_part_size_arrive_whole() {
    let part: u64 = 8 << 20;
    for size in [1, 4096, part - 1, part, part + 1, 2 * part, 2 * part + 1] {
        let cloud = with(Body::synthetic(size, size), Attributes::default());
        let document = promote_apart(&cloud, &["--copy-mode", "stream"]).document();
        assert_eq!(artifact(&document, "s3://models/m.tar.gz")["bytes"], size);
        assert!(copy(&cloud).body == Body::synthetic(size, size), "{size}");
        let parts = cloud.calls_of("UploadPart").len() as u64;
        // Parts are up to 1 MiB smaller, by what they are parts of.
        let expected = if size > part { size.div_ceil(part)..=size.div_ceil(part - (1 << 20)) } else { 0..=0 };
        assert!(expected.contains(&parts), "{size}: {parts}");
    }
}

/// Adds this many objects below the prefix of the package of the world.
fn add_shards(cloud: &Cloud, count: usize) {
    (0..count).for_each(|n| cloud.put(MODELS, &format!("churn/llm/shard/{n:04}"), format!("shard {n}")));
}

fn assert_shards(cloud: &Cloud, document: &Value, count: usize) {
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(count + 4));
    for n in 0..count {
        let copy = cloud.object(SERVING, &format!("{FOLDER}models/churn/llm/shard/{n:04}")).expect("the copy");
        assert_eq!(copy.body.bytes(), format!("shard {n}"));
    }
}

#[test]
fn a_prefix_of_3000_objects_arrives() {
    let cloud = with_package();
    add_shards(&cloud, 3000);
    let document = promote(&cloud, &[]).document();
    assert_shards(&cloud, &document, 3000);
    assert_eq!((cloud.calls_of("CopyObject").len(), cloud.calls_of("HeadObject").len()), (3004, 2));
}

#[test]
fn a_prefix_of_300_objects_arrives_by_streaming_and_few_copies_are_tried_in_vain() {
    let cloud = with_package();
    add_shards(&cloud, 300);
    let document = promote_apart(&cloud, &[]).document();
    assert_shards(&cloud, &document, 300);
    let denied = cloud.calls_of("CopyObject").len();
    assert!((1..=32).contains(&denied), "{denied} copies were tried before the first denial was heard of");
}

/// So many bytes. Synthetic ones would take the stand-in longer to make than anything else here.
fn weights(mebibytes: u32) -> Body {
    (0..mebibytes << 20).map(|n| (n >> 3) as u8).collect::<Vec<u8>>().into()
}

/// The most memory that streaming takes, in MiB.
fn peak(cloud: &Cloud, more: &[&str]) -> u64 {
    let (tell, told) = mpsc::channel::<u32>();
    let (measured, measure) = mpsc::channel::<u64>();
    // All parts are sent when the upload is completed, and the process waits for the answer.
    cloud.hook(Moment::on("CompleteMultipartUpload", 1), move |_| {
        let process = told.recv_timeout(MINUTE).expect("the test has started the process");
        measured.send(high_water_mark(process).expect("the process is there")).expect("the test waits for it");
    });
    let mut command = cloud.process(Principal::Stranger);
    let more = [&["--copy-mode", "stream"], more].concat();
    let child = command.args(apart(&more)).stdout(std::process::Stdio::null());
    let child = child.stderr(std::process::Stdio::piped()).spawn().expect("the binary starts");
    tell.send(child.id()).expect("the hook waits for it");
    let run = ended(child);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(copy(cloud).body == cloud.object(MODELS, "m.tar.gz").expect("the source").body);
    measure.recv_timeout(MINUTE).expect("the hook has measured")
}

#[test]
fn streaming_takes_at_most_128_mib_of_memory_whatever_the_size_of_objects_and_parts() {
    let weights = weights(192);
    for encrypted in [false, true] {
        for more in [&[][..], &["--part-size", "1GiB"]] {
            let cloud = with(weights.clone(), Attributes::default());
            if encrypted {
                cloud.encrypt();
            }
            let peak = peak(&cloud, more);
            assert!((8..=128).contains(&peak), "TLS {encrypted}, {more:?}: {peak} MiB");
        }
    }
}

#[test]
fn what_passes_through_carries_its_checksum_behind_it_or_the_source_s_own_before_it() {
    let (part, whole) = (
        with(Body::synthetic(9 << 20, 1), Attributes::default()),
        with(Body::synthetic(2 << 20, 1), Attributes::default()),
    );
    promote_apart(&part, &["--copy-mode", "stream"]).document();
    let sent = part.calls_of("UploadPart").into_iter().map(|call| (call.bytes_in > 1 << 20, call.headers));
    let (passing, held): (Vec<_>, Vec<_>) = sent.partition(|(large, _)| *large);
    let trailer = |(_, headers): &(bool, BTreeMap<String, String>)| headers.get("x-amz-trailer").cloned();
    let expected = Some("x-amz-checksum-crc64nvme".to_owned());
    assert!(!passing.is_empty() && passing.iter().all(|one| trailer(one) == expected));
    assert!(!held.is_empty() && held.iter().all(|one| trailer(one).is_none()));
    promote_apart(&whole, &["--copy-mode", "stream"]).document();
    let put = whole.calls_of("PutObject").into_iter().find(|call| call.resource.ends_with("m.tar.gz"));
    let put = put.expect("it is put whole").headers;
    let of_source = whole.object(MODELS, "m.tar.gz").and_then(|source| source.checksum).expect("S3 has computed one");
    assert_eq!((put.get("x-amz-checksum-crc64nvme"), put.get("x-amz-trailer")), (Some(&of_source.value), None));
}

#[test]
fn many_parts_pass_through_at_once_where_few_would_have_room_in_memory() {
    let cloud = with(weights(180), Attributes::default());
    cloud.fail(Moment::every("UploadPart"), Failure::HangAfter);
    // Nine parts of 7 MiB would have room.
    let many = Arrival::of(&cloud, Moment::on("UploadPart", 25));
    let mut command = cloud.process(Principal::Stranger);
    let flags = apart(&["--copy-mode", "stream", "--concurrency", "64", "--part-size", "7MiB"]);
    let command = command.args(flags).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("the binary starts");
    many.wait();
    cloud.release();
    let run = ended(child);
    assert_eq!(run.code, 0, "{}", run.stderr);
}
