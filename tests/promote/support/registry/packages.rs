//! Model packages: register, create, describe, update, delete.

use super::rules::{check_create, check_specifications};
use super::{Ask, Place, Registry, context, groups, invalid};
use crate::support::wire::Refusal;
use crate::support::world::World;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::time::{Duration, Instant};

pub struct Package {
    pub arn: String,
    pub group: Option<String>,
    pub version: u64,
    /// Every member as describing it answers.
    shown: Value,
    /// The describes until a created package is ready; nothing when it is or was registered by the test.
    pending: Option<u64>,
    /// Why it will fail.
    failure: Option<String>,
    created: bool,
    /// Of a package that was created by a call.
    age: Option<Age>,
}

/// When a new package is shown to Describe and List.
#[derive(Clone, Copy)]
pub enum Lag {
    /// After so many calls that would have shown it.
    Looks(u64),
    /// After so long.
    Time(Duration),
}

/// How long a created package has been there.
struct Age {
    looks: Cell<u64>,
    since: Instant,
}

impl Package {
    pub fn shown(&self) -> Value {
        self.shown.clone()
    }

    /// Whether any call knows of the package yet.
    fn is_visible(&self, lag: Lag) -> bool {
        self.age.as_ref().is_none_or(|age| match lag {
            Lag::Looks(looks) => age.looks.get() >= looks,
            Lag::Time(time) => age.since.elapsed() >= time,
        })
    }

    /// The same for a call of Describe or List, which counts.
    pub fn is_seen(&self, lag: Lag) -> bool {
        let visible = self.is_visible(lag);
        if let Some(age) = &self.age {
            age.looks.set(age.looks.get() + 1);
        }
        visible
    }

    /// Moves on towards Completed or Failed by one describe.
    fn progress(&mut self) {
        let Some(left) = self.pending else { return };
        self.pending = left.checked_sub(1).filter(|left| *left > 0);
        let status = match (self.pending, &self.failure) {
            (Some(_), _) => "InProgress",
            (None, Some(_)) => "Failed",
            (None, None) => "Completed",
        };
        self.shown["ModelPackageStatus"] = json!(status);
        let mut details = json!({ "Name": self.arn, "Status": status });
        if let (None, Some(reason)) = (self.pending, &self.failure) {
            details["FailureReason"] = json!(reason);
        }
        self.shown["ModelPackageStatusDetails"] = json!({ "ValidationStatuses": [details], "ImageScanStatuses": [] });
    }
}

/// Puts a package into a registry as it is, with what it lacks; makes its group if it names one.
pub fn register(world: &mut World, account: &str, region: &str, package: Value) -> String {
    let creator = format!("arn:aws:iam::{account}:root");
    let package = store(world, account, region, package, &creator);
    let (arn, registry) = (package.arn.clone(), world.registry(account, region));
    registry.packages.push(package);
    arn
}

/// A package with its derived members, not yet in the registry.
fn store(world: &mut World, account: &str, region: &str, given: Value, creator: &str) -> Package {
    let group =
        given["ModelPackageGroupName"].as_str().map(|group| group.rsplit('/').next().unwrap_or(group).to_owned());
    if let Some(group) = &group {
        groups::create(world, account, region, group, json!({}));
    }
    let now = world.now();
    let registry = world.registry(account, region);
    let last = registry.last_versions.entry(group.clone().unwrap_or_default()).or_default();
    let version = given["ModelPackageVersion"].as_u64().unwrap_or(*last + 1);
    *last = version.max(*last);
    let tail = match &group {
        Some(group) => format!("{}/{version}", group.to_lowercase()),
        None => given["ModelPackageName"].as_str().unwrap_or("unnamed").to_lowercase(),
    };
    let arn = format!("arn:aws:sagemaker:{region}:{account}:model-package/{tail}");
    let mut shown = Map::from_iter([
        ("ModelPackageArn".to_owned(), json!(arn)),
        ("CreationTime".to_owned(), json!(now)),
        ("ModelPackageStatus".to_owned(), json!("Completed")),
        ("ModelPackageStatusDetails".to_owned(), json!({ "ValidationStatuses": [], "ImageScanStatuses": [] })),
        ("CreatedBy".to_owned(), context(creator)),
    ]);
    if let Some(group) = &group {
        shown.insert("ModelPackageVersion".to_owned(), json!(version));
        shown.insert("ModelApprovalStatus".to_owned(), json!("PendingManualApproval"));
        shown.extend(given.as_object().cloned().unwrap_or_default());
        shown.insert("ModelPackageGroupName".to_owned(), json!(group));
    } else {
        shown.extend(given.as_object().cloned().unwrap_or_default());
    }
    let shown = Value::Object(shown);
    Package { arn, group, version, shown, pending: None, failure: None, created: false, age: None }
}

