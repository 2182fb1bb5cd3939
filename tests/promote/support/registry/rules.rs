//! What the service refuses beyond the shapes: members that exclude each other, artifacts that are not there.

use crate::support::wire::Refusal;
use crate::support::world::World;
use serde_json::Value;

/// Refuses a CreateModelPackage that the real service would refuse.
pub fn check_create(world: &World, request: &Value) -> Result<(), Refusal> {
    let has = |member: &str| request.get(member).is_some();
    match (has("ModelPackageName"), has("ModelPackageGroupName")) {
        (true, true) => {
            return refuse(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one \
                 to use.",
            );
        }
        (false, false) => {
            return refuse(
                "Neither ModelPackageName nor ModelPackageGroupName is specified. Please specify exactly one of \
                them.",
            );
        }
        (true, false) | (false, true) => {}
    }
    if has("ModelPackageGroupName") && has("Tags") {
        return refuse("Tags cannot be specified for a versioned model package: you cannot supply a tag argument");
    }
    if has("CertifyForMarketplace") && has("ModelPackageGroupName") {
        return refuse("CertifyForMarketplace is not supported for versioned model packages");
    }
    if request["ManagedStorageType"] == "Restricted" {
        return refuse("ManagedStorageType Restricted packages cannot be created by this account");
    }
    match (has("InferenceSpecification"), has("SourceAlgorithmSpecification"), has("SourceUri")) {
        (true, true, _) => {
            return refuse(
                "Both InferenceSpecification and SourceAlgorithmSpecification are specified. Please specify exactly one \
                of them.",
            );
        }
        (false, false, false) if has("ModelPackageGroupName") => {
            return refuse(
                "One of InferenceSpecification, SourceAlgorithmSpecification or SourceUri must be specified.",
            );
        }
        _ => {}
    }
    check_specifications(request)?;
    check_artifacts(world, request)
}

/// Refuses members that do not go together, in a create or an update.
pub fn check_specifications(request: &Value) -> Result<(), Refusal> {
    let has = |member: &str| request.get(member).is_some();
    if has("SourceUri") && has("InferenceSpecification") {
        return refuse("Both SourceUri and InferenceSpecification are specified. Please specify exactly one of them.");
    }
    for container in containers(&request["InferenceSpecification"]) {
        if container.get("AdditionalS3DataSource").is_some() {
            return refuse("AdditionalS3DataSource is not allowed in InferenceSpecification");
        }
        if container.get("ModelDataUrl").is_some() && container.get("ModelDataSource").is_some() {
            return refuse("Only one of ModelDataUrl and ModelDataSource may be specified for a container");
        }
        check_prefix(&container["ModelDataSource"]["S3DataSource"])?;
    }
    Ok(())
}

fn check_prefix(source: &Value) -> Result<(), Refusal> {
    let uri = source["S3Uri"].as_str().unwrap_or("");
    if source["S3DataType"] == "S3Prefix" && !uri.ends_with('/') {
        return refuse(&format!("S3Uri {uri} must end with a forward slash when S3DataType is S3Prefix"));
    }
    if source["S3DataType"] == "S3Object" && uri.ends_with('/') {
        return refuse(&format!("S3Uri {uri} must be an object when S3DataType is S3Object"));
    }
    Ok(())
}

/// Model data in a bucket of this cloud must be there when the package is created.
fn check_artifacts(world: &World, request: &Value) -> Result<(), Refusal> {
    for container in containers(&request["InferenceSpecification"]) {
        let source = &container["ModelDataSource"]["S3DataSource"];
        for uri in [&container["ModelDataUrl"], &source["S3Uri"]].into_iter().filter_map(Value::as_str) {
            let Some((bucket, key)) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else { continue };
            let Some(bucket) = world.buckets.get(bucket) else { continue };
            let there = match source["S3DataType"] == "S3Prefix" {
                true => bucket.objects.keys().any(|one| one.starts_with(key)),
                false => bucket.objects.contains_key(key),
            };
            if !there {
                return refuse(&format!("Could not find model data at {uri}."));
            }
        }
    }
    Ok(())
}

fn containers(specification: &Value) -> impl Iterator<Item = &Value> {
    specification["Containers"].as_array().into_iter().flatten()
}

fn refuse(message: &str) -> Result<(), Refusal> {
    Err(Refusal::new(400, "ValidationException", message))
}
