//! The runs whose rights are recorded: one line each in the table.

use serde_json::json;

use super::*;
use crate::support::kms::SIGN_KEY;
use crate::support::{Attributes, Body, Failure, Moment, REGION, Spelling, TestImage};

/// A cloud after the builds of one stack.
pub struct Recorded {
    pub cloud: Cloud,
    pub deployed: Deployed,
    /// Whether the build's role has no rights at the source but to assume a role.
    pub streams: bool,
}

/// What a run does.
type Scenario = fn() -> Recorded;

/// What each run is about, and the run.
pub const RUNS: [(&str, Scenario); 27] = [
    ("server-side, twice", || stack(&[], with_package()).promotes("promoted").promotes("already promoted")),
    ("group names as they were created", || {
        let cloud = with_package();
        cloud.spell(Spelling::AsCreated);
        stack(&[], cloud).promotes("promoted").promotes("already promoted")
    }),
    ("everything named", || stack(&NAMED, with_package()).promotes("promoted")),
    ("streaming with a role of the source", || stack(&READER, with_package()).streams().promotes("promoted")),
    ("the groups of a pattern, twice", || {
        let stack = groups(&["--target-group", "prod-{group}"]);
        stack.promotes("2 groups: 2 promoted").promotes("2 groups: 2 already-promoted")
    }),
    ("the groups of a pattern with a role of the source", || {
        groups(&READER).streams().promotes("2 groups: 2 promoted")
    }),
    ("the page of the groups of a pattern", || {
        groups(&["--status-page", "true", "--target-prefix", "prod/"]).promotes("2 groups: 2 promoted").keeps_the_page()
    }),
    ("a dry run", || stack(&[], with_package()).reviews("dry run, nothing was written: would register a version in")),
    ("a reviewed plan, and a withdrawal before the next review", || {
        let reviewed = stack(&SIGNED, with_package()).plans().carries_out();
        reviewed.rejects_latest().withdraws()
    }),
    ("doctor after a build that has failed", || stack(&["--images", "keep"], with_package()).diagnosed()),
    ("doctor for the groups of a pattern", || {
        groups(&["--target-group", "prod-{group}", "--images", "keep"]).diagnosed()
    }),
    ("a group that is held", || stack(&[], with_package()).promotes("promoted").held()),
    ("nothing approved", || stack(&[], rejected()).promotes("nothing approved")),
    ("keys on both sides, twice", || stack(&KEYS, encrypted()).promotes("promoted").promotes("already promoted")),
    ("a bucket whose default is a customer's key", || stack(&[], with_default_key()).promotes("promoted")),
    ("a key at the source that is not named", || stack(&[], encrypted()).promotes("promoted")),
    ("an unfinished upload of a run before", || stack(&[], large()).breaks_off().promotes("promoted")),
    ("an object in parts below a prefix", || stack(&["--target-prefix", "prod/"], large()).promotes("promoted")),
    ("an object in parts below another one", || stack(&["--target-prefix", "other/"], large()).promotes("promoted")),
    ("a version that fails in the target", || stack(&[], failing()).fails("the image does not exist")),
    ("a version that the source rejects, and approves again", || {
        let before = stack(&[], crate::world::with_package())
            .promotes("promoted")
            .becomes("Rejected")
            .promotes("nothing approved");
        before.becomes("Approved").promotes("approved again")
    }),
    ("a version that the source rejects, and an older one", || {
        stack(&[], with_package()).promotes("promoted").rejects_latest().promotes("promoted")
    }),
    ("images of named repositories, below a prefix", || stack(&REPOSITORIES, with_package()).promotes("promoted")),
    ("an image that AWS provides", || stack(&[], with_image_of_aws()).promotes("promoted")),
    ("images that are kept", || stack(&["--images", "keep"], with_package()).promotes("promoted")),
    ("a signed record", || stack(&SIGNED, with_package()).promotes("promoted")),
    ("another prefix than before", || {
        stack(&[], with_package()).promotes("promoted").moves_to("other/").gets(package()).promotes("promoted")
    }),
];

const REPOSITORIES: [&str; 4] = ["--image-repository-names", "serve,l*", "--image-repository-prefix", "models/"];
const SIGNED: [&str; 2] = ["--signing-key-arn", SIGN_KEY];

