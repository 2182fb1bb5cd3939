//! Inference specifications that the source adds after the promotion.

use super::*;

#[test]
fn a_new_additional_specification_is_added_and_one_with_other_artifacts_is_drift() {
    let cloud = promoted_once();
    let mut specifications = package()["AdditionalInferenceSpecifications"].clone();
    let mut second = specifications[0].clone();
    second["Name"] = json!("second");
    let mut third = second.clone();
    third["Name"] = json!("third");
    third["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3Uri"] = json!("s3://models/not/copied/");
    let all = specifications.as_array_mut().expect("a list");
    all.extend([second, third]);
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": specifications}));
    let run = promote(&cloud, &[]);
    let name = |name: &str| format!("AdditionalInferenceSpecifications{{{name}}}");
    let expected = pairs(&[(&name("second"), "updated"), (&name("third"), "drift")]);
    assert_eq!(results(&run.document()), expected);
    assert!(run.stderr.starts_with(&format!("drift: the source of {COPY} has changed ")), "{}", run.stderr);
    let copy = &promoted(&cloud)[0]["AdditionalInferenceSpecifications"];
    assert_eq!((copy.as_array().map(Vec::len), &copy[1]["Name"]), (Some(2), &json!("second")));
    let uri = copy[1]["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3Uri"].as_str().unwrap_or_default();
    assert_eq!(uri, format!("s3://{SERVING}/{FOLDER}models/churn/llm/"));
}

/// Adds an inference specification to the source version, with the prefix and these variables.
pub(super) fn add_specification(cloud: &Cloud, environment: &Value) {
    let mut specifications = package()["AdditionalInferenceSpecifications"].clone();
    let mut second = specifications[0].clone();
    second["Name"] = json!("second");
    second["Containers"][0]["Environment"] = environment.clone();
    specifications.as_array_mut().expect("a list").push(second);
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": specifications}));
}

pub(super) fn specifications(cloud: &Cloud) -> usize {
    promoted(cloud)[0]["AdditionalInferenceSpecifications"].as_array().map_or(0, Vec::len)
}

pub(super) const SECOND: &str = "AdditionalInferenceSpecifications{second}";

#[test]
fn a_new_specification_of_objects_that_the_source_has_replaced_since_the_promotion_is_drift() {
    let key = "churn/llm/shard/1.bin";
    type Change = fn(&Cloud, &str);
    let changes: [(&str, Change); 3] = [
        ("replaced", |cloud, key| cloud.put(MODELS, key, "other weights")),
        ("removed", |cloud, key| cloud.remove(MODELS, key)),
        ("added", |cloud, _| cloud.put(MODELS, "churn/llm/shard/2.bin", "more weights")),
    ];
    for (name, change) in changes {
        let cloud = promoted_once();
        let promoted_object = cloud.object(MODELS, key).expect("the source").body;
        change(&cloud, key);
        add_specification(&cloud, &json!({}));
        for _ in 0..2 {
            assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "drift")]), "{name}");
            assert_eq!(specifications(&cloud), 1, "{name}");
        }
        cloud.put(MODELS, key, promoted_object);
        cloud.remove(MODELS, "churn/llm/shard/2.bin");
        assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "updated")]), "{name}");
    }
}

#[test]
fn a_new_specification_of_one_object_that_the_source_has_replaced_since_the_promotion_is_drift() {
    let cloud = promoted_once();
    let weights = cloud.object(MODELS, "churn/model.tar.gz").expect("the source").body;
    cloud.put(MODELS, "churn/model.tar.gz", "other weights");
    let package = package();
    let mut specifications_now = package["AdditionalInferenceSpecifications"].clone();
    let containers = package["InferenceSpecification"]["Containers"].clone();
    specifications_now.as_array_mut().expect("a list").push(json!({"Name": "second", "Containers": containers}));
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": specifications_now}));
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "drift")]));
    assert_eq!(specifications(&cloud), 1);
    cloud.put(MODELS, "churn/model.tar.gz", weights);
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "updated")]));
}

#[test]
fn a_new_specification_with_a_variable_that_names_an_object_that_was_not_promoted_is_drift() {
    let cloud = promoted_once();
    cloud.put(MODELS, "tokenizer.json", "{}");
    add_specification(&cloud, &json!({"EXTRA_FILE": "s3://models/tokenizer.json"}));
    assert_eq!(results(&promote(&cloud, &[]).document()), pairs(&[(SECOND, "drift")]));
    assert_eq!(specifications(&cloud), 1);
}

#[test]
fn two_runs_that_add_the_same_specification_at_once_add_it_once() {
    for between in [Moment::on("PutObject", 1).at("/promotion-"), Moment::on("UpdateModelPackage", 1)] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        add_specification(&cloud, &json!({}));
        cloud.hook(between, |cloud| drop(promote(cloud, &[]).document()));
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
        assert_eq!(specifications(&cloud), 2);
        let copy = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
        let verified = run(&cloud, Principal::Both, &["verify", "--model-package", &copy]);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
    }
}

#[test]
fn a_run_that_adds_a_specification_also_approves_the_version_again() {
    let cloud = promoted_once();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
    add_specification(&cloud, &json!({}));
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    promote(&cloud, &[]).document();
    assert_eq!((&promoted(&cloud)[0]["ModelApprovalStatus"], specifications(&cloud)), (&json!("Approved"), 2));
    assert_eq!(verify(&cloud).code, 0);
}

#[test]
fn a_specification_that_was_announced_and_not_added_is_added_although_the_record_before_it_is_lost() {
    let cloud = promoted_once();
    add_specification(&cloud, &json!({}));
    cloud.fail(Moment::every("UpdateModelPackage"), Failure::Status(500, "InternalError", "x"));
    promote(&cloud, &[]).fails(1, &["sagemaker:UpdateModelPackage"]);
    cloud.heal();
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    promote(&cloud, &[]);
    for status in ["Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote(&cloud, &[]).document();
        assert_eq!((&promoted(&cloud)[0]["ModelApprovalStatus"], promoted(&cloud).len()), (&json!(status), 1));
    }
    assert_eq!((specifications(&cloud), verify(&cloud).code), (2, 0));
}
