//! What the service adds to a package by itself: what it finds out, default values, and members without content.

use crate::support::s3::Object;
use crate::support::world::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Fills in the image digests and the ETags of model data of a new package.
pub fn find_out(world: &World, given: &mut Value) {
    for container in containers(given) {
        if let (Some(image), None) = (container["Image"].as_str(), container.get("ImageDigest")) {
            let digest = world.ecr.digest_of(image).unwrap_or_else(|| format!("sha256:{}", sha256(image)));
            container["ImageDigest"] = json!(digest);
        }
        if let (Some(uri), None) = (container["ModelDataUrl"].as_str(), container.get("ModelDataETag"))
            && let Some(object) = object(world, uri)
        {
            container["ModelDataETag"] = json!(object.etag);
        }
    }
}

/// Adds what a package may be shown with although nobody has sent it. Of a package that a call has created also a model
/// card, and the ETags of prefixes, which cannot be compared with those of objects.
pub fn add_defaults(world: &World, shown: &mut Value, created: bool) {
    find_out(world, shown);
    let defaults = json!({
        "SkipModelValidation": "None", "ModelPackageRegistrationType": "Registered", "CertifyForMarketplace": false
    });
    add(shown, &defaults);
    for container in containers(shown) {
        add(container, &json!({ "IsCheckpoint": false }));
        let Some(source) = container.pointer_mut("/ModelDataSource/S3DataSource") else { continue };
        let Some(uri) = source["S3Uri"].as_str().map(str::to_owned) else { continue };
        match object(world, &uri) {
            Some(object) if source["S3DataType"] == "S3Object" => add(source, &json!({ "ETag": object.etag })),
            _ if created => add(source, &json!({ "ETag": &sha256(&uri)[..32] })),
            _ => {}
        }
    }
    if created {
        let content = json!({ "model_overview": { "model_creator": "SageMaker" } }).to_string();
        add(shown, &json!({ "ModelCard": { "ModelCardStatus": "Draft", "ModelCardContent": content } }));
    }
}

/// Adds members without content, most of which Create refuses.
pub fn add_empty_members(shown: &mut Value) {
    for container in containers(shown) {
        let empty = json!({
            "ContainerHostname": "", "Framework": "", "FrameworkVersion": "", "NearestModelName": "",
            "Environment": {}, "AdditionalModelDataSources": []
        });
        add(container, &empty);
    }
    for specification in specifications(shown) {
        let lists = json!({ "SupportedTransformInstanceTypes": [], "SupportedRealtimeInferenceInstanceTypes": [] });
        add(specification, &lists);
    }
    let empty = json!({
        "ModelPackageDescription": "", "Domain": "", "Task": "", "SamplePayloadUrl": "", "SourceUri": "",
        "CustomerMetadataProperties": {}, "MetadataProperties": { "CommitId": "", "Repository": "" },
        "ModelMetrics": { "Bias": {}, "Explainability": {} }, "DriftCheckBaselines": {},
        "AdditionalInferenceSpecifications": []
    });
    add(shown, &empty);
}

/// Adds the members that a value does not have.
fn add(value: &mut Value, members: &Value) {
    let (Some(value), Some(members)) = (value.as_object_mut(), members.as_object()) else { return };
    for (name, member) in members {
        value.entry(name.clone()).or_insert_with(|| member.clone());
    }
}

fn specifications(package: &mut Value) -> impl Iterator<Item = &mut Value> {
    let members = package.as_object_mut().into_iter().flatten();
    members.flat_map(|(name, value)| match (name.as_str(), value) {
        ("InferenceSpecification", value) => vec![value],
        ("AdditionalInferenceSpecifications", Value::Array(items)) => items.iter_mut().collect(),
        _ => Vec::new(),
    })
}

fn containers(package: &mut Value) -> impl Iterator<Item = &mut Value> {
    specifications(package).filter_map(|specification| specification.get_mut("Containers")?.as_array_mut()).flatten()
}

fn object<'a>(world: &'a World, uri: &str) -> Option<&'a Object> {
    let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
    world.buckets.get(bucket)?.objects.get(key)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
