//! Amazon ECR, awsJson1.1: a registry for each account and region, and the presigned URLs of its layers.

mod build;
mod downloads;
mod images;
mod layers;
mod manifests;
mod repositories;

pub use build::{Layer, TestImage, digest_of};
pub use downloads::{PATH, answer as answer_download, name as name_of_download};

use super::Rate;
use super::principals::{Identity, SOURCE_ACCOUNT, credential};
use super::s3::Body;
use super::wire::{Answer, Refusal, Request};
use super::world::World;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the registries of all accounts hold.
#[derive(Default)]
pub struct Registries {
    /// By account and region, then by name.
    pub repositories: BTreeMap<(String, String), BTreeMap<String, Repository>>,
    /// The URLs that were handed out, by their tokens.
    downloads: BTreeMap<String, downloads::Download>,
    pub behaviour: Behaviour,
}

impl Registries {
    /// The digest of the image with this URI.
    pub fn digest_of(&self, uri: &str) -> Option<String> {
        let (host, path) = uri.split_once('/')?;
        let mut parts = host.split('.');
        let (account, region) = (parts.next()?.to_owned(), parts.nth(2)?.to_owned());
        if let Some((_, digest)) = path.split_once('@') {
            return Some(digest.to_owned());
        }
        let (name, tag) = path.split_once(':').unwrap_or((path, "latest"));
        let repository = self.repositories.get(&(account, region))?.get(name)?;
        repository.images.iter().find(|(_, image)| image.tags.contains(tag)).map(|(digest, _)| digest.clone())
    }
}

/// How ECR behaves where a test may choose.
pub struct Behaviour {
    /// The size that InitiateLayerUpload announces.
    pub part_size: u64,
    /// The smallest part but the last.
    pub smallest_part: u64,
    /// How many requests a download URL answers before it expires.
    pub download_requests: Option<usize>,
    /// How many bytes a download URL gives before it expires; the request that gets there is answered in full.
    pub download_bytes: Option<u64>,
    /// How many calls of an operation are answered in a second.
    pub rate: Option<Rate>,
    /// How many referrers a page has.
    pub referrers: usize,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        let (download_requests, download_bytes, rate) = (None, None, None);
        Behaviour {
            part_size: 10 << 20,
            smallest_part: 5 << 20,
            download_requests,
            download_bytes,
            rate,
            referrers: 50,
        }
    }
}

/// A repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// `MUTABLE`, `IMMUTABLE`, …
    pub mutability: String,
    /// Tags with these patterns are an exception to the mutability.
    pub exclusions: Vec<String>,
    pub scan_on_push: bool,
    pub encryption: Value,
    /// Whether the policy lets every account pull, as those of AWS's own images do.
    pub shared: bool,
    /// What GetRepositoryPolicy answers. The rights of callers do not depend on it.
    pub policy: Option<Value>,
    /// By digest.
    pub images: BTreeMap<String, Image>,
    /// By digest: the content of complete layers.
    pub layers: BTreeMap<String, Body>,
    /// By id: the parts of what is not complete.
    pub uploads: BTreeMap<String, Upload>,
}

/// A manifest, as it was pushed.
#[derive(Clone, Debug)]
pub struct Image {
    pub manifest: String,
    pub media_type: String,
    pub tags: BTreeSet<String>,
    /// An archived image cannot be pulled.
    pub archived: bool,
}

/// A layer that is not complete.
#[derive(Clone, Debug, Default)]
pub struct Upload {
    pub received: Body,
    pub parts: Vec<u64>,
}

/// One request with everything that answering it needs.
struct Ask<'a> {
    world: &'a mut World,
    who: &'a Identity,
    operation: &'a str,
    region: String,
    request: Value,
    /// Where the stand-in is.
    endpoint: String,
}

const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.";

/// Whether a value of `x-amz-target` is ECR's.
pub fn is_target(target: &str) -> bool {
    target.starts_with(TARGET)
}

/// The operation, and the repository with the tag, the digest or the range that it is about.
pub fn name(request: &Request) -> (String, String) {
    let target = request.header("x-amz-target").unwrap_or("");
    let operation = target.strip_prefix(TARGET).unwrap_or(target);
    let body = asked(request);
    let repository = body["repositoryName"].as_str().or(body["repositoryNames"][0].as_str()).unwrap_or("");
    let digests =
        ["/layerDigest", "/layerDigests/0", "/imageIds/0/imageDigest", "/imageDigest", "/subjectId/imageDigest"];
    let tags = ["/imageIds/0/imageTag", "/imageTag"];
    let text = |path: &&str| body.pointer(path).and_then(Value::as_str);
    let about = match (digests.iter().find_map(text), tags.iter().find_map(text)) {
        (Some(digest), _) => format!("{repository}@{digest}"),
        (None, Some(tag)) => format!("{repository}:{tag}"),
        (None, None) if operation == "UploadLayerPart" => {
            format!("{repository}[{}-{}]", body["partFirstByte"], body["partLastByte"])
        }
        (None, None) => repository.to_owned(),
    };
    (operation.to_owned(), about)
}

