//! References to objects that do not exist, and to objects that a hub serves.

use serde_json::{Value, json};

use crate::support::{Attributes, Cloud, Principal};
use crate::world::*;

fn with_reports(more: Value) -> Cloud {
    let cloud = with_package();
    let report = |name: &str| json!({"ContentType": "application/json", "S3Uri": format!("s3://models/{name}")});
    cloud.change(
        SOURCE_VERSION,
        json!({
            "ModelMetrics": {"ModelQuality": {"Statistics": report("gone.json"), "Constraints": report("churn/report.json")}},
            "DriftCheckBaselines": {"Bias": {"PreTrainingConstraints": report("gone/too/")}},
        }),
    );
    cloud.change(SOURCE_VERSION, more);
    cloud
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let cloud = with_reports(json!({"SamplePayloadUrl": "s3://models/payload.csv"}));
    for more in [&["--dry-run"][..], &[]] {
        let says = [
            "3 references name objects that do not exist:",
            "\n  there is no such object: s3://models/gone.json (ModelMetrics.ModelQuality.Statistics.S3Uri refers to it)",
            "\n  no object has this prefix: s3://models/gone/too/ (DriftCheckBaselines.",
            "\n  there is no such object: s3://models/payload.csv (SamplePayloadUrl refers to it)",
            "`--ignore-missing-reports` to carry the URLs of missing reports over unchanged",
        ];
        promote(&cloud, more).fails(1, &says);
    }
    assert_eq!(writes(&cloud), Vec::<String>::new());
    let says = ["error: there is no such object: s3://models/payload.csv", "hint: Restore what is missing"];
    let run = promote(&cloud, &["--ignore-missing-reports"]);
    run.fails(1, &says);
    assert!(!run.stderr.contains("--ignore-missing-reports"), "it would not help: {}", run.stderr);
}

#[test]
fn what_is_missing_archived_changed_unreadable_or_unknown_is_named_in_one_message_before_the_first_write() {
    let cloud = with_reports(json!({"Novelty": 1, "ModelPackageDescription": "d".repeat(1025)}));
    let described = package();
    let mut specification = described["InferenceSpecification"].clone();
    specification["Containers"][0]["ModelDataETag"] = json!("00000000000000000000000000000000");
    let mut additional = described["AdditionalInferenceSpecifications"].clone();
    additional[0]["Containers"][0]["ModelDataSource"]["S3DataSource"]["ManifestS3Uri"] = json!("s3://models/all.csv");
    for name in ["a", "b"] {
        let image = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1";
        let container = json!({"Image": image, "ModelDataUrl": format!("s3://models/secret/{name}")});
        additional.as_array_mut().expect("a list").push(json!({"Name": name, "Containers": [container]}));
        cloud.put(MODELS, &format!("secret/{name}"), "secret");
    }
    let members = json!({"InferenceSpecification": specification, "AdditionalInferenceSpecifications": additional});
    cloud.change(SOURCE_VERSION, members);
    cloud.put(MODELS, "all.csv", "name,place\nx,s3://models/lost/1\ny,s3://models/lost/2/\n");
    cloud.put_with(MODELS, "churn/llm/cold", "cold", Attributes::default().storage_class("GLACIER"));
    cloud.deny(Principal::Both, "s3:GetObject", "models/secret/*");
    let says = [
        "churn-model/1 cannot be promoted:\n  it has fields that this version of promote does not know: Novelty\n",
        "\n  ModelPackageDescription has 1025 characters; at most 1024 are allowed\n",
        "\nAdditionalInferenceSpecifications[1].Containers[0].ModelDataUrl: source: s3:GetObject: ",
        "\nAdditionalInferenceSpecifications[2].Containers[0].ModelDataUrl: source: s3:GetObject: ",
        "\n4 references name objects that do not exist:\n",
        "\n  there is no such object: s3://models/gone.json (ModelMetrics",
        "\n  no object has this prefix: s3://models/gone/too/ (",
        "\n  no object has this prefix: s3://models/lost/2/ (the manifest s3://models/all.csv lists it)",
        "\n  there is no such object: s3://models/lost/1 (the manifest s3://models/all.csv lists it)",
        "\n1 object is archived, and S3 cannot copy archived objects:\n  s3://models/churn/llm/cold\n",
        "\ns3://models/churn/model.tar.gz has changed since the package was registered: the ETag in Inference",
        "\nhint: Update promote, or pass `--ignore-unknown-fields`",
        "\nhint: Grant s3:GetObject on arn:aws:s3:::models/secret/* and",
        "\nhint: Restore what is missing",
        "\nhint: Restore archived objects with `aws s3api restore-object`",
        "\nhint: Restore the object that was registered",
    ];
    for more in [&["--dry-run"][..], &[]] {
        promote(&cloud, more).fails(1, &says);
    }
    assert_eq!((writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
}

#[test]
fn reports_that_are_missing_are_carried_over_unchanged_and_listed_if_the_run_is_told_to() {
    let cloud = with_reports(json!({}));
    let document = promote(&cloud, &["--ignore-missing-reports"]).document();
    let quality = &create_request(&cloud)["ModelMetrics"]["ModelQuality"];
    assert_eq!(quality["Statistics"]["S3Uri"], "s3://models/gone.json");
    assert_eq!(quality["Constraints"]["S3Uri"], format!("s3://{SERVING}/{FOLDER}models/churn/report.json"));
    for field in ["ModelMetrics.ModelQuality.Statistics.S3Uri", "DriftCheckBaselines.Bias.PreTrainingConstraints.S3Uri"]
    {
        let reason = "nothing exists there, so the URL is carried over unchanged (`--ignore-missing-reports`)";
        assert_eq!(not_carried(&document, field)["reason"], reason);
    }
    let again = promote(&cloud, &[]).document();
    assert_eq!((&again["outcome"], &again["changes"]), (&json!("already-promoted"), &json!([])));
}

#[test]
fn what_a_hub_serves_is_not_copied_and_its_url_and_arn_are_carried_over_unchanged() {
    let cloud = with_package();
    let mut additional = package()["AdditionalInferenceSpecifications"].clone();
    let hub = "arn:aws:sagemaker:eu-central-1:aws:hub-content/SageMakerPublicHub/Model/llama/1.0.0";
    let url = "s3://jumpstart-cache-prod-eu-central-1/llama/";
    let source = &mut additional[0]["Containers"][0]["ModelDataSource"]["S3DataSource"];
    source["S3Uri"] = json!(url);
    source["HubAccessConfig"] = json!({"HubContentArn": hub});
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": additional}));
    let document = promote(&cloud, &[]).document();
    let sent = &create_request(&cloud)["AdditionalInferenceSpecifications"][0]["Containers"][0]["ModelDataSource"];
    assert_eq!(sent["S3DataSource"]["S3Uri"], url);
    assert_eq!(sent["S3DataSource"]["HubAccessConfig"]["HubContentArn"], hub);
    let field = "AdditionalInferenceSpecifications[0].Containers[0].ModelDataSource.S3DataSource";
    let reason = "a hub serves the object (HubAccessConfig), so the URL is carried over unchanged";
    assert_eq!(not_carried(&document, &format!("{field}.S3Uri"))["reason"], reason);
    assert_eq!(not_carried(&document, &format!("{field}.HubAccessConfig.HubContentArn"))["value"], hub);
    assert!(cloud.keys(SERVING).iter().all(|key| !key.contains("jumpstart")), "{:?}", cloud.keys(SERVING));
}
