//! Memory stays flat, however many objects a prefix has. `PROMOTE_TEST_KEYS` says how many the large one has.

use std::io::Read;
use std::process::Stdio;

use crate::support::Principal;
use crate::world::*;

/// What may come on top: buffers of the allocator, of the connection and of the pages of a listing.
const SLACK_MIB: u64 = 8;

/// Copies a prefix of so many objects, and measures how much memory that takes at most, in MiB.
fn peak(objects: usize, more: &[&str]) -> u64 {
    let cloud = with_package();
    let version = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1";
    for n in 0..objects {
        cloud.put(MODELS, &format!("churn/llm/a-shard-with-a-name-of-ordinary-length-{n:08}"), "");
    }
    let mut command = cloud.process(Principal::Both);
    command.args(["copy-artifacts", "--model-package", version, "--target-bucket", SERVING, "--output", "json"]);
    command.args(more).stdout(Stdio::piped()).stderr(Stdio::null());
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
    assert!(document > objects * 100, "a document of {document} bytes for {objects} objects");
    peak
}

fn high_water_mark(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1024)
}

fn keys() -> usize {
    std::env::var("PROMOTE_TEST_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(36_000)
}

#[test]
fn a_prefix_of_many_objects_is_planned_in_the_memory_that_one_of_few_takes() {
    let (few, many) = (peak(12_000, &["--dry-run"]), peak(keys(), &["--dry-run"]));
    assert!(few > 0 && many <= few + SLACK_MIB, "{many} MiB for {} objects, {few} MiB for 12,000", keys());
}

#[test]
fn a_prefix_of_many_objects_is_copied_in_the_memory_that_one_of_few_takes() {
    let (few, many) = (peak(1_000, &[]), peak(keys() / 9, &[]));
    // Below 4 MiB of facts, nothing lies in a file.
    let facts = 3 * 4;
    assert!(few > 0 && many <= few + SLACK_MIB + facts, "{many} MiB for {} objects, {few} MiB for 1,000", keys() / 9);
}