/// The second bucket of the source.
const METRICS: &str = "metrics";
const NAMED: [&str; 6] = [
    "--source-bucket-names",
    "models,metrics",
    "--target-model-package-group-name",
    "Churn-Prod",
    "--target-prefix",
    "prod/",
];
const READER: [&str; 2] = ["--source-role-arn", "arn:aws:iam::444333666777:role/reader"];
const SOURCE_KEY: &str = "arn:aws:kms:eu-central-1:444333666777:key/source";
const TARGET_KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/target";
const KEYS: [&str; 4] = ["--source-kms-key-arn", SOURCE_KEY, "--kms-key-arn", TARGET_KEY];

fn stack(inputs: &[&'static str], cloud: Cloud) -> Recorded {
    Recorded { cloud, deployed: Deployed::with(inputs), streams: false }
}

/// A stack for a pattern that two groups match.
fn groups(inputs: &[&'static str]) -> Recorded {
    let cloud = crate::world::with_package();
    for name in ["team-a", "team-b"] {
        cloud.put(MODELS, &format!("{name}.tar.gz"), name);
        let mut package = model(&format!("s3://{MODELS}/{name}.tar.gz"));
        package["ModelPackageGroupName"] = json!(name);
        cloud.register(package);
    }
    Recorded { cloud, deployed: Deployed::for_group(PATTERN, inputs), streams: false }
}

/// The package of the world, with a report and a prefix in a second bucket.
fn with_package() -> Cloud {
    let cloud = crate::world::with_package();
    cloud.create_bucket(METRICS, SOURCE_ACCOUNT);
    cloud.put(METRICS, "report.json", "{}");
    cloud.put(METRICS, "embeddings/1.bin", "one");
    let mut package = package();
    package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] = "s3://metrics/report.json".into();
    let mut second = package["AdditionalInferenceSpecifications"][0]["Containers"][0].clone();
    second["ModelDataSource"]["S3DataSource"]["S3Uri"] = "s3://metrics/embeddings/".into();
    let containers = package["AdditionalInferenceSpecifications"][0]["Containers"].as_array_mut();
    containers.expect("containers").push(second);
    cloud.register(package);
    cloud
}

fn rejected() -> Cloud {
    let cloud = crate::world::with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    cloud
}

fn encrypted() -> Cloud {
    let cloud = world();
    cloud.put_with(MODELS, "m.tar.gz", "weights", Attributes::default().kms(SOURCE_KEY));
    cloud.register(model("s3://models/m.tar.gz"));
    cloud
}

/// The target bucket encrypts with a key of its account.
fn with_default_key() -> Cloud {
    let cloud = world();
    cloud.encrypt_bucket(SERVING, TARGET_KEY);
    cloud.put(MODELS, "m.tar.gz", "weights");
    cloud.register(model("s3://models/m.tar.gz"));
    cloud
}

fn large() -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", Body::synthetic(6 << 30, 6));
    cloud.register(model("s3://models/m.tar.gz"));
    cloud
}

/// The package has an image of AWS in another region, which AWS provides in the target's region too.
fn with_image_of_aws() -> Cloud {
    let (cloud, account, name) = (world(), "763104351884", "pytorch-inference");
    cloud.provide(account, REGION, name, "2.3", &TestImage::small("theirs"));
    cloud.put(MODELS, "m.tar.gz", "weights");
    let mut package = model("s3://models/m.tar.gz");
    package["InferenceSpecification"]["Containers"][0]["Image"] =
        format!("{account}.dkr.ecr.us-west-2.amazonaws.com/{name}:2.3").into();
    cloud.register(package);
    cloud
}

fn failing() -> Cloud {
    let cloud = with_package();
    cloud.fail_next_package("the image does not exist");
    cloud
}

impl Recorded {
    fn streams(mut self) -> Self {
        self.streams = true;
        self
    }

    fn run(&self, stage: &[(&str, &str)]) -> Run {
        let who = if self.streams { Principal::Target } else { Principal::Both };
        Run::of(self.deployed.build(&self.cloud, who, stage).output().expect("the binary starts"))
    }

