//! Whatever fails or kills a run: the next one makes one image with the same digest, and no complete layer goes twice.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::*;
use crate::run::faults::{each, seeds};
use crate::support::calls::Service;
use crate::support::{Body, Failure, Layer, Moment};

const DENIED: Failure = Failure::Status(400, "AccessDeniedException", "not authorized");
const BROKEN: Failure = Failure::Status(500, "ServerException", "Something is broken");

/// The size of a part.
const PART: u64 = 1 << 14;

/// An index of two images that share a layer of several parts.
fn image() -> TestImage {
    let shared = Layer::gzip(Body::synthetic(3 * PART + 5, 3));
    TestImage::index(&[
        TestImage::oci(&[shared.clone(), Layer::gzip("a")]),
        TestImage::oci(&[shared, Layer::zstd("b")]),
    ])
}

fn prepared() -> Cloud {
    let cloud = with_image(&image());
    cloud.part_size_of_layers(PART);
    cloud
}

/// The calls of a clean run that are about images: each operation with its number.
fn calls() -> Vec<(String, usize)> {
    let cloud = prepared();
    copy(&cloud, &[]).document();
    let mut counts = BTreeMap::new();
    let calls = cloud.calls().into_iter().filter(|call| [Service::Ecr, Service::Layers].contains(&call.service));
    let numbered = calls.map(|call| {
        let count = counts.entry(call.operation.clone()).or_insert(0);
        *count += 1;
        (call.operation, *count)
    });
    numbered.collect()
}

#[test]
fn after_a_failure_of_any_call_a_clean_run_makes_one_image() {
    let mut cases = Vec::new();
    for failure in [BROKEN, DENIED, Failure::Reset, Failure::ResetAfter, Failure::Truncate] {
        cases.extend(calls().into_iter().map(|(operation, k)| (operation, k, failure)));
    }
    each(8, &cases, |(operation, k, failure)| {
        let cloud = prepared();
        cloud.fail(Moment::on(operation, *k), *failure);
        let first = copy(&cloud, &[]);
        ensure!(!first.stderr.contains("panicked"), "{}", first.stderr);
        completes(&cloud)
            .with_context(|| format!("{operation} {k}, {failure:?}, first {}: {}", first.code, first.stderr))
    });
}

/// Kills a run when a call has arrived, and lets the calls end that it has left.
fn kill_when(cloud: &Cloud, arrived: Arrival) -> Result<()> {
    let mut child = spawn(cloud, &["--images", "copy"]);
    arrived.wait();
    let killed = child.kill();
    child.wait().context("the run ends")?;
    killed.context("the run was there")?;
    cloud.release();
    ensure!(cloud.settles(), "calls are left");
    Ok(())
}

#[test]
fn after_a_kill_at_any_call_a_clean_run_makes_one_image() {
    each(8, &calls(), |(operation, k)| {
        let cloud = prepared();
        let arrived = Arrival::of(&cloud, Moment::on(operation, *k));
        cloud.fail(Moment::on(operation, *k), Failure::HangAfter);
        kill_when(&cloud, arrived)?;
        completes(&cloud).with_context(|| format!("killed at {operation} {k}"))
    });
}

#[test]
fn after_a_kill_at_a_random_byte_of_a_layer_a_clean_run_makes_one_image() {
    let layer = image().children[0].layers[0].clone();
    let seeds = seeds("IMAGE_KILL_SEEDS").unwrap_or_else(|| (1..=20).collect());
    each(8, &seeds, |seed| {
        let cloud = prepared();
        let byte = fastrand::Rng::with_seed(*seed).u64(1..layer.content.len());
        cloud.fail(Moment::on("DownloadLayer", 1).at(&layer.digest), Failure::StallAt(byte));
        // What was downloaded before the byte is sent, as far as it fills parts.
        let arrived = match byte / PART {
            0 => Arrival::of(&cloud, Moment::on("DownloadLayer", 1).at(&layer.digest)),
            parts => {
                let last = format!("[{}-{}]", (parts - 1) * PART, parts * PART - 1);
                Arrival::of(&cloud, Moment::on("UploadLayerPart", 1).at(&last))
            }
        };
        kill_when(&cloud, arrived)?;
        completes(&cloud).with_context(|| format!("seed {seed}: killed at byte {byte}"))
    });
}

#[test]
fn a_run_that_is_killed_has_completed_the_layers_that_it_began_first() {
    const MIB: u64 = 1 << 20;
    let layers: Vec<Layer> = (0..8).map(|seed| Layer::gzip(Body::synthetic(17 * MIB, seed))).collect();
    let cloud = with_image(&TestImage::oci(&layers));
    cloud.part_size_of_layers(4 * MIB);
    // 40 parts, and 5 a layer.
    cloud.fail(Moment::on("UploadLayerPart", 30), Failure::Hang);
    let arrived = Arrival::of(&cloud, Moment::on("UploadLayerPart", 30));
    let mut child = spawn(&cloud, &["--images", "copy"]);
    arrived.wait();
    child.kill().expect("the run was there");
    child.wait().expect("the run ends");
    assert!(cloud.completed_layers().len() >= 2, "{:?}", cloud.completed_layers());
}

/// The next run ends well and makes one image; no layer was completed twice, and none that was complete was read again.
fn completes(cloud: &Cloud) -> Result<()> {
    cloud.heal();
    cloud.age_claims(SERVING);
    let before = cloud.completed_layers();
    let reads = cloud.calls_of("DownloadLayer").len();
    let second = copy(cloud, &[]);
    ensure!(second.code == 0, "the second run: {}", second.stderr);
    let repository = cloud.repository(TARGET_ACCOUNT, "serve").context("the repository")?;
    let image = image();
    for each in image.tree() {
        let there = repository.images.get(&each.digest()).context("an image is missing")?;
        ensure!(there.manifest == each.manifest, "the manifest is another one");
    }
    ensure!(repository.images.len() == image.tree().len(), "{:?}", repository.images.keys());
    let mut completed = cloud.completed_layers();
    let count = completed.len();
    completed.sort();
    completed.dedup();
    ensure!(completed.len() == count, "a layer was completed twice");
    let again = cloud.calls_of("DownloadLayer").split_off(reads);
    let again = again.iter().find(|call| before.iter().any(|layer| call.resource.ends_with(layer.as_str())));
    ensure!(again.is_none(), "a complete layer was read again");
    let versions = promoted(cloud);
    ensure!(versions.len() == 1, "{} versions", versions.len());
    let name = versions[0]["InferenceSpecification"]["Containers"][0]["Image"].clone();
    ensure!(name == target_of("serve", &image.digest()), "the version names {name}");
    ensure!(versions[0]["ModelApprovalStatus"] == "Approved", "it is not approved");
    Ok(())
}
