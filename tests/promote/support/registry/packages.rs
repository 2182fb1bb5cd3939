//! Model packages: register, create, describe, update, delete.

use super::added::{add_defaults, add_empty_members, find_out};
use super::package::{Age, Package, merge};
use super::rules::{check_create, check_specifications};
use super::{Ask, Place, Registry, context, groups, invalid};
use crate::support::wire::Refusal;
use crate::support::world::World;
use serde_json::{Map, Value, json};

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
    let now = world.registry_now();
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
    Package::new(arn, group, version, shown)
}

/// Merges members into a package; `null` removes one.
pub fn change(world: &mut World, arn: &str, members: Value) {
    let now = world.registry_now();
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
    let token = token.and_then(|token| token.as_str().map(str::to_owned)).filter(|_| ask.world.options.registry.tokens);
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
    let arn = add(&mut ask, &group, given.clone())?;
    if let Some(token) = token {
        ask.registry(&group.account).tokens.insert(token, (given, arn.clone()));
    }
    Ok(json!({ "ModelPackageArn": arn }))
}

fn add(ask: &mut Ask, group: &Place, mut given: Value) -> Result<String, Refusal> {
    find_out(ask.world, &mut given);
    if given.get("ModelPackageGroupName").is_some() {
        given["ModelPackageGroupName"] = json!(group.name);
    }
    let account = &group.account;
    let failure = ask.world.options.registry.next_failure.take();
    let describes = ask.world.options.registry.describes;
    let mut package = store(ask.world, account, &ask.region, given, &ask.who.arn);
    if ask.looked_up(account).is_some_and(|registry| registry.package(&package.arn).is_some()) {
        return Err(invalid(&format!("Model Package already exists: {}", package.arn)));
    }
    package.created = true;
    package.failure = failure;
    package.age = Some(Age::new());
    package.pending = Some(describes.max(1));
    package.shown["ModelPackageStatus"] = json!("Pending");
    if describes == 0 {
        package.progress();
    }
    let arn = package.arn.clone();
    ask.registry(account).packages.push(package);
    Ok(arn)
}

/// DescribeModelPackage; what is under way moves on.
pub fn describe(mut ask: Ask) -> Result<Value, Refusal> {
    let metadata_only = ask.text("IncludedData") == "MetadataOnly";
    let place = allowed(&ask, ask.text("ModelPackageName"))?;
    let (arn, lags) = (arn_of(&ask, &place), ask.world.options.registry.described);
    let package = ask.registry(&place.account).packages.iter_mut().find(|package| package.is(&arn));
    let package = package.ok_or_else(|| absent(&arn))?;
    if package.is_shown(lags) {
        package.progress();
    }
    let (shown, created) = (package.seen(lags).cloned(), package.created);
    let mut shown = shown.ok_or_else(|| absent(&arn))?;
    if ask.world.options.registry.defaults {
        add_defaults(ask.world, &mut shown, created);
    }
    if ask.world.options.registry.empty_members {
        add_empty_members(&mut shown);
    }
    if metadata_only && shown.get("ModelCard").is_some() {
        shown["ModelCard"]["ModelCardContent"] = json!("{}");
    }
    if let Some(tamper) = ask.world.options.registry.tamper.as_mut().filter(|_| created) {
        tamper(&mut shown);
    }
    Ok(shown)
}

/// UpdateModelPackage.
pub fn update(mut ask: Ask) -> Result<Value, Refusal> {
    let reference = ask.text("ModelPackageArn").to_owned();
    let (account, arn) = find(&ask, &reference)?;
    check_specifications(&ask.request)?;
    let (now, who, mut request) = (ask.world.registry_now(), ask.who.arn.clone(), ask.request.clone());
    let package = package_of(ask.registry(&account), &arn)?;
    let status = package.shown["ModelPackageStatus"].clone();
    if request["ModelApprovalStatus"] == "Approved" && status != "Completed" {
        return Err(invalid(&format!("Model package {arn} cannot be Approved while its status is {status}.")));
    }
    let members = request.as_object_mut().expect("its shape was checked");
    members.retain(|name, _| !["ModelPackageArn", "ClientToken"].contains(&name.as_str()));
    resolve(members, &package.shown)?;
    request["LastModifiedTime"] = json!(now);
    request["LastModifiedBy"] = context(&who);
    package.update(&request);
    Ok(json!({ "ModelPackageArn": arn }))
}

/// Turns what adds to or removes from a member into the whole member.
fn resolve(members: &mut Map<String, Value>, shown: &Value) -> Result<(), Refusal> {
    let removed = members.shift_remove("CustomerMetadataPropertiesToRemove");
    let added = members.shift_remove("CustomerMetadataProperties");
    if removed.is_some() || added.is_some() {
        let mut all = shown["CustomerMetadataProperties"].as_object().cloned().unwrap_or_default();
        for key in removed.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
            all.shift_remove(key);
        }
        all.extend(added.as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
        if all.len() > 50 {
            return Err(invalid("CustomerMetadataProperties must have at most 50 entries"));
        }
        members.insert("CustomerMetadataProperties".to_owned(), Value::Object(all));
    }
    if let Some(Value::Array(more)) = members.shift_remove("AdditionalInferenceSpecificationsToAdd") {
        let mut all = shown["AdditionalInferenceSpecifications"].as_array().cloned().unwrap_or_default();
        // SageMaker API Reference, AdditionalInferenceSpecificationDefinition: the name is unique in the list.
        if let Some(name) = more.iter().map(|one| &one["Name"]).find(|name| all.iter().any(|one| one["Name"] == **name))
        {
            return Err(invalid(&format!("AdditionalInferenceSpecification {name} already exists")));
        }
        all.extend(more);
        members.insert("AdditionalInferenceSpecifications".to_owned(), Value::Array(all));
    }
    Ok(())
}

/// DeleteModelPackage.
pub fn delete(mut ask: Ask) -> Result<Value, Refusal> {
    let reference = ask.text("ModelPackageName").to_owned();
    let (account, arn) = find(&ask, &reference)?;
    package_of(ask.registry(&account), &arn)?.delete();
    Ok(json!({}))
}

/// The account and the exact ARN of the package that a request changes, if the caller may.
fn find(ask: &Ask, reference: &str) -> Result<(String, String), Refusal> {
    let place = allowed(ask, reference)?;
    let (arn, lags) = (arn_of(ask, &place), ask.world.options.registry.described);
    let package = ask.looked_up(&place.account).and_then(|registry| registry.package(&arn));
    match package.filter(|package| package.is_visible(lags)) {
        Some(package) => Ok((place.account, package.arn.clone())),
        None => Err(absent(&arn)),
    }
}

/// What a request means, if the caller may do that to it.
fn allowed(ask: &Ask, reference: &str) -> Result<Place, Refusal> {
    let place = ask.place(reference)?;
    ask.allow("model-package", &place)?;
    Ok(place)
}

fn arn_of(ask: &Ask, place: &Place) -> String {
    format!("arn:aws:sagemaker:{}:{}:model-package/{}", ask.region, place.account, place.name)
}

fn absent(arn: &str) -> Refusal {
    invalid(&format!("ModelPackage {arn} does not exist."))
}

fn package_of<'a>(registry: &'a mut Registry, arn: &str) -> Result<&'a mut Package, Refusal> {
    registry.package_mut(arn).ok_or_else(|| absent(arn))
}
