//! Requests that Amazon ECR refuses after it has checked the caller's permission, so that they change nothing.
//!
//! `Kind::NotFound`, `Kind::NoSuchUpload` and `Kind::Invalid` mean that the caller has the permission. AWS does not
//! document that the permission is checked before the values of a request.

use aws_sdk_ecr::primitives::Blob;

use super::target::TargetImages;
use crate::aws::error::CallError;
use crate::aws::resource::Resource;
use crate::model::image::{Digest, Repository};

/// An upload that does not exist.
const NO_UPLOAD: &str = "00000000-0000-0000-0000-000000000000";

impl TargetImages {
    /// InitiateLayerUpload. The upload gets no part, and Amazon ECR forgets it.
    pub async fn probe_begin(&self, repository: &Repository) -> Result<(), CallError> {
        self.begin(repository).await.map(drop)
    }

    /// UploadLayerPart to an upload that does not exist.
    pub async fn probe_send(&self, repository: &Repository) -> Result<(), CallError> {
        let call = self.client(repository).upload_layer_part().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str()).upload_id(NO_UPLOAD);
        let call = call.part_first_byte(0).part_last_byte(0).layer_part_blob(Blob::new(*b"\n"));
        let resource = Resource::Repository(repository);
        call.send().await.map(drop).map_err(|error| self.0.caller.error("ecr:UploadLayerPart", &resource, error))
    }

    /// CompleteLayerUpload of an upload that does not exist.
    pub async fn probe_complete(&self, repository: &Repository) -> Result<(), CallError> {
        let call = self.client(repository).complete_layer_upload().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str()).upload_id(NO_UPLOAD);
        let answer = call.layer_digests(Digest::of(b"promote doctor").as_str()).send().await;
        let resource = Resource::Repository(repository);
        answer.map(drop).map_err(|error| self.0.caller.error("ecr:CompleteLayerUpload", &resource, error))
    }

    /// PutImage of a manifest whose layer and configuration do not exist.
    pub async fn probe_put(&self, repository: &Repository) -> Result<(), CallError> {
        let absent = Digest::of(b"promote doctor");
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":14,"digest":"{absent}"}},"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":14,"digest":"{absent}"}}]}}"#
        );
        let call = self.client(repository).put_image().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str()).image_manifest(manifest);
        let resource = Resource::Repository(repository);
        call.send().await.map(drop).map_err(|error| self.0.caller.error("ecr:PutImage", &resource, error))
    }
}
