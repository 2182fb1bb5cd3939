//! Repositories of container images.

use super::Cloud;
use crate::support::calls::Traffic;
use crate::support::ecr::{Behaviour, Image, Repository, TestImage};
use crate::support::principals::REGION;
use serde_json::json;

impl Cloud {
    /// Makes a repository of an account in the usual region.
    pub fn create_repository(&self, account: &str, name: &str) {
        self.change_repository(account, name, |_| {});
    }

    /// Changes the settings of a repository, which is made if it is missing.
    pub fn change_repository(&self, account: &str, name: &str, change: impl FnOnce(&mut Repository)) {
        self.change_repository_in(account, REGION, name, change);
    }

    /// The same in a region.
    pub fn change_repository_in(&self, account: &str, region: &str, name: &str, change: impl FnOnce(&mut Repository)) {
        let mut world = self.world();
        let registry = world.ecr.repositories.entry((account.to_owned(), region.to_owned())).or_default();
        change(registry.entry(name.to_owned()).or_insert_with(|| Repository {
            mutability: "MUTABLE".to_owned(),
            encryption: json!({ "encryptionType": "AES256" }),
            ..Repository::default()
        }));
    }

    /// Pushes an image, and moves the tag to it; gives the digest.
    pub fn push(&self, account: &str, repository: &str, tag: &str, image: &TestImage) -> String {
        self.push_in(account, REGION, repository, tag, image)
    }

    /// The same in a region.
    pub fn push_in(&self, account: &str, region: &str, repository: &str, tag: &str, image: &TestImage) -> String {
        let tag = Some(tag).filter(|tag| !tag.is_empty());
        self.change_repository_in(account, region, repository, |found| image.push(found, tag));
        image.digest()
    }

    /// Pushes an image that AWS provides: every account may pull it.
    pub fn provide(&self, account: &str, region: &str, repository: &str, tag: &str, image: &TestImage) {
        self.push_in(account, region, repository, tag, image);
        self.change_repository_in(account, region, repository, |found| found.shared = true);
    }

    /// The repository as it is now.
    pub fn repository(&self, account: &str, name: &str) -> Option<Repository> {
        self.repository_in(account, REGION, name)
    }

    /// The same in a region.
    pub fn repository_in(&self, account: &str, region: &str, name: &str) -> Option<Repository> {
        let world = self.world();
        world.ecr.repositories.get(&(account.to_owned(), region.to_owned()))?.get(name).cloned()
    }

    /// An image as it is now.
    pub fn image(&self, account: &str, repository: &str, digest: &str) -> Option<Image> {
        self.repository(account, repository)?.images.remove(digest)
    }

    /// Deletes an image with its tags; its layers stay for a while.
    pub fn remove_image(&self, account: &str, repository: &str, digest: &str) {
        self.change_repository(account, repository, |found| {
            found.images.remove(digest).expect("the image exists");
        });
    }

    /// Changes how ECR behaves.
    pub fn change_ecr(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.world().ecr.behaviour);
    }

    /// Sets the part size that ECR announces for layers. Parts of less than half of it are refused, except the last one.
    pub fn part_size_of_layers(&self, bytes: u64) {
        self.change_ecr(|ecr| (ecr.part_size, ecr.smallest_part) = (bytes, bytes / 2));
    }

    /// Uploads that are not complete are forgotten, as after a day.
    pub fn forget_layer_uploads(&self) {
        let mut world = self.world();
        let repositories = world.ecr.repositories.values_mut().flat_map(|registry| registry.values_mut());
        repositories.for_each(|repository| repository.uploads.clear());
    }

    /// Content of layers that passed through the client.
    pub fn layer_traffic(&self) -> Traffic {
        let mut sum = Traffic::default();
        for call in &self.world().calls {
            match call.operation.as_str() {
                "DownloadLayer" if call.status < 300 => sum.read += call.bytes_out,
                "UploadLayerPart" => sum.written += call.request["layerPartBlob"].as_u64().unwrap_or(0),
                _ => {}
            }
        }
        sum
    }

    /// The digests of the layers whose uploads were completed, in order.
    pub fn completed_layers(&self) -> Vec<String> {
        let completed = self.calls_of("CompleteLayerUpload").into_iter().filter(|call| call.status == 200);
        completed.filter_map(|call| call.request["layerDigests"][0].as_str().map(str::to_owned)).collect()
    }
}