    /// The next build ends well and says this.
    fn promotes(self, outcome: &str) -> Self {
        let run = self.run(&[]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains(outcome), "{}", run.stdout);
        self
    }

    /// The dry run of the review stage ends well and says this.
    fn reviews(self, outcome: &str) -> Self {
        let run = self.run(&[("PROMOTE_DRY_RUN", "true")]);
        assert!(run.code == 0 && run.stdout.contains(outcome), "{}{}", run.stdout, run.stderr);
        self
    }

    /// The dry run of the review stage makes the plan.
    fn plans(self) -> Self {
        let run = self.run(&[("PROMOTE_DRY_RUN", "true"), ("PROMOTE_RECORD", "plan.json")]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        self
    }

    /// The stage after the review carries the plan out.
    fn carries_out(self) -> Self {
        let run = self.run(&[("PROMOTE_PLAN", "plan.json")]);
        assert!(run.code == 0 && run.stdout.contains("promoted"), "{}{}", run.stdout, run.stderr);
        self
    }

    /// After the promotion, the build writes the page.
    fn keeps_the_page(self) -> Self {
        let run = self.run(&[("VERB", "status"), ("PROMOTE_RECORD", "")]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(self.cloud.object(SERVING, "prod/mlops/status.html").is_some(), "{:?}", self.cloud.keys(SERVING));
        self
    }

    /// The stage before the review rejects what the source has rejected.
    fn withdraws(self) -> Self {
        let run = self.run(&[("VERB", "withdraw")]);
        assert!(run.code == 0 && run.stdout.contains("withdrew 1 version"), "{}{}", run.stdout, run.stderr);
        self
    }

    /// The build has failed and runs doctor, which asks for what the build needs and for nothing else.
    fn diagnosed(self) -> Self {
        let run = self.run(&[("VERB", "doctor"), ("PROMOTE_RECORD", "")]);
        let is_report = ["Outcome ", "GROUP "].iter().any(|first| run.stdout.starts_with(first));
        assert!(is_report, "{}{}", run.stdout, run.stderr);
        assert!(!run.stdout.contains("denied        target"), "{}{}", run.stdout, run.stderr);
        self
    }

    /// The group is held: the build says by whom and why.
    fn held(self) -> Self {
        let flags = ["hold", "--target-group", crate::world::GROUP, "--reason", "Audit"];
        assert_eq!(crate::world::run(&self.cloud, Principal::Both, &flags).code, 0);
        self.cloud.forget_checks();
        let run = self.run(&[]);
        assert!(run.code == 0 && run.stderr.contains("Audit"), "{}{}", run.stdout, run.stderr);
        self
    }

    fn fails(self, says: &str) -> Self {
        self.run(&[]).fails(1, &[says]);
        self
    }

    /// A build fails in the middle of an upload that it cannot abort.
    fn breaks_off(self) -> Self {
        let broken = || Failure::Status(500, "InternalError", "We are sorry");
        self.cloud.fail(Moment::every("UploadPartCopy"), broken());
        self.cloud.fail(Moment::every("AbortMultipartUpload"), broken());
        let run = self.run(&[]);
        assert_eq!((run.code, self.cloud.uploads(SERVING).len()), (1, 1), "{}", run.stderr);
        self.cloud.heal();
        self
    }

    /// The source decides anew about its first version.
    fn becomes(self, status: &str) -> Self {
        self.cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        self
    }

    /// The source rejects its second version.
    fn rejects_latest(self) -> Self {
        let second = SOURCE_VERSION.replace("/1", "/2");
        self.cloud.change(&second, json!({"ModelApprovalStatus": "Rejected"}));
        self
    }

    /// A further version is registered and approved at the source.
    fn gets(self, package: Value) -> Self {
        self.cloud.register(package);
        self
    }

    /// The stack is updated to another prefix: what was promoted below the first is found.
    fn moves_to(mut self, prefix: &'static str) -> Self {
        self.deployed = Deployed::with(&["--target-prefix", prefix]);
        self.cloud.forget_checks();
        let run = self.run(&[]);
        assert!(run.code == 0 && run.stderr.contains("promoted with other settings"), "{}", run.stderr);
        self
    }
}
