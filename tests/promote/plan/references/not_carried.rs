//! Fields that are not carried over, each with its reason, and warnings.

use serde_json::{Value, json};

use crate::support::Cloud;
use crate::world::*;

const ENVIRONMENT: &str = "InferenceSpecification.Containers[0].Environment";

fn with_environment(environment: Value) -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    package["InferenceSpecification"]["Containers"][0]["Environment"] = environment;
    cloud.register(package);
    cloud
}

fn arrived(cloud: &Cloud, name: &str) -> Value {
    create_request(cloud)["InferenceSpecification"]["Containers"][0]["Environment"][name].clone()
}

#[test]
fn an_environment_value_that_is_a_url_is_copied_when_something_is_there() {
    let cloud = with_environment(json!({
        "OBJECT": "s3://models/code.tar.gz", "FOLDER": "s3://models/lib", "SLASH": "s3://models/data/"
    }));
    for key in ["code.tar.gz", "lib/a.py", "lib/b/c.py", "library", "data/1"] {
        cloud.put(MODELS, key, key);
    }
    let document = promote(&cloud, &[]).document();
    for (name, key) in [("OBJECT", "code.tar.gz"), ("FOLDER", "lib"), ("SLASH", "data/")] {
        assert_eq!(arrived(&cloud, name), format!("s3://{SERVING}/{FOLDER}models/{key}"));
    }
    for key in ["code.tar.gz", "lib/a.py", "lib/b/c.py", "data/1"] {
        let fields = &artifact(&document, &format!("s3://models/{key}"))["fields"];
        assert!(fields[0].as_str().unwrap_or_default().starts_with(ENVIRONMENT), "{fields}");
        assert!(cloud.object(SERVING, &format!("{FOLDER}models/{key}")).is_some(), "{key}");
    }
    assert!(cloud.object(SERVING, &format!("{FOLDER}models/library")).is_none());
}

#[test]
fn an_environment_url_without_objects_is_not_rewritten_and_is_listed() {
    let cloud = with_environment(json!({"OUTPUT": "s3://models/written-at-run-time/"}));
    let document = promote(&cloud, &[]).document();
    assert_eq!(arrived(&cloud, "OUTPUT"), "s3://models/written-at-run-time/");
    let listed = not_carried(&document, &format!("{ENVIRONMENT}{{OUTPUT}}"));
    assert_eq!(listed["value"], "s3://models/written-at-run-time/");
    assert_eq!(listed["reason"], "nothing exists there, so the value is carried over unchanged");
}

#[test]
fn an_environment_value_that_names_a_whole_bucket_copies_nothing_and_is_listed() {
    for url in ["s3://models", "s3://models/", "https://models.s3.eu-central-1.amazonaws.com"] {
        let cloud = with_environment(json!({"BUCKET": url}));
        cloud.put(MODELS, "somebody-else/1", "1");
        let document = promote(&cloud, &[]).document();
        assert_eq!((arrived(&cloud, "BUCKET"), cloud.keys(SERVING).len()), (json!(url), 3), "{url}");
        let listed = not_carried(&document, &format!("{ENVIRONMENT}{{BUCKET}}"));
        assert!(listed["reason"].as_str().unwrap_or_default().contains("whole bucket"), "{listed}");
    }
}

#[test]
fn a_url_within_a_longer_environment_value_is_not_rewritten_and_is_listed() {
    let texts = ["--data s3://models/m.tar.gz --fast", "s3://models/m.tar.gz,s3://models/m.tar.gz"];
    let cloud = with_environment(json!({"ARGS": texts[0], "LIST": texts[1], "LEVEL": "info"}));
    let document = promote(&cloud, &[]).document();
    for (name, text) in [("ARGS", texts[0]), ("LIST", texts[1])] {
        assert_eq!(arrived(&cloud, name), text);
        let listed = not_carried(&document, &format!("{ENVIRONMENT}{{{name}}}"));
        assert_eq!(listed["value"], text);
        assert!(listed["reason"].as_str().unwrap_or_default().contains("not copied"), "{listed}");
    }
    let listed = document["not_carried"].as_array().into_iter().flatten();
    assert_eq!(listed.filter(|one| one["field"] == format!("{ENVIRONMENT}{{LEVEL}}")).count(), 0);
}

