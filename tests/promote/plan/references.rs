//! What a package refers to is found, copied and rewritten, member by member; what stays is listed with its reason.

mod kinds;
mod not_carried;

use serde_json::{Value, json};

use crate::plan::lossless::package::{Deployed, complete, leaves, pattern};
use crate::support::Cloud;
use crate::world::*;

/// The S3 members of the service model (facts of botocore 1.44.5, DescribeModelPackageOutput).
pub const LEAVES: [&str; 35] = [
    "AdditionalInferenceSpecifications[].Containers[].AdditionalModelDataSources[].S3DataSource.ManifestS3Uri",
    "AdditionalInferenceSpecifications[].Containers[].AdditionalModelDataSources[].S3DataSource.S3Uri",
    "AdditionalInferenceSpecifications[].Containers[].AdditionalS3DataSource.S3Uri",
    "AdditionalInferenceSpecifications[].Containers[].ModelDataSource.S3DataSource.ManifestS3Uri",
    "AdditionalInferenceSpecifications[].Containers[].ModelDataSource.S3DataSource.S3Uri",
    "AdditionalInferenceSpecifications[].Containers[].ModelDataUrl",
    "DriftCheckBaselines.Bias.ConfigFile.S3Uri",
    "DriftCheckBaselines.Bias.PostTrainingConstraints.S3Uri",
    "DriftCheckBaselines.Bias.PreTrainingConstraints.S3Uri",
    "DriftCheckBaselines.Explainability.ConfigFile.S3Uri",
    "DriftCheckBaselines.Explainability.Constraints.S3Uri",
    "DriftCheckBaselines.ModelDataQuality.Constraints.S3Uri",
    "DriftCheckBaselines.ModelDataQuality.Statistics.S3Uri",
    "DriftCheckBaselines.ModelQuality.Constraints.S3Uri",
    "DriftCheckBaselines.ModelQuality.Statistics.S3Uri",
    "InferenceSpecification.Containers[].AdditionalModelDataSources[].S3DataSource.ManifestS3Uri",
    "InferenceSpecification.Containers[].AdditionalModelDataSources[].S3DataSource.S3Uri",
    "InferenceSpecification.Containers[].AdditionalS3DataSource.S3Uri",
    "InferenceSpecification.Containers[].ModelDataSource.S3DataSource.ManifestS3Uri",
    "InferenceSpecification.Containers[].ModelDataSource.S3DataSource.S3Uri",
    "InferenceSpecification.Containers[].ModelDataUrl",
    "ModelMetrics.Bias.PostTrainingReport.S3Uri",
    "ModelMetrics.Bias.PreTrainingReport.S3Uri",
    "ModelMetrics.Bias.Report.S3Uri",
    "ModelMetrics.Explainability.Report.S3Uri",
    "ModelMetrics.ModelDataQuality.Constraints.S3Uri",
    "ModelMetrics.ModelDataQuality.Statistics.S3Uri",
    "ModelMetrics.ModelQuality.Constraints.S3Uri",
    "ModelMetrics.ModelQuality.Statistics.S3Uri",
    "SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataSource.S3DataSource.ManifestS3Uri",
    "SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataSource.S3DataSource.S3Uri",
    "SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataUrl",
    "ValidationSpecification.ValidationProfiles[].TransformJobDefinition.TransformInput.DataSource.S3DataSource.S3Uri",
    "ValidationSpecification.ValidationProfiles[].TransformJobDefinition.TransformOutput.S3OutputPath",
    "SamplePayloadUrl",
];

/// Options that carry every member, so that every reference is looked at.
pub const EVERYTHING: [&str; 8] = [
    "--images",
    "keep",
    "--kms-key-arn",
    "arn:aws:kms:eu-central-1:111222333444:key/of-the-target",
    "--target-algorithm",
    "of-the-target",
    "--target-validation-role-arn",
    "arn:aws:iam::111222333444:role/validation",
];

/// The objects of the source at or below a location, with their keys.
fn objects_at(cloud: &Cloud, url: &str) -> Vec<String> {
    let key = url.strip_prefix("s3://models/").expect("the source's bucket");
    cloud.keys(MODELS).into_iter().filter(|one| one == key || key.ends_with('/') && one.starts_with(key)).collect()
}

