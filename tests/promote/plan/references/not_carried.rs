//! Fields that are not carried over, each with its reason, and warnings.

use serde_json::{Value, json};

use crate::plan::{ENVIRONMENT, arrived, with_environment};
use crate::support::Principal;
use crate::world::*;

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
    let document = promote(&cloud, &["--images", "keep"]).document();
    let container = "InferenceSpecification.Containers[0]";
    let source = format!("{container}.AdditionalModelDataSources[0].S3DataSource");
    for (field, value, reason) in [
        (
            "Image",
            "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1",
            "from account 444333666777 in eu-central-1",
        ),
        ("ProductId", "product-1", "Marketplace subscription"),
        ("BaseModel.HubContentName", "llm", "that the model was made from"),
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
fn what_needs_no_action_is_marked_and_only_json_lists_it() {
    let cloud = world();
    for key in ["m.tar.gz", "report.json"] {
        cloud.put(MODELS, key, key);
    }
    let mut package = model("s3://models/m.tar.gz");
    let image =
        "763104351884.dkr.ecr.eu-central-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311-ubuntu20.04-sagemaker";
    let own =
        "444333666777.dkr.ecr.eu-central-1.amazonaws.com/team/a-long-name-of-a-repository-for-serving-models:the-tag";
    package["InferenceSpecification"]["Containers"] =
        json!([{"Image": image, "ModelDataUrl": "s3://models/m.tar.gz"}, {"Image": own}]);
    package["CustomerMetadataProperties"] = json!({"copied": "s3://models/m.tar.gz", "other": "s3://models/other"});
    package["ModelCard"] = json!({"ModelCardContent": "{\"notes\":\"trained on s3://models/train/ in May\",\"model\":\"s3://models/m.tar.gz\"}"});
    cloud.register(package);
    let document = promote(&cloud, &["--dry-run", "--images", "keep"]).document();
    let copy = format!("s3://{SERVING}/{FOLDER}models/m.tar.gz");
    for (field, reason) in [
        ("InferenceSpecification.Containers[0].Image", "AWS provides the image".to_owned()),
        (
            "CustomerMetadataProperties{copied}",
            format!("the field is not a reference and is carried over unchanged; the copy is {copy}"),
        ),
        (
            "CustomerMetadataProperties{other}",
            "the field is not a reference, so the URL is carried over unchanged".into(),
        ),
        ("ModelCard.ModelCardContent.notes", "the text of the card is carried over unchanged".into()),
    ] {
        let listed = not_carried(&document, field);
        assert_eq!((&listed["reason"], &listed["informational"]), (&json!(reason), &json!(true)), "{field}");
    }
    let listed = document["not_carried"].as_array().map(Vec::len);
    assert_eq!(listed, Some(5), "the URL in the card follows its object: {document:#}");
    let more = ["--dry-run", "--images", "keep"].map(str::to_owned);
    let arguments: Vec<String> = full().into_iter().chain(more).collect();
    let text = run(&cloud, Principal::Both, &arguments).stdout;
    assert!(text.contains(&format!("  InferenceSpecification.Containers[1].Image =\n      {own}\n")), "{text}");
    assert!(text.contains("  … and 4 that need no action (`--output json` shows all)\n"), "{text}");
    assert!(!text.contains("763104351884"), "{text}");
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
fn a_source_uri_follows_a_copied_prefix_without_its_slash_and_other_arns_are_carried_over() {
    let server = "arn:aws:sagemaker:eu-central-1:444333666777:mlflow-tracking-server/team";
    for (uri, promoted_uri) in [
        ("s3://models/llm".to_owned(), format!("s3://{SERVING}/{FOLDER}models/llm")),
        ("s3://models/llm/".to_owned(), format!("s3://{SERVING}/{FOLDER}models/llm/")),
        ("s3://models/ll".to_owned(), "s3://models/ll".to_owned()),
        (server.to_owned(), server.to_owned()),
    ] {
        let cloud = world();
        cloud.put(MODELS, "llm/weights.bin", "weights");
        let mut package = model("");
        let source = json!({"S3Uri": "s3://models/llm/", "S3DataType": "S3Prefix", "CompressionType": "None"});
        package["InferenceSpecification"]["Containers"][0] =
            json!({"Image": "i", "ModelDataSource": {"S3DataSource": source}});
        package["SourceUri"] = json!(uri);
        cloud.register(package);
        let document = promote(&cloud, &[]).document();
        assert_eq!(promoted(&cloud)[0]["SourceUri"], promoted_uri);
        let is_listed = document["not_carried"].as_array().into_iter().flatten().any(|one| one["field"] == "SourceUri");
        assert_eq!(is_listed, uri == promoted_uri, "{uri}");
        let again = promote(&cloud, &[]).document();
        assert_eq!((&again["outcome"], &again["changes"]), (&json!("already-promoted"), &json!([])), "{uri}");
    }
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
    for (warning, says) in
        warnings.iter().zip(["folder marker", "'.' or '..'", "empty part", "255 bytes", "another object as a folder"])
    {
        assert_eq!(warning["field"], "InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.S3Uri");
        assert!(warning["remark"].as_str().unwrap_or_default().contains(says), "{warning}");
    }
    for key in keys {
        assert!(cloud.object(SERVING, &format!("{FOLDER}models/llm/{key}")).is_some(), "{key}");
    }
}
