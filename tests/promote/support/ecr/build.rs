//! Images for tests.

use super::manifests::{DOCKER_LIST, DOCKER_MANIFEST, DOCKER_SCHEMA_1, OCI_INDEX, OCI_MANIFEST};
use super::{Repository, images};
use crate::support::s3::Body;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A piece of content that is hashed at once.
const PIECE: u64 = 1 << 20;

/// The digest of any content.
pub fn digest_of(content: &Body) -> String {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < content.len() {
        let take = PIECE.min(content.len() - at);
        hash.update(content.range(at, take).bytes());
        at += take;
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A layer.
#[derive(Clone, Debug)]
pub struct Layer {
    pub media_type: &'static str,
    pub digest: String,
    pub content: Body,
    foreign: bool,
}

impl Layer {
    /// A layer of the OCI that is compressed with gzip.
    pub fn gzip(content: impl Into<Body>) -> Layer {
        Layer::of("application/vnd.oci.image.layer.v1.tar+gzip", content.into())
    }

    /// A layer that is compressed with zstd.
    pub fn zstd(content: impl Into<Body>) -> Layer {
        Layer::of("application/vnd.oci.image.layer.v1.tar+zstd", content.into())
    }

    /// A layer of Docker.
    pub fn docker(content: impl Into<Body>) -> Layer {
        Layer::of("application/vnd.docker.image.rootfs.diff.tar.gzip", content.into())
    }

    /// A layer that lies elsewhere, as those of Windows did.
    pub fn foreign(content: impl Into<Body>) -> Layer {
        let kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        Layer { foreign: true, ..Layer::of(kind, content.into()) }
    }

    fn of(media_type: &'static str, content: Body) -> Layer {
        Layer { media_type, digest: digest_of(&content), content, foreign: false }
    }

    fn descriptor(&self) -> Value {
        let mut shown = json!({ "mediaType": self.media_type, "size": self.content.len(), "digest": self.digest });
        if self.foreign {
            shown["urls"] = json!(["https://example.com/layer"]);
        }
        shown
    }
}

/// An image, or an index of images.
#[derive(Clone, Debug)]
pub struct TestImage {
    pub manifest: String,
    pub media_type: &'static str,
    pub layers: Vec<Layer>,
    pub children: Vec<TestImage>,
}

impl TestImage {
    /// An image of the OCI.
    pub fn oci(layers: &[Layer]) -> TestImage {
        TestImage::image(OCI_MANIFEST, "application/vnd.oci.image.config.v1+json", layers, json!({}))
    }

    /// An image of Docker.
    pub fn docker(layers: &[Layer]) -> TestImage {
        TestImage::image(DOCKER_MANIFEST, "application/vnd.docker.container.image.v1+json", layers, json!({}))
    }

    /// An image with one small layer.
    pub fn small(content: &str) -> TestImage {
        TestImage::docker(&[Layer::docker(content)])
    }

    /// An artifact that is about an image: a signature, a list of materials.
    pub fn artifact(subject: &TestImage, artifact_type: &str, content: &str) -> TestImage {
        let more = json!({ "artifactType": artifact_type, "subject": subject.descriptor() });
        let empty = "application/vnd.oci.empty.v1+json";
        TestImage::image(OCI_MANIFEST, empty, &[Layer::gzip(content)], more)
    }

    fn image(media_type: &'static str, config_type: &'static str, layers: &[Layer], more: Value) -> TestImage {
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>() }
        });
        let config = if config_type.contains("empty") { "{}".to_owned() } else { config.to_string() };
        let config = Layer::of(config_type, config.into());
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config.descriptor(),
            "layers": layers.iter().map(Layer::descriptor).collect::<Vec<_>>()
        });
        manifest.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let layers = layers.iter().cloned().chain([config]).filter(|layer| !layer.foreign).collect();
        TestImage { manifest: written(&manifest), media_type, layers, children: Vec::new() }
    }

    /// An index of the OCI.
    pub fn index(children: &[TestImage]) -> TestImage {
        TestImage::listing(OCI_INDEX, children)
    }

    /// A manifest list of Docker.
    pub fn list(children: &[TestImage]) -> TestImage {
        TestImage::listing(DOCKER_LIST, children)
    }

    fn listing(media_type: &'static str, children: &[TestImage]) -> TestImage {
        let platforms = ["amd64", "arm64", "s390x", "ppc64le"].iter().cycle();
        let listed = children.iter().zip(platforms).map(|(child, platform)| {
            let mut listed = child.descriptor();
            listed["platform"] = json!({ "architecture": platform, "os": "linux" });
            listed
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "manifests": listed.collect::<Vec<_>>()
        });
        let children = children.to_vec();
        TestImage { manifest: written(&manifest), media_type, layers: Vec::new(), children }
    }

    /// An image of the first schema, which ECR still gives to those who ask.
    pub fn schema_1() -> TestImage {
        let manifest = json!({ "schemaVersion": 1, "name": "old", "tag": "1", "fsLayers": [], "history": [] });
        TestImage { manifest: written(&manifest), media_type: DOCKER_SCHEMA_1, layers: vec![], children: vec![] }
    }

    /// The image without the member `mediaType` in its manifest, which only Docker's need.
    pub fn without_media_type(mut self) -> TestImage {
        let mut manifest: Value = serde_json::from_str(&self.manifest).expect("a manifest");
        manifest.as_object_mut().expect("an object").remove("mediaType");
        self.manifest = written(&manifest);
        self
    }

    /// The digest.
    pub fn digest(&self) -> String {
        digest_of(&self.manifest.as_str().into())
    }

    /// The image and the images that it refers to.
    pub fn tree(&self) -> Vec<&TestImage> {
        std::iter::once(self).chain(self.children.iter().flat_map(TestImage::tree)).collect()
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "size": self.manifest.len(), "digest": self.digest() })
    }

    /// Puts it into a repository with everything that it refers to.
    pub(crate) fn push(&self, repository: &mut Repository, tag: Option<&str>) {
        for child in &self.children {
            child.push(repository, None);
        }
        let layers = self.layers.iter().map(|layer| (layer.digest.clone(), layer.content.clone()));
        repository.layers.extend(layers);
        images::store(repository, &self.manifest, self.media_type, tag);
    }
}

/// The text of a manifest, indented by three spaces as Docker's are: whoever writes it anew changes the digest.
fn written(manifest: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"   "));
    manifest.serialize(&mut serializer).expect("it is written to memory");
    String::from_utf8(text).expect("JSON is UTF-8")
}