fn assert_copied(cloud: &Cloud, url: &str) {
    let keys = objects_at(cloud, url);
    assert!(!keys.is_empty(), "{url}");
    for key in keys {
        let source = cloud.object(MODELS, &key).expect("it is listed");
        let copy =
            cloud.object(SERVING, &format!("{FOLDER}models/{key}")).unwrap_or_else(|| panic!("no copy of {key}"));
        assert!(copy.body == source.body, "{key}");
    }
}

/// The manifest lies apart and names the copy of what the source's names.
fn assert_rewritten(cloud: &Cloud, url: &str) {
    let key = url.strip_prefix("s3://models/").expect("the source's bucket");
    let manifest = cloud.object(SERVING, &format!("{FOLDER}_manifests/models/{key}")).expect("the manifest");
    let text = format!("location\ns3://{SERVING}/{FOLDER}models/{key}.listed\n");
    assert_eq!(manifest.body.bytes(), text);
    assert_copied(cloud, &format!("{url}.listed"));
}

fn assert_leaf(cloud: &Cloud, leaf: &str, url: &str, arrived: &Value) {
    let below = match leaf {
        _ if leaf.ends_with(".ManifestS3Uri") => {
            assert_rewritten(cloud, url);
            format!("s3://{SERVING}/{FOLDER}_manifests/models/")
        }
        _ if leaf.ends_with(".S3OutputPath") => {
            format!("s3://{SERVING}/churn-model/_outputs/444333666777-eu-central-1-churn-model-v1/models/")
        }
        _ => format!("s3://{SERVING}/{FOLDER}models/"),
    };
    assert_eq!(*arrived, json!(url.replace("s3://models/", &below)), "{leaf}");
    if leaf.ends_with(".S3OutputPath") {
        assert_eq!(cloud.keys(SERVING).iter().find(|key| key.contains("S3OutputPath")), None);
    } else if !leaf.ends_with(".ManifestS3Uri") {
        assert_copied(cloud, url);
    }
}

#[test]
fn every_s3_member_of_a_package_is_copied_and_rewritten() {
    let mut seen = std::collections::BTreeSet::new();
    for deployed in Deployed::ALL {
        let cloud = world();
        let described = complete(&cloud, deployed);
        cloud.register(described.clone());
        promote(&cloud, &EVERYTHING).document();
        let arrived: std::collections::BTreeMap<String, Value> = leaves(&create_request(&cloud)).into_iter().collect();
        for (path, url) in leaves(&described) {
            let leaf = pattern(&path);
            if LEAVES.contains(&leaf.as_str()) {
                assert_leaf(&cloud, &leaf, url.as_str().expect("a URL"), &arrived[&path]);
                seen.insert(leaf);
            }
        }
    }
    let refused = "InferenceSpecification.Containers[].AdditionalS3DataSource.S3Uri";
    let missed: Vec<&str> = LEAVES.into_iter().filter(|leaf| !seen.contains(*leaf) && *leaf != refused).collect();
    assert_eq!(missed, Vec::<&str>::new());
}

#[test]
fn an_additional_data_source_where_aws_refuses_it_stops_the_run_before_the_first_write() {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    let source = json!({"S3DataType": "S3Object", "S3Uri": "s3://models/m.tar.gz"});
    package["InferenceSpecification"]["Containers"][0]["AdditionalS3DataSource"] = source;
    cloud.register(package);
    let run = promote(&cloud, &[]);
    run.fails(
        1,
        &["InferenceSpecification.Containers[0].AdditionalS3DataSource", "in AdditionalInferenceSpecifications only"],
    );
    assert_eq!((run.result(), cloud.keys(SERVING).len(), promoted(&cloud).len()), ("", 0, 0));
}

#[test]
fn the_document_names_every_field_that_refers_to_an_artifact() {
    let cloud = world();
    let described = complete(&cloud, Deployed::AlgorithmWithSource);
    cloud.register(described.clone());
    let document = promote(&cloud, &EVERYTHING).document();
    let fields: Vec<&str> = document["artifacts"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|artifact| artifact["fields"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let copied = leaves(&described).into_iter().map(|(path, _)| path);
    for path in copied.filter(|path| LEAVES.contains(&pattern(path).as_str()) && !path.ends_with(".S3OutputPath")) {
        assert!(fields.contains(&path.as_str()), "{path} in {fields:?}");
    }
}
