//! Memory stays flat, however many objects a prefix has. `PROMOTE_TEST_KEYS` says how many the large one has.

use std::io::Read;
use std::process::Stdio;

use crate::support::{Cloud, Principal};
use crate::world::*;

/// What may come on top: buffers of the allocator, of connections, which are more under way in a longer run, and of the
/// pages of a listing. What a run holds of each object would take more.
const SLACK_MIB: u64 = 16;

/// Objects of a prefix that is compared with a large one: more than stay in memory.
const FEW: usize = 6_000;

/// What is promoted.
const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// A package whose model is a prefix of so many objects.
fn with_objects(objects: usize) -> Cloud {
    let cloud = with_package();
    // A record has more than a kilobyte of each: its name stands in it twice.
    let name = "of-a-long-name".repeat(30);
    for n in 0..objects {
        cloud.put(MODELS, &format!("churn/llm/{name}-{n:08}"), "");
    }
    cloud
}

/// Promotes, and measures how much memory that takes at most, in MiB.
fn peak(cloud: &Cloud, more: &[&str]) -> u64 {
    let full = full();
    let full: Vec<&str> = full.iter().map(String::as_str).collect();
    peak_of(cloud, &[&full[..], more].concat())
}

/// How much memory a run takes at most, in MiB.
fn peak_of(cloud: &Cloud, arguments: &[&str]) -> u64 {
    let mut command = cloud.process(Principal::Both);
    command.args(arguments).args(["--output", "json"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    let (mut out, mut chunk) = (child.stdout.take().expect("it is piped"), vec![0; 1 << 20]);
    let (mut peak, mut document) = (0, 0);
    // The process waits for whoever reads its document, so it is there when it is looked at.
    loop {
        peak = peak.max(high_water_mark(child.id()).unwrap_or_default());
        match out.read(&mut chunk).expect("the document comes") {
            0 => break,
            read => document += read,
        }
    }
    assert!(child.wait().expect("it ends").success());
    assert!(document > FEW * 500, "a document of {document} bytes");
    peak
}

/// How many objects the large prefix has.
fn many() -> usize {
    std::env::var("PROMOTE_TEST_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(4 * FEW)
}

#[expect(clippy::print_stdout, reason = "the figures are what `make memory` is for")]
fn is_flat(what: &str, few: u64, many: u64) {
    let said = format!("{what}: {many} MiB for {} objects, {few} MiB for {FEW}", self::many());
    println!("{said}");
    assert!(few > 0 && many <= few + SLACK_MIB, "{said}");
}

#[test]
fn a_prefix_of_many_objects_is_planned_in_the_memory_that_one_of_few_takes() {
    let planned = |objects| peak(&with_objects(objects), &["--dry-run"]);
    is_flat("planned", planned(FEW), planned(many()));
}

#[test]
fn a_prefix_of_many_objects_is_promoted_found_again_and_verified_in_the_memory_that_one_of_few_takes() {
    let (few, many) = (with_objects(FEW), with_objects(many()));
    is_flat("promoted", peak(&few, &[]), peak(&many, &[]));
    is_flat("its record read again", peak(&few, &[]), peak(&many, &[]));
    let again = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    is_flat("found again", peak_of(&few, &again), peak_of(&many, &again));
    let verified = |cloud| peak_of(cloud, &["verify", "--model-package", COPY]);
    is_flat("verified", verified(&few), verified(&many));
}
