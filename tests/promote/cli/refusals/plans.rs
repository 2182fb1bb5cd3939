//! Plans and promotions files that are refused, and a manifest that cannot be read.

use serde_json::{Value, json};

use super::messages::{Message, each_is_said, full};
use super::*;

const FILE: &str = "
promotions:
  churn:
    source:
      group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model
    targets:
      one: {bucket: serving, prefix: one}
      two: {bucket: serving, prefix: two}
";

const OF_PLANS: [Message; 5] = [
    ("plan-that-was-edited", 1, |c| {
        let path = plan(c);
        edit(&path, |plan| plan["artifacts"][0]["etag"] = json!("0123"));
        full(c, &["--plan", &path])
    }),
    ("plan-that-is-out-of-date", 1, |c| {
        let path = plan(c);
        c.change(SOURCE_VERSION, json!({"ModelPackageDescription": "Edited"}));
        full(c, &["--plan", &path])
    }),
    ("plan-from-the-future", 1, |c| {
        let path = plan(c);
        edit(&path, |plan| plan["ended"] = json!("2999-01-01T00:00:00Z"));
        let refused = full(c, &["--plan", &path]).stderr;
        let digest = refused.split("has the digest ").nth(1).and_then(|rest| rest.get(..71)).expect("a digest");
        edit(&path, |plan| plan["plan"]["digest"] = json!(digest));
        full(c, &["--plan", &path])
    }),
    ("two-targets-with-one-group", 1, |c| {
        let path = c.home().join("promotions.yaml").display().to_string();
        std::fs::write(&path, FILE).expect("a file in the home folder");
        run(c, Principal::Both, &["apply", "--file", &path])
    }),
    ("manifest-that-cannot-be-parsed", 1, |c| {
        let source = json!({"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://models/in.manifest"}});
        let job = json!({
            "TransformInput": {"DataSource": source},
            "TransformOutput": {"S3OutputPath": "s3://models/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}
        });
        let profile = json!({"ProfileName": "p", "TransformJobDefinition": job});
        let role = "arn:aws:iam::444333666777:role/validation";
        let validation = json!({"ValidationRole": role, "ValidationProfiles": [profile]});
        c.put(MODELS, "in.manifest", "{");
        c.change(SOURCE_VERSION, json!({"ValidationSpecification": validation}));
        full(c, &["--target-validation-role-arn", "arn:aws:iam::111222333444:role/validation"])
    }),
];

/// Makes a plan, and returns its file.
fn plan(cloud: &Cloud) -> String {
    let path = cloud.home().join("plan.json").display().to_string();
    assert_eq!(full(cloud, &["--dry-run", "--record", &path]).code, 0);
    path
}

fn edit(path: &str, change: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(path).expect("a plan");
    let mut plan = serde_json::from_str(&text).expect("JSON");
    change(&mut plan);
    std::fs::write(path, plan.to_string()).expect("a file in the home folder");
}

#[test]
fn what_is_wrong_with_a_plan_or_a_file_is_said_word_for_word() {
    each_is_said(&OF_PLANS);
}