/// The request as it is recorded: the number of bytes of a part instead of the part.
pub fn asked(request: &Request) -> Value {
    let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if let Some(part) = body.get_mut("layerPartBlob") {
        *part = json!(part.as_str().map_or(0, decoded_len));
    }
    body
}

/// How many bytes a text in base64 stands for.
fn decoded_len(text: &str) -> usize {
    text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()
}

pub fn answer(world: &mut World, who: &Identity, request: &Request, endpoint: String) -> Result<Answer, Refusal> {
    let (operation, _) = name(request);
    if let Some(rate) = &mut world.ecr.behaviour.rate {
        rate.allow(&operation)?;
    }
    let region = credential(request).and_then(|scope| scope.split('/').nth(2)).unwrap_or("").to_owned();
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::new(400, "SerializationException", error.to_string()))?;
    let ask = Ask { world, who, operation: &operation, region, request: body, endpoint };
    let value = match operation.as_str() {
        "BatchGetImage" => images::batch_get(ask),
        "PutImage" => images::put(ask),
        "DescribeImages" => images::describe(ask),
        "ListImageReferrers" => images::list_referrers(ask),
        "BatchCheckLayerAvailability" => layers::check(ask),
        "GetDownloadUrlForLayer" => layers::download_url(ask),
        "InitiateLayerUpload" => layers::initiate(ask),
        "UploadLayerPart" => layers::upload(ask),
        "CompleteLayerUpload" => layers::complete(ask),
        "CreateRepository" => repositories::create(ask),
        "DescribeRepositories" => repositories::describe(ask),
        "GetRepositoryPolicy" => repositories::policy(ask),
        _ => {
            let message = format!("{operation} is not implemented by this stand-in");
            Err(Refusal::new(400, "UnknownOperationException", message))
        }
    }?;
    Ok(Answer::json(&value))
}

impl Ask<'_> {
    /// A member that has to be there and not to be empty.
    fn required(&self, member: &str) -> Result<&str, Refusal> {
        let text = self.request[member].as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            invalid(&format!("Invalid parameter at '{member}' failed to satisfy constraint: 'Member must not be null'"))
        })
    }

    /// The account of the registry.
    fn account(&self) -> String {
        self.request["registryId"].as_str().unwrap_or(&self.who.account).to_owned()
    }

    /// A list of 1 to `most` members.
    fn list(&self, member: &str, most: usize) -> Result<Vec<Value>, Refusal> {
        let listed = self.request[member].as_array().cloned().unwrap_or_default();
        if listed.is_empty() || listed.len() > most {
            return Err(invalid(&format!(
                "Invalid parameter at '{member}' failed to satisfy constraint: 'Member must have length between 1 and {most}'"
            )));
        }
        Ok(listed)
    }

    /// Refuses unless the caller may do this operation to the repository, which pulls of a shared one always are.
    fn allow(&self, repository: &str) -> Result<(), Refusal> {
        self.allow_as(self.operation, repository)
    }

    fn allow_as(&self, operation: &str, repository: &str) -> Result<(), Refusal> {
        let (action, owner) = (format!("ecr:{operation}"), self.account());
        let arn = format!("arn:aws:ecr:{}:{owner}:repository/{repository}", self.region);
        let pulls = ["BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability"].contains(&operation);
        let shared = pulls && self.looked_up(repository).is_some_and(|found| found.shared);
        if self.is_of_this_partition(&owner) && (self.world.may(self.who, &action, &arn, &owner) || shared) {
            return Ok(());
        }
        let kind = if owner == self.who.account { "identity" } else { "resource" };
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {arn} because no {kind}-based policy allows \
             the {action} action",
            self.who.arn
        );
        Err(Refusal::new(400, "AccessDeniedException", message))
    }

    /// No policy grants anything across partitions.
    fn is_of_this_partition(&self, owner: &str) -> bool {
        self.world.options.source_partition.is_none()
            || (owner == SOURCE_ACCOUNT) == (self.who.account == SOURCE_ACCOUNT)
    }

    fn looked_up(&self, repository: &str) -> Option<&Repository> {
        self.world.ecr.repositories.get(&(self.account(), self.region.clone()))?.get(repository)
    }

    /// The repository of the request, if the caller may do this to it and it exists.
    fn repository(&mut self) -> Result<&mut Repository, Refusal> {
        let name = self.required("repositoryName")?.to_owned();
        self.allow(&name)?;
        let place = (self.account(), self.region.clone());
        let found = self.world.ecr.repositories.get_mut(&place).and_then(|registry| registry.get_mut(&name));
        found.ok_or_else(|| no_repository(&name, &place.0))
    }

    fn name(&self) -> &str {
        self.request["repositoryName"].as_str().unwrap_or("")
    }
}

fn no_repository(name: &str, account: &str) -> Refusal {
    let message = format!("The repository with name '{name}' does not exist in the registry with id '{account}'");
    Refusal::new(400, "RepositoryNotFoundException", message)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}
