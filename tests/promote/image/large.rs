//! Layers that are larger than memory.

use super::*;
use crate::support::{Body, Failure, Layer, Moment};

#[test]
fn large_layers_are_streamed_within_bounded_memory() {
    let layers: Vec<Layer> = (0..4).map(|seed| Layer::gzip(Body::synthetic((32 << 20) + seed, seed))).collect();
    let image = TestImage::oci(&layers);
    let cloud = with_image(&image);
    cloud.fail(Moment::on("PutImage", 1), Failure::Hang);
    let arrived = Arrival::of(&cloud, Moment::on("PutImage", 1));
    let child = spawn(&cloud, &["--images", "copy"]);
    arrived.wait();
    let most = high_water_mark(child.id());
    cloud.release();
    ended(child).document();
    is_there(&cloud, "serve", &image);
    assert!(most.is_some_and(|most| most < 128), "{most:?} MiB");
}
