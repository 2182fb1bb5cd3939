//! Rules of CreateModelPackage that the service model does not state, and that a request shows.
//!
//! Sources: the API reference of CreateModelPackage and S3ModelDataSource, and messages of the service.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::plan::findings::{CORRECT, Obstacles};
use crate::plan::sealed::{SEALED, SET_THE_VALUE, sealed_fields};
use crate::schema::references::is_served_by_hub;

/// What the request of a draft violates.
pub(super) fn violated(request: &Document) -> Obstacles {
    let mut found = Obstacles::default();
    deployable(request, &mut found);
    for field in sealed_fields(request) {
        found.add(format!("{field} {SEALED}"), SET_THE_VALUE);
    }
    let inference = Field::top("InferenceSpecification");
    for container in containers(request, &inference) {
        let field = container.member("AdditionalS3DataSource");
        if field.get(request).is_some() {
            let text = "CreateModelPackage accepts an AdditionalS3DataSource in AdditionalInferenceSpecifications only";
            let hint = "Register a package that has it in AdditionalInferenceSpecifications";
            found.add(format!("{field}: {text}"), hint);
        }
        model_data(request, &container, &mut found);
    }
    let additional = Field::top("AdditionalInferenceSpecifications");
    for specification in items(request, &additional) {
        name(request, &additional, &specification, &mut found);
        for container in containers(request, &specification) {
            model_data(request, &container, &mut found);
        }
    }
    for algorithm in items(request, &Field::top("SourceAlgorithmSpecification").member("SourceAlgorithms")) {
        model_data(request, &algorithm, &mut found);
    }
    found
}

/// A version that has only a SourceUri, such as one that was synced from MLflow, has nothing to deploy.
fn deployable(request: &Document, found: &mut Obstacles) {
    let specifications = ["InferenceSpecification", "SourceAlgorithmSpecification"];
    if !specifications.iter().any(|member| request.contains_key(*member)) {
        let text =
            "it has no InferenceSpecification and no SourceAlgorithmSpecification, so there is nothing to deploy";
        found
            .add(text, "Add an InferenceSpecification to the source version with `aws sagemaker update-model-package`");
    }
}

/// The names of additional inference specifications are unique.
fn name(request: &Document, list: &Field, specification: &Field, found: &mut Obstacles) {
    let name = |field: &Field| field.member("Name").get(request).and_then(Value::as_str).map(str::to_owned);
    let Some(own) = name(specification) else { return };
    let same = items(request, list).into_iter().find(|other| name(other).as_ref() == Some(&own));
    if let Some(first) = same.filter(|first| first != specification) {
        found.add(format!("{specification}.Name is \"{own}\", which is the name of {first} too"), CORRECT);
    }
}

fn model_data(request: &Document, container: &Field, found: &mut Obstacles) {
    let (url, source) = (container.member("ModelDataUrl"), container.member("ModelDataSource"));
    if url.get(request).is_some() && source.get(request).is_some() {
        found.add(format!("{container} has a ModelDataUrl and a ModelDataSource; only one is allowed"), CORRECT);
    }
    let additional = items(request, &container.member("AdditionalModelDataSources"));
    for source in additional.into_iter().chain([source]) {
        s3_uri(request, &source.member("S3DataSource"), found);
    }
}

/// A key prefix ends in a slash, and an object has a key that does not.
fn s3_uri(request: &Document, source: &Field, found: &mut Obstacles) {
    let text = |member: &str| source.member(member).get(request).and_then(Value::as_str);
    let (field, hint) = (source.member("S3Uri"), "Register a package with this URL and data type corrected");
    match (text("S3DataType"), text("S3Uri")) {
        _ if is_served_by_hub(request, &field) => {}
        (Some("S3Prefix"), Some(url)) if !url.ends_with('/') => {
            found.add(format!("{field} is {url}; an S3Prefix has to end in a slash"), hint);
        }
        (Some("S3Object"), Some(url)) if url.ends_with('/') || !has_key(url) => {
            found.add(format!("{field} is {url}; an S3Object has to be an object"), hint);
        }
        _ => {}
    }
}

/// Whether the URL goes on after the bucket or the host.
fn has_key(url: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
}

fn containers(request: &Document, specification: &Field) -> Vec<Field> {
    items(request, &specification.member("Containers"))
}

fn items(request: &Document, list: &Field) -> Vec<Field> {
    let count = list.get(request).and_then(Value::as_array).map_or(0, Vec::len);
    (0..count).map(|index| list.item(index)).collect()
}
