//! The flags that say how strictly copies are verified, and how many requests are made at once.

use super::*;
use crate::support::s3::Algorithm;
use crate::support::{Attributes, Body, Failure, Moment};

#[test]
fn verify_deep_reads_both_sides_of_every_copy_and_names_the_bytes() {
    for mode in ["server-side", "stream"] {
        for size in [0, 7, (20 << 20) + 1] {
            let cloud = with(Body::synthetic(size, 4), Attributes::default());
            let document = promote(&cloud, &["--verify", "deep", "--copy-mode", mode]).document();
            assert_eq!(told(&document), ("copied", "bytes"));
            let read = |end: &str| cloud.traffic(|call| call.operation == "GetObject" && call.resource == end).read;
            assert_eq!(read(&format!("{SERVING}/{}", copy_key())), size, "{mode} {size}");
            let again = copy_artifacts(&cloud, Principal::Both, &["--verify", "deep"]).document();
            assert_eq!(told(&again), ("already-there", "bytes"));
        }
    }
}

#[test]
fn verify_deep_finds_a_byte_that_no_checksum_tells_of() {
    let cloud = with("weights", Attributes::default());
    cloud.hook(Moment::on("GetObject", 1).at(&copy_key()), |cloud| {
        cloud.locked(|world| {
            let objects = &mut world.buckets.get_mut(SERVING).expect("the bucket").objects;
            objects.get_mut(&copy_key()).expect("the copy").body = "wEights".into();
        });
    });
    let run = promote(&cloud, &["--verify", "deep", "--copy-mode", "server-side"]);
    run.fails(1, &["differs from s3://models/m.tar.gz after the copy", "nothing was registered"]);
    assert_eq!(promoted(&cloud).len(), 0);
}

#[test]
fn verify_size_asks_nothing_that_the_copies_do_not_answer() {
    for (how, heads, verified) in [("checksum", 1, "checksum"), ("size", 0, "size")] {
        let cloud = with_package();
        cloud.default_checksums(false);
        cloud.encrypt_bucket(SERVING, "arn:aws:kms:eu-central-1:111222333444:key/11111111-2222-3333-4444-555555555555");
        for n in 0..3 {
            let attributes = Attributes::default().checksum(Algorithm::Crc64Nvme);
            cloud.put_with(MODELS, &format!("churn/llm/{n}"), "weights", attributes);
        }
        let before = cloud.calls_of("HeadObject").iter().filter(|call| call.resource.contains("llm")).count();
        let document = copy_artifacts(&cloud, Principal::Both, &["--verify", how]).document();
        let told = artifact(&document, "s3://models/churn/llm/0");
        let asked = cloud.calls_of("HeadObject").iter().filter(|call| call.resource.ends_with("churn/llm/0")).count();
        assert_eq!((asked - before, told["verified"].as_str()), (heads, Some(verified)), "{how}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn concurrency_is_the_number_of_requests_in_flight() {
    for limit in [1, 5] {
        let cloud = with_package();
        (0..20).for_each(|n| cloud.put(MODELS, &format!("churn/llm/{n}"), format!("shard {n}")));
        let mut command = cloud.process(Principal::Both);
        command.args(full()).args(["--output", "json", "--concurrency", &limit.to_string()]);
        let (output, rounds) = cloud.in_rounds(command);
        assert_eq!(Run::of(output).document()["outcome"], "promoted");
        let copies = |round: &Vec<String>| round.iter().filter(|operation| *operation == "CopyObject").count();
        assert_eq!(rounds.iter().map(copies).max(), Some(limit), "{rounds:?}");
    }
}

#[test]
fn small_objects_are_streamed_as_many_at_once_as_requests_are_allowed() {
    let cloud = with_package();
    (0..150).for_each(|n| cloud.put(MODELS, &format!("churn/llm/{n}.shard"), format!("shard {n}")));
    cloud.fail(Moment::every("GetObject").at(".shard"), Failure::Hang);
    let reached = Arrival::of(&cloud, Moment::on("GetObject", 130).at(".shard"));
    let process = spawn(&cloud, &["--copy-mode", "stream"]);
    reached.wait();
    cloud.heal();
    cloud.release();
    assert_eq!(ended(process).document()["outcome"], "promoted");
}

#[test]
fn a_download_that_breaks_off_is_tried_again() {
    for size in [1 << 20, 20 << 20] {
        let cloud = with(Body::synthetic(size, 3), Attributes::default());
        cloud.fail(Moment::on("GetObject", 1).at("m.tar.gz"), Failure::Truncate);
        assert_eq!(told(&promote(&cloud, &["--copy-mode", "stream"]).document()).0, "copied");
        assert!(copy(&cloud).body == Body::synthetic(size, 3));
    }
}

#[test]
fn a_source_bucket_in_another_region_is_read_there() {
    for mode in ["server-side", "stream"] {
        let cloud = world();
        cloud.create_bucket_in("far-models", crate::support::SOURCE_ACCOUNT, "us-west-2");
        cloud.put("far-models", "m.tar.gz", "weights");
        cloud.put("far-models", "llm/a", "shard");
        let package = model("s3://far-models/m.tar.gz");
        cloud.register(package);
        let document = promote(&cloud, &["--copy-mode", mode]).document();
        assert_eq!(artifact(&document, "s3://far-models/m.tar.gz")["result"], "copied");
        let copy = cloud.object(SERVING, &format!("{FOLDER}far-models/m.tar.gz")).expect("the copy");
        assert_eq!(copy.body.bytes(), "weights");
    }
}

#[test]
fn part_sizes_that_s3_would_refuse_are_refused() {
    let cloud = with_package();
    for (size, says) in
        [("4MiB", "5MiB to 5GiB"), ("6GiB", "5MiB to 5GiB"), ("1TB", "is not a unit"), ("MiB", "a number")]
    {
        promote(&cloud, &["--part-size", size]).fails(2, &["--part-size", says]);
    }
}
