//! What AWS would reject and a request shows: refused before the first write, with everything at once.

use serde_json::{Value, json};

use crate::support::Cloud;
use crate::world::*;

/// A package with these members changed is refused, by a dry run and a run, with these texts, and nothing is written.
fn refused(members: Value, more: &[&str], says: &[&str]) {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, members);
    for dry in [&["--dry-run"][..], &[]] {
        promote(&cloud, &[more, dry].concat()).fails(1, says);
    }
    assert_eq!((writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
}

fn source(data_type: &str, url: &str) -> Value {
    json!({"S3DataSource": {"S3Uri": url, "S3DataType": data_type, "CompressionType": "None"}})
}

/// An additional inference specification with this container.
fn additional(name: &str, container: Value) -> Value {
    json!({"Name": name, "Containers": [container]})
}

#[test]
fn everything_that_aws_would_reject_is_named_at_once_with_each_next_step() {
    let key = "arn:aws:kms:eu-central-1:444333666777:key/11111111-2222-3333-4444-555555555555";
    let image = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1";
    let bytes = FOLDER.len() + "models/".len() + 1000;
    refused(
        json!({
            "ModelPackageDescription": "d".repeat(1025),
            "SecurityConfig": {"KmsKeyId": key},
            "SamplePayloadUrl": format!("s3://models/{}", "k".repeat(1000)),
            "InferenceSpecification": {"Containers": [
                {"Image": image, "ModelDataSource": source("S3Prefix", "s3://models/llm")},
                {"Image": image, "AdditionalS3DataSource": {"S3DataType": "S3Object", "S3Uri": "s3://models/a"}},
            ]},
        }),
        &[],
        &[
            "model-package/churn-model/1 cannot be promoted:\n",
            &format!("\n  SecurityConfig.KmsKeyId is \"{key}\", a key of the source account\n"),
            "\n  InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.S3Uri is s3://models/llm; an S3Prefix has",
            "\n  InferenceSpecification.Containers[1].AdditionalS3DataSource: CreateModelPackage accepts",
            &format!("\n  SamplePayloadUrl would be copied to a key of {bytes} bytes; S3 allows 1024: "),
            &format!("\n  SamplePayloadUrl has {} characters; at most 1024 are allowed\n", bytes + 13),
            "\n  ModelPackageDescription has 1025 characters; at most 1024 are allowed\n",
            "\nhint: Pass a key of the target account with `--kms-key-arn`\n",
            "\nhint: Register a package that has it in AdditionalInferenceSpecifications\n",
            "\nhint: Shorten the target prefix or group name\n",
            "\nhint: Correct the fields in the source, or register a package without them\n",
        ],
    );
}

#[test]
fn prefixes_objects_and_data_types_that_create_rejects_are_refused_wherever_they_are() {
    let container = |source: Value| json!({"Image": "i", "ModelDataSource": source});
    let channel =
        json!([{"ChannelName": "draft", "S3DataSource": source("S3Prefix", "s3://models/d")["S3DataSource"]}]);
    refused(
        json!({"AdditionalInferenceSpecifications": [
            additional("a", container(source("S3Prefix", "s3://models/x"))),
            additional("b", container(source("S3Object", "s3://models/y/"))),
            additional("c", container(source("S3Object", "s3://models"))),
            additional("d", json!({"Image": "i", "AdditionalModelDataSources": channel})),
            additional("e", json!({"Image": "i", "ModelDataUrl": "s3://models/m", "ModelDataSource": source("S3Object", "s3://models/m")})),
            additional("a", json!({"Image": "i"})),
        ]}),
        &[],
        &[
            "Specifications[0].Containers[0].ModelDataSource.S3DataSource.S3Uri is s3://models/x; an S3Prefix has to end in",
            "Specifications[1].Containers[0].ModelDataSource.S3DataSource.S3Uri is s3://models/y/; an S3Object has to be an",
            "Specifications[2].Containers[0].ModelDataSource.S3DataSource.S3Uri is s3://models; an S3Object has to be an",
            "Specifications[3].Containers[0].AdditionalModelDataSources[0].S3DataSource.S3Uri is s3://models/d; an S3Prefix",
            "Specifications[4].Containers[0] has a ModelDataUrl and a ModelDataSource; only one is allowed",
            "Specifications[5].Name is \"a\", which is the name of AdditionalInferenceSpecifications[0] too",
        ],
    );
    let manifest = additional("m", container(source("ManifestFile", "s3://models/m")));
    let others = json!({"AdditionalInferenceSpecifications": [manifest], "SamplePayloadUrl": "https://example.com/p"});
    refused(
        others,
        &[],
        &[
            "S3DataSource.S3DataType is the data type 'ManifestFile', which cannot be promoted\n",
            "\n  SamplePayloadUrl is malformed: 'https://example.com/p' is not an S3 URL",
        ],
    );
}

#[test]
fn a_version_without_anything_to_deploy_is_refused() {
    for uri in [json!(null), json!("mlflow-artifacts:/1/abc/artifacts/model"), json!("s3://models/mlflow/1")] {
        refused(
            json!({"InferenceSpecification": null, "AdditionalInferenceSpecifications": null, "SourceUri": uri}),
            &[],
            &[
                "it has no InferenceSpecification and no SourceAlgorithmSpecification, so there is nothing to deploy\nhint: Add",
            ],
        );
    }
}

#[test]
fn a_report_that_names_a_whole_bucket_is_refused_or_carried_over_unchanged() {
    let cloud = with_package();
    let report = |url: &str| json!({"ContentType": "application/json", "S3Uri": url});
    let metrics = json!({"ModelQuality": {"Statistics": report("s3://models"), "Constraints": report("s3://models/")}});
    cloud.change(SOURCE_VERSION, json!({"ModelMetrics": metrics}));
    let says = ["this is a whole bucket, not an object: s3://models/ (ModelMetrics.ModelQuality.Statistics.S3Uri and "];
    promote(&cloud, &[]).fails(1, &says);
    assert_eq!(writes(&cloud), Vec::<String>::new());
    let document = promote(&cloud, &["--ignore-missing-reports"]).document();
    let quality = &create_request(&cloud)["ModelMetrics"]["ModelQuality"];
    assert_eq!(
        (&quality["Statistics"]["S3Uri"], &quality["Constraints"]["S3Uri"]),
        (&json!("s3://models"), &json!("s3://models/"))
    );
    assert_eq!(not_carried(&document, "ModelMetrics.ModelQuality.Statistics.S3Uri")["value"], "s3://models");
}

#[test]
fn a_model_that_is_a_whole_bucket_is_copied_with_a_warning() {
    let cloud: Cloud = with_package();
    cloud.create_bucket("weights", crate::support::SOURCE_ACCOUNT);
    cloud.put("weights", "config.json", "{}");
    let container = json!({"Image": "i", "ModelDataSource": source("S3Prefix", "s3://weights/")});
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": [additional("llm", container)]}));
    let document = promote(&cloud, &[]).document();
    assert_eq!(
        document["warnings"][0]["remark"],
        "the URL names the whole bucket weights, so every object in it is copied"
    );
}
