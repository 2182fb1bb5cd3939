//! What an image consists of: manifests and layers.

use std::collections::BTreeMap;
use std::sync::Arc;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};

use crate::aws::images::StoredImage;
use crate::model::image::Digest;

/// The manifests and layers of an image.
#[derive(Debug, Default)]
pub struct Content {
    /// The manifests, children before the index that names them. The last one is the image.
    pub manifests: Vec<StoredImage>,
    /// The layers and configurations, each once.
    pub layers: Vec<Layer>,
}

/// A layer or a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layer {
    /// The digest.
    pub digest: Digest,
    /// The size in bytes.
    pub bytes: u64,
}

/// What refers to an image.
#[derive(Debug, Clone, Default)]
pub struct Referrers {
    /// Each manifest with its layers.
    pub contents: Vec<Arc<Content>>,
    /// Why the registry does not list them, if it does not.
    pub unlisted: Option<Arc<str>>,
}

impl Content {
    /// The size of manifests and layers in bytes.
    pub fn bytes(&self) -> u64 {
        let manifests: u64 = self.manifests.iter().map(|manifest| manifest.manifest.len() as u64).sum();
        manifests + self.layers.iter().map(|layer| layer.bytes).sum::<u64>()
    }

    /// The digest of the image.
    ///
    /// # Panics
    /// There is no manifest.
    pub fn digest(&self) -> &Digest {
        &self.manifests.last().expect("the image itself is its last manifest").digest
    }

    /// Sorts the layers of manifests, each once.
    pub(super) fn new(manifests: Vec<StoredImage>, layers: Vec<Layer>) -> Self {
        let layers: BTreeMap<Digest, u64> = layers.into_iter().map(|layer| (layer.digest, layer.bytes)).collect();
        let layers = layers.into_iter().map(|(digest, bytes)| Layer { digest, bytes }).collect();
        Self { manifests, layers }
    }
}

/// What a manifest names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The layers and the configuration of an image.
    Layers(Vec<Layer>),
    /// The images of an index, and the sizes of their manifests in bytes.
    Children(Vec<(Digest, u64)>),
}

/// Reads a manifest.
///
/// # Errors
/// The manifest cannot be copied. The message continues "the manifest ".
pub(super) fn named(image: &StoredImage) -> Result<Named, String> {
    let unreadable = |error: serde_json::Error| format!("cannot be read: {error}");
    match image.media_type.as_str() {
        "application/vnd.docker.distribution.manifest.v2+json" | "application/vnd.oci.image.manifest.v1+json" => {
            let manifest: ImageManifest = serde_json::from_str(&image.manifest).map_err(unreadable)?;
            let all = std::iter::once(manifest.config()).chain(manifest.layers());
            all.map(layer).collect::<Result<_, _>>().map(Named::Layers)
        }
        "application/vnd.docker.distribution.manifest.list.v2+json" | "application/vnd.oci.image.index.v1+json" => {
            let index: ImageIndex = serde_json::from_str(&image.manifest).map_err(unreadable)?;
            let child = |child: &Descriptor| -> Result<_, String> { Ok((digest(child)?, child.size())) };
            index.manifests().iter().map(child).collect::<Result<_, _>>().map(Named::Children)
        }
        other => Err(format!("has the media type '{other}', which promote does not copy")),
    }
}

fn layer(descriptor: &Descriptor) -> Result<Layer, String> {
    let media_type = descriptor.media_type().to_string();
    let foreign = media_type.contains(".foreign.") || media_type.contains(".nondistributable.");
    if foreign || descriptor.urls().as_ref().is_some_and(|urls| !urls.is_empty()) {
        return Err(format!(
            "has the layer {}, whose content is not in the registry ({media_type}); such foreign layers are not copied",
            descriptor.digest()
        ));
    }
    Ok(Layer { digest: digest(descriptor)?, bytes: descriptor.size() })
}

fn digest(descriptor: &Descriptor) -> Result<Digest, String> {
    descriptor.digest().to_string().parse().map_err(|error| format!("names a layer or an image wrongly: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn image(media_type: &str, manifest: String) -> StoredImage {
        StoredImage { digest: Digest::of(manifest.as_bytes()), tag: None, manifest, media_type: media_type.into() }
    }

    fn single(layer: &str) -> StoredImage {
        let config = format!(
            r#"{{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:{HEX}"}}"#
        );
        image(
            "application/vnd.docker.distribution.manifest.v2+json",
            format!(
                r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{config},"layers":[{layer}]}}"#
            ),
        )
    }

    #[test]
    fn the_layers_of_an_image_are_its_configuration_and_its_layers_whatever_their_media_type() {
        for media_type in [
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.example.unknown",
        ] {
            let digest = format!("sha256:{}", HEX.replace('0', "f"));
            let one = single(&format!(r#"{{"mediaType":"{media_type}","size":7,"digest":"{digest}"}}"#));
            let is_expected = |layers: &[Layer]| layers.iter().map(|layer| layer.bytes).eq([2, 7]);
            assert!(matches!(named(&one), Ok(Named::Layers(layers)) if is_expected(&layers)), "{media_type}");
        }
    }

    #[test]
    fn foreign_layers_are_refused_by_name() {
        for (media_type, urls) in [
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", ""),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar", ""),
            ("application/vnd.oci.image.layer.v1.tar", r#","urls":["https://example.com/x"]"#),
        ] {
            let one = single(&format!(r#"{{"mediaType":"{media_type}","size":7,"digest":"sha256:{HEX}"{urls}}}"#));
            let message = named(&one).unwrap_err();
            assert!(message.contains(HEX) && message.contains("foreign"), "{message}");
        }
    }

    #[test]
    fn the_images_of_an_index_are_named_also_those_of_attestations() {
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
                {{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":"sha256:{HEX}","platform":{{"architecture":"arm64","os":"linux","variant":"v8"}}}},
                {{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":"sha256:{HEX}","platform":{{"architecture":"unknown","os":"unknown"}}}}]}}"#
        );
        let named = named(&image("application/vnd.oci.image.index.v1+json", index));
        assert!(matches!(named, Ok(Named::Children(children)) if children.len() == 2));
    }

    #[test]
    fn manifests_of_the_first_schema_are_refused_by_name() {
        let old = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        let message = named(&image(old, "{}".into())).unwrap_err();
        assert!(message.contains(old), "{message}");
    }
}
