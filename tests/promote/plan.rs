//! Planning: which version is promoted, which references are rewritten, and what is not carried over.

mod archived;
mod environment;
mod images;
pub(crate) mod lossless;
mod missing;
mod packages;
mod provenance;
pub(crate) mod references;
mod refused;
mod versions;

use serde_json::Value;

use crate::support::Cloud;
use crate::world::*;

/// The variables of the container of [`with_environment`].
pub(crate) const ENVIRONMENT: &str = "InferenceSpecification.Containers[0].Environment";

/// A package with one container that has these variables.
pub(crate) fn with_environment(environment: Value) -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    package["InferenceSpecification"]["Containers"][0]["Environment"] = environment;
    cloud.register(package);
    cloud
}

/// A variable of the container as it was registered.
pub(crate) fn arrived(cloud: &Cloud, name: &str) -> Value {
    create_request(cloud)["InferenceSpecification"]["Containers"][0]["Environment"][name].clone()
}
