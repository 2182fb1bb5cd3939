//! A world to promote in: a source account with an approved package, a target account, and ways to run the binary.

use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Cloud, Moment, PATIENCE, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};

/// The source bucket.
pub const MODELS: &str = "models";
/// The target bucket.
pub const SERVING: &str = "serving";
/// The group, in both accounts.
pub const GROUP: &str = "Churn-Model";
/// Where version 1 of the group goes.
pub const FOLDER: &str = "churn-model/444333666777-eu-central-1-churn-model-v1/";
/// Version 1 of the group in the source account.
pub const SOURCE_VERSION: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1";

/// Two accounts with a bucket each; the source account has two images.
pub fn world() -> Cloud {
    let cloud = Cloud::start();
    cloud.create_bucket(MODELS, SOURCE_ACCOUNT);
    cloud.create_bucket(SERVING, TARGET_ACCOUNT);
    for repository in ["serve", "llm"] {
        cloud.push(SOURCE_ACCOUNT, repository, "1", &TestImage::small(repository));
    }
    cloud
}

/// Waits until something has happened.
pub fn waits_until(what: &str, mut has_happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !has_happened() {
        assert!(Instant::now() < deadline, "after {PATIENCE:?}, it does not hold that {what}");
        // Other tests need the processor.
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// A world with one approved package: a tarball, a report and a prefix.
pub fn with_package() -> Cloud {
    let cloud = world();
    fill(&cloud);
    cloud
}

/// Puts the artifacts and the package of [`with_package`] into a world.
pub fn fill(cloud: &Cloud) {
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    cloud.put(MODELS, "churn/report.json", "{}");
    cloud.put(MODELS, "churn/llm/config.json", "{\"layers\": 2}");
    cloud.put(MODELS, "churn/llm/shard/1.bin", "one");
    cloud.register(package());
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
    /// Standard error, each message on one line.
    pub stderr: String,
    /// Standard error as it is printed.
    pub printed: String,
}

impl Run {
    /// What a process said before it ended.
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the binary writes UTF-8");
        let printed = text(output.stderr);
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: unfolded(&printed),
            printed,
        }
    }

    /// The document, after a run that was to succeed.
    pub fn document(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).expect("standard output is one JSON document")
    }

    /// Standard error without the lines that tell how far the copies are.
    pub fn remarks(&self) -> String {
        let is_progress = |line: &&str| line.starts_with("copying ") || line.starts_with("copied ");
        self.stderr.lines().filter(|line| !is_progress(line)).map(|line| format!("{line}\n")).collect()
    }

    /// Standard output, without the document of a run that has failed or was interrupted.
    pub fn result(&self) -> &str {
        let ends = ["\"outcome\": \"failed\"", "\"outcome\": \"interrupted\""];
        if ends.iter().any(|end| self.stdout.contains(end)) { "" } else { &self.stdout }
    }

    /// Standard output without its line breaks.
    pub fn told(&self) -> String {
        self.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The run ended with this code and said each of these.
    pub fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        for text in says {
            assert!(self.stderr.contains(text), "no '{text}' in: {}", self.stderr);
        }
    }
}

/// A text without the line breaks that fold a long message.
pub fn unfolded(text: &str) -> String {
    let folds = regex::Regex::new(r"\n {6,}(\S)").expect("a pattern");
    folds.replace_all(text, " $1").into_owned()
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

/// Starts `full` with JSON output and these further arguments, for tests that do something meanwhile.
pub fn spawn(cloud: &Cloud, more: &[&str]) -> Child {
    let mut command = cloud.process(Principal::Both);
    command.args(full()).args(["--output", "json"]).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// Waits for the end of a run.
pub fn ended(child: Child) -> Run {
    let process = child.id().to_string();
    let (sender, output) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(Duration::from_secs(300)) else {
        let killed = std::process::Command::new("kill").args(["-KILL", &process]).status();
        panic!("the binary has not ended after five minutes: {killed:?}");
    };
    Run::of(output.expect("the binary ends"))
}

/// Kills a run, and lets its claim grow old, so that the next run does not wait for it.
pub fn killed(cloud: &Cloud, mut child: Child) {
    child.kill().expect("the run is killed");
    ended(child);
    cloud.heal();
    cloud.release();
    assert!(cloud.settles());
    cloud.age_claims(SERVING);
}

/// A call that a test waits for.
pub struct Arrival(mpsc::Receiver<()>);

impl Arrival {
    /// The first call of this moment.
    pub fn of(cloud: &Cloud, at: Moment) -> Self {
        let (sender, receiver) = mpsc::channel();
        cloud.hook(at, move |_| sender.send(()).expect("the test waits"));
        Self(receiver)
    }

    /// Waits until the call has arrived.
    pub fn wait(self) {
        self.0.recv_timeout(PATIENCE).expect("the run gets there");
    }
}

/// The most memory that a process has had, in MiB; nothing when it has ended.
pub fn high_water_mark(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1024)
}

/// The calls that could have changed something, as `operation resource`.
pub fn writes(cloud: &Cloud) -> Vec<String> {
    let reads = ["Get", "Head", "List", "Describe", "AssumeRole", "BatchGet", "BatchCheck", "DownloadLayer"];
    let calls = cloud.calls().into_iter().filter(|call| !reads.iter().any(|verb| call.operation.starts_with(verb)));
    calls.map(|call| format!("{} {}", call.operation, call.resource)).collect()
}

/// The versions of the target group.
pub fn promoted(cloud: &Cloud) -> Vec<Value> {
    cloud.packages(TARGET_ACCOUNT, GROUP)
}

/// Credentials of the two accounts, each with no rights in the other.
pub const TWO_PRINCIPALS: [&str; 4] = ["--source-profile", "source", "--target-profile", "target"];

/// An approved package of one container with this model data.
pub fn model(url: &str) -> Value {
    let image = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1";
    json!({
        "ModelPackageGroupName": GROUP,
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {"Containers": [{"Image": image, "ModelDataUrl": url}]}
    })
}

/// The last CreateModelPackage request.
pub fn create_request(cloud: &Cloud) -> Value {
    cloud.calls_of("CreateModelPackage").pop().expect("a package was created").request
}

/// The artifact of a document that was copied from this URL.
pub fn artifact<'a>(document: &'a Value, source: &str) -> &'a Value {
    let artifacts = document["artifacts"].as_array().into_iter().flatten();
    let found: Vec<&Value> = artifacts.filter(|artifact| artifact["source"] == source).collect();
    assert_eq!(found.len(), 1, "artifacts from {source} in {document:#}");
    found[0]
}

/// What a document says about a field that stays at the source.
pub fn not_carried<'a>(document: &'a Value, field: &str) -> &'a Value {
    let found = document["not_carried"].as_array().into_iter().flatten().find(|listed| listed["field"] == field);
    found.unwrap_or_else(|| panic!("{field} is not listed in {:#}", document["not_carried"]))
}