#[test]
fn images_subscriptions_and_hub_content_are_listed_with_what_the_target_needs() {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    let hub = "arn:aws:sagemaker:eu-central-1:aws:hub-content/Hub/Model/llm/1.0.0";
    let container = &mut package["InferenceSpecification"]["Containers"][0];
    container["ProductId"] = json!("product-1");
    container["BaseModel"] = json!({"HubContentName": "llm", "HubContentVersion": "1.0.0"});
    container["AdditionalModelDataSources"] = json!([{"ChannelName": "c", "S3DataSource": {
        "S3Uri": "s3://models/m.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip",
        "HubAccessConfig": {"HubContentArn": hub}
    }}]);
    cloud.register(package);
    let document = promote(&cloud, &[]).document();
    let container = "InferenceSpecification.Containers[0]";
    let source = format!("{container}.AdditionalModelDataSources[0].S3DataSource");
    for (field, value, reason) in [
        (
            "Image",
            "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1",
            "from account 444333666777 in eu-central-1",
        ),
        ("ProductId", "product-1", "Marketplace subscription"),
        ("BaseModel.HubContentName", "llm", "access to this hub content"),
    ] {
        let listed = not_carried(&document, &format!("{container}.{field}"));
        assert_eq!(listed["value"], value);
        assert!(listed["reason"].as_str().unwrap_or_default().contains(reason), "{listed}");
    }
    assert_eq!(not_carried(&document, &format!("{source}.HubAccessConfig.HubContentArn"))["value"], hub);
}

#[test]
fn free_texts_that_name_the_source_are_kept_and_listed() {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    package["ModelPackageDescription"] = json!("Trained on s3://models/training/ in March");
    package["MetadataProperties"] = json!({"GeneratedBy": "arn:aws:sagemaker:eu-central-1:444333666777:pipeline/p"});
    package["CustomerMetadataProperties"] = json!({"data": "s3://models/m.tar.gz"});
    package["ModelCard"] = json!({"ModelCardContent": "{\"evaluation\":[{\"data\":\"s3://models/eval.csv\"}]}"});
    package["SourceUri"] = json!("s3://models/notebooks/train.ipynb");
    cloud.register(package.clone());
    let document = promote(&cloud, &[]).document();
    for (field, value) in [
        ("ModelPackageDescription", "Trained on s3://models/training/ in March"),
        ("MetadataProperties.GeneratedBy", "arn:aws:sagemaker:eu-central-1:444333666777:pipeline/p"),
        ("CustomerMetadataProperties{data}", "s3://models/m.tar.gz"),
        ("ModelCard.ModelCardContent.evaluation[0].data", "s3://models/eval.csv"),
        ("SourceUri", "s3://models/notebooks/train.ipynb"),
    ] {
        assert_eq!(not_carried(&document, field)["value"], value);
    }
    let target = &promoted(&cloud)[0];
    for member in ["ModelPackageDescription", "MetadataProperties", "ModelCard", "SourceUri"] {
        assert_eq!(target[member], package[member], "{member}");
    }
    assert_eq!(target["CustomerMetadataProperties"]["data"], "s3://models/m.tar.gz");
}

#[test]
fn a_source_uri_that_was_copied_points_to_the_copy_and_an_arn_is_left_out() {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    package["SourceUri"] = json!("s3://models/m.tar.gz");
    let arn = cloud.register(package);
    promote(&cloud, &[]).document();
    assert_eq!(promoted(&cloud)[0]["SourceUri"], format!("s3://{SERVING}/{FOLDER}models/m.tar.gz"));
    let model = "arn:aws:sagemaker:eu-central-1:444333666777:model/churn";
    cloud.change(&arn, json!({"SourceUri": model}));
    let document = promote(&cloud, &["--target-group", "second"]).document();
    assert_eq!(not_carried(&document, "SourceUri")["value"], model);
    let second = &cloud.packages(crate::support::TARGET_ACCOUNT, "second")[0];
    assert_eq!((second["ModelApprovalStatus"].as_str(), second.get("SourceUri")), (Some("Approved"), None));
}

#[test]
fn keys_that_a_deployment_cannot_use_are_copied_with_a_warning() {
    let cloud = world();
    let mut package = model("s3://models/m.tar.gz");
    let source = json!({"S3Uri": "s3://models/llm/", "S3DataType": "S3Prefix", "CompressionType": "None"});
    package["InferenceSpecification"]["Containers"][0] =
        json!({"Image": "i", "ModelDataSource": {"S3DataSource": source}});
    cloud.register(package);
    let long = "n".repeat(256);
    let keys = ["sub/", "../up", "a//b", &long, "both", "both/inner", "fine"];
    for key in keys {
        cloud.put(MODELS, &format!("llm/{key}"), if key.ends_with('/') { "" } else { key });
    }
    let document = promote(&cloud, &[]).document();
    let warnings: Vec<&Value> = document["warnings"].as_array().into_iter().flatten().collect();
    assert_eq!(warnings.len(), 5, "{warnings:?}");
    for (warning, says) in warnings.iter().zip(["folder markers", "'.' or '..'", "empty part", "255 bytes", "at once"])
    {
        assert_eq!(warning["field"], "InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.S3Uri");
        assert!(warning["remark"].as_str().unwrap_or_default().contains(says), "{warning}");
    }
    for key in keys {
        assert!(cloud.object(SERVING, &format!("{FOLDER}models/llm/{key}")).is_some(), "{key}");
    }
}
