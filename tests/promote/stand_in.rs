//! The stand-in itself: the other tests believe it, so it is checked here, over plain sockets.

pub mod client;
mod images;
mod objects;
mod registry;
mod script;
mod switches;

use crate::support::{Cloud, SOURCE_ACCOUNT, TARGET_ACCOUNT};

/// A bucket of each account, and one object.
fn filled() -> Cloud {
    let cloud = Cloud::start();
    cloud.create_bucket("src", SOURCE_ACCOUNT);
    cloud.create_bucket("dst", TARGET_ACCOUNT);
    cloud.put("src", "a", "content of a");
    cloud
}
