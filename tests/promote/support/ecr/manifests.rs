//! What a manifest refers to.

use serde_json::Value;

pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const DOCKER_SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// The digests of the config and of the layers that a registry has to hold: not those that lie elsewhere.
pub fn blobs(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().into_iter().flatten().filter(|layer| layer.get("urls").is_none());
    let all = manifest.get("config").into_iter().chain(layers);
    all.filter_map(|blob| blob["digest"].as_str().map(str::to_owned)).collect()
}

/// The digests of the images of an index.
pub fn children(manifest: &Value) -> Vec<String> {
    let listed = manifest["manifests"].as_array().into_iter().flatten();
    listed.filter_map(|child| child["digest"].as_str().map(str::to_owned)).collect()
}

/// The digest of the image that an artifact is about.
pub fn subject(manifest: &Value) -> Option<&str> {
    manifest["subject"]["digest"].as_str()
}

/// The type of an artifact.
pub fn artifact_type(manifest: &Value) -> &str {
    let config = manifest["config"]["mediaType"].as_str().unwrap_or_default();
    manifest["artifactType"].as_str().unwrap_or(config)
}