/// Merges members into a package; `null` removes one.
pub fn change(world: &mut World, arn: &str, members: Value) {
    let now = world.now();
    let package = world.registries.values_mut().find_map(|registry| registry.package_mut(arn));
    let package = package.unwrap_or_else(|| panic!("no package {arn}"));
    package.shown["LastModifiedTime"] = json!(now);
    merge(&mut package.shown, &members);
}

/// Ends the wait for a package.
pub fn complete(world: &mut World, arn: &str) {
    let package = world.registries.values_mut().find_map(|registry| registry.package_mut(arn));
    let package = package.unwrap_or_else(|| panic!("no package {arn}"));
    package.pending = Some(1);
    package.progress();
}

fn merge(shown: &mut Value, members: &Value) {
    let (Some(shown), Some(members)) = (shown.as_object_mut(), members.as_object()) else { return };
    for (name, value) in members {
        match value {
            Value::Null => drop(shown.shift_remove(name)),
            value => drop(shown.insert(name.clone(), value.clone())),
        }
    }
}

/// CreateModelPackage.
pub fn create(mut ask: Ask) -> Result<Value, Refusal> {
    let group = ask.place(ask.request["ModelPackageGroupName"].as_str().unwrap_or(""))?;
    let resource = Place { account: group.account.clone(), name: format!("{}/*", group.name) };
    ask.allow("model-package", &resource)?;
    check_create(ask.world, &ask.request)?;
    let versioned = ask.request.get("ModelPackageGroupName").is_some();
    let known = ask.looked_up(&group.account).is_some_and(|registry| registry.groups.contains_key(&group.name));
    if versioned && !known {
        return Err(groups::absent(&ask, &group));
    }
    let mut given = ask.request.clone();
    let token = given.as_object_mut().and_then(|given| given.shift_remove("ClientToken"));
    let token = token.and_then(|token| token.as_str().map(str::to_owned)).filter(|_| ask.world.options.tokens);
    if let Some((earlier, arn)) = token.as_ref().and_then(|token| ask.registry(&group.account).tokens.get(token)) {
        return match *earlier == given {
            true => Ok(json!({ "ModelPackageArn": arn })),
            false => Err(Refusal::new(
                400,
                "ConflictException",
                "The request uses the same client token as a previous, but non-identical request.",
            )),
        };
    }
    let arn = add(&mut ask, &group.account, given.clone())?;
    if let Some(token) = token {
        ask.registry(&group.account).tokens.insert(token, (given, arn.clone()));
    }
    Ok(json!({ "ModelPackageArn": arn }))
}

fn add(ask: &mut Ask, account: &str, mut given: Value) -> Result<String, Refusal> {
    normalise(ask.world, &mut given);
    let failure = ask.world.options.next_failure.take();
    let describes = ask.world.options.describes;
    let mut package = store(ask.world, account, &ask.region, given, &ask.who.arn);
    if ask.looked_up(account).is_some_and(|registry| registry.package(&package.arn).is_some()) {
        return Err(invalid(&format!("Model Package already exists: {}", package.arn)));
    }
    package.created = true;
    package.failure = failure;
    package.age = Some(Age { looks: Cell::new(0), since: Instant::now() });
    package.pending = Some(describes.max(1));
    package.shown["ModelPackageStatus"] = json!("Pending");
    if describes == 0 {
        package.progress();
    }
    let arn = package.arn.clone();
    ask.registry(account).packages.push(package);
    Ok(arn)
}

/// Fills in what the service finds out itself: image digests and the ETags of model data.
fn normalise(world: &World, given: &mut Value) {
    let mut specifications: Vec<&mut Value> = Vec::new();
    if let Some(members) = given.as_object_mut() {
        for (name, value) in members {
            match name.as_str() {
                "InferenceSpecification" => specifications.push(value),
                "AdditionalInferenceSpecifications" => {
                    specifications.extend(value.as_array_mut().into_iter().flatten())
                }
                _ => {}
            }
        }
    }
    for container in specifications.into_iter().filter_map(|one| one["Containers"].as_array_mut()).flatten() {
        if let (Some(image), None) = (container["Image"].as_str(), container.get("ImageDigest")) {
            let digest: String = Sha256::digest(image).iter().map(|byte| format!("{byte:02x}")).collect();
            container["ImageDigest"] = json!(format!("sha256:{digest}"));
        }
        if let (Some(uri), None) = (container["ModelDataUrl"].as_str(), container.get("ModelDataETag")) {
            let place = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let object = place.and_then(|(bucket, key)| world.buckets.get(bucket)?.objects.get(key));
            if let Some(object) = object {
                container["ModelDataETag"] = json!(object.etag);
            }
        }
    }
}

