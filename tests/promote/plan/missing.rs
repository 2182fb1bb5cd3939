//! References to objects that do not exist, and to objects that a hub serves.

use serde_json::{Value, json};

use crate::support::Cloud;
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
fn reports_that_are_missing_are_carried_over_unchanged_and_listed_if_the_run_is_told_to() {
    let cloud = with_reports(json!({}));
    let document = promote(&cloud, &["--ignore-missing-reports"]).document();
    let quality = &create_request(&cloud)["ModelMetrics"]["ModelQuality"];
    assert_eq!(quality["Statistics"]["S3Uri"], "s3://models/gone.json");
    assert_eq!(quality["Constraints"]["S3Uri"], format!("s3://{SERVING}/{FOLDER}models/churn/report.json"));
    for field in ["ModelMetrics.ModelQuality.Statistics.S3Uri", "DriftCheckBaselines.Bias.PreTrainingConstraints.S3Uri"]
    {
        let reason = "nothing exists there, so the URL is carried over unchanged (--ignore-missing-reports)";
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
