//! A world to promote in: a source account with an approved package, a target account, and ways to run the binary.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};

/// The source bucket.
pub const MODELS: &str = "models";
/// The target bucket.
pub const SERVING: &str = "serving";
/// The group, in both accounts.
pub const GROUP: &str = "Churn-Model";
/// Where version 1 of the group goes.
pub const FOLDER: &str = "Churn-Model/444333666777-eu-central-1-churn-model-v1/";

/// Two accounts with a bucket each.
pub fn world() -> Cloud {
    let cloud = Cloud::start();
    cloud.create_bucket(MODELS, SOURCE_ACCOUNT);
    cloud.create_bucket(SERVING, TARGET_ACCOUNT);
    cloud
}

/// A world with one approved package: a tarball, a report and a prefix.
pub fn with_package() -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    cloud.put(MODELS, "churn/report.json", "{}");
    cloud.put(MODELS, "churn/llm/config.json", "{\"layers\": 2}");
    cloud.put(MODELS, "churn/llm/shard/1.bin", "one");
    cloud.register(package());
    cloud
}

/// The package of [`with_package`].
pub fn package() -> Value {
    json!({
        "ModelPackageGroupName": GROUP,
        "ModelPackageDescription": "Churn, trained on 2026 data",
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": "Reviewed by the risk board",
        "CustomerMetadataProperties": {"team": "growth"},
        "InferenceSpecification": {
            "Containers": [{
                "Image": "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1",
                "ModelDataUrl": "s3://models/churn/model.tar.gz",
                "Environment": {"LEVEL": "info"}
            }],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"]
        },
        "AdditionalInferenceSpecifications": [{
            "Name": "llm",
            "Containers": [{
                "Image": "444333666777.dkr.ecr.eu-central-1.amazonaws.com/llm:1",
                "ModelDataSource": {"S3DataSource": {
                    "S3Uri": "s3://models/churn/llm/", "S3DataType": "S3Prefix", "CompressionType": "None"
                }}
            }]
        }],
        "ModelMetrics": {"ModelQuality": {"Statistics": {
            "ContentType": "application/json", "S3Uri": "s3://models/churn/report.json"
        }}}
    })
}

/// The arguments of `full` for the group of the world.
pub fn full() -> Vec<String> {
    ["full", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING].map(str::to_owned).to_vec()
}

/// What a run came to.
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the binary writes UTF-8");
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The document, after a run that was to succeed.
    pub fn document(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).expect("standard output is one JSON document")
    }

    /// The run ended with this code and said each of these.
    pub fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        for text in says {
            assert!(self.stderr.contains(text), "no '{text}' in: {}", self.stderr);
        }
    }
}

/// Runs the binary as a principal.
pub fn run<S: AsRef<str>>(cloud: &Cloud, principal: Principal, arguments: &[S]) -> Run {
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    Run::of(cloud.promote(principal).args(arguments).output().expect("the binary starts"))
}

/// Runs `full` with JSON output and these further arguments as the principal that may do everything.
pub fn promote(cloud: &Cloud, more: &[&str]) -> Run {
    let arguments: Vec<String> = full().into_iter().chain(["--output".into(), "json".into()]).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    run(cloud, Principal::Both, &arguments)
}

/// The versions of the target group.
pub fn promoted(cloud: &Cloud) -> Vec<Value> {
    cloud.packages(TARGET_ACCOUNT, GROUP)
}