/// DescribeModelPackage; what is under way moves on.
pub fn describe(mut ask: Ask) -> Result<Value, Refusal> {
    let metadata_only = ask.text("IncludedData") == "MetadataOnly";
    let reference = ask.text("ModelPackageName").to_owned();
    let (account, arn) = find(&ask, &reference)?;
    let package = package_of(ask.registry(&account), &arn)?;
    package.progress();
    let (mut shown, created) = (package.shown(), package.created);
    if metadata_only && shown.get("ModelCard").is_some() {
        shown["ModelCard"]["ModelCardContent"] = json!("{}");
    }
    if let Some(tamper) = ask.world.options.tamper.as_mut().filter(|_| created) {
        tamper(&mut shown);
    }
    Ok(shown)
}

/// UpdateModelPackage.
pub fn update(mut ask: Ask) -> Result<Value, Refusal> {
    let reference = ask.text("ModelPackageArn").to_owned();
    let (account, arn) = find(&ask, &reference)?;
    check_specifications(&ask.request)?;
    let (now, who, mut request) = (ask.world.now(), ask.who.arn.clone(), ask.request.clone());
    let package = package_of(ask.registry(&account), &arn)?;
    let status = package.shown["ModelPackageStatus"].clone();
    if request["ModelApprovalStatus"] == "Approved" && status != "Completed" {
        return Err(invalid(&format!("Model package {arn} cannot be Approved while its status is {status}.")));
    }
    let members = request.as_object_mut().expect("its shape was checked");
    members.retain(|name, _| !["ModelPackageArn", "ClientToken"].contains(&name.as_str()));
    resolve(members, &mut package.shown)?;
    merge(&mut package.shown, &request);
    merge(&mut package.shown, &json!({ "LastModifiedTime": now, "LastModifiedBy": context(&who) }));
    Ok(json!({ "ModelPackageArn": arn }))
}

/// Turns what adds to or removes from a member into the whole member.
fn resolve(members: &mut Map<String, Value>, shown: &mut Value) -> Result<(), Refusal> {
    if let Some(keys) = members.shift_remove("CustomerMetadataPropertiesToRemove") {
        let keys: Map<String, Value> = keys
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|key| (key.to_owned(), Value::Null))
            .collect();
        merge(&mut shown["CustomerMetadataProperties"], &Value::Object(keys));
    }
    if let Some(more) = members.get_mut("CustomerMetadataProperties") {
        let mut all = shown["CustomerMetadataProperties"].clone();
        if all.is_null() {
            all = json!({});
        }
        merge(&mut all, more);
        if all.as_object().is_some_and(|all| all.len() > 50) {
            return Err(invalid("CustomerMetadataProperties must have at most 50 entries"));
        }
        *more = all;
    }
    if let Some(Value::Array(more)) = members.shift_remove("AdditionalInferenceSpecificationsToAdd") {
        let mut all = shown["AdditionalInferenceSpecifications"].as_array().cloned().unwrap_or_default();
        all.extend(more);
        members.insert("AdditionalInferenceSpecifications".to_owned(), Value::Array(all));
    }
    Ok(())
}

/// DeleteModelPackage.
pub fn delete(mut ask: Ask) -> Result<Value, Refusal> {
    let reference = ask.text("ModelPackageName").to_owned();
    let (account, arn) = find(&ask, &reference)?;
    ask.registry(&account).packages.retain(|package| package.arn != arn);
    Ok(json!({}))
}

/// The account and the exact ARN of the package that a request means, if the caller may.
fn find(ask: &Ask, reference: &str) -> Result<(String, String), Refusal> {
    let place = ask.place(reference)?;
    ask.allow("model-package", &place)?;
    let arn = format!("arn:aws:sagemaker:{}:{}:model-package/{}", ask.region, place.account, place.name);
    let package = ask.looked_up(&place.account).and_then(|registry| registry.package(&arn));
    let (lag, counts) = (ask.world.options.lag, ask.operation == "DescribeModelPackage");
    match package.filter(|package| if counts { package.is_seen(lag) } else { package.is_visible(lag) }) {
        Some(package) => Ok((place.account, package.arn.clone())),
        None => Err(invalid(&format!("ModelPackage {arn} does not exist."))),
    }
}

fn package_of<'a>(registry: &'a mut Registry, arn: &str) -> Result<&'a mut Package, Refusal> {
    registry.package_mut(arn).ok_or_else(|| invalid(&format!("ModelPackage {arn} does not exist.")))
}
