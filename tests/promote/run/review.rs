//! A plan, an approval of it some days later, and whatever happens in between: what is done is in the plan.
//!
//! `REVIEW_SEEDS=1-500` (`make reviews`) runs these seeds, `REVIEW_SEEDS=17` one; without it a sample is run.

mod state;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};

use super::faults::{AT_ONCE, each, seeds};
use super::rollback::three;
use super::withdraw::withdraw;
use crate::support::{Cloud, Moment, Principal, SOURCE_ACCOUNT, TestImage};
use crate::world::*;
use state::State;

/// What `make test` runs.
const SAMPLE: std::ops::RangeInclusive<u64> = 1..=24;
const TARGET_VERSION: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/";

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// The source decides about a version.
    Decide(u32, &'static str),
    /// The source changes the metadata of a version.
    Metadata(u32, &'static str),
    /// The source changes the description of a version, which no Update carries.
    Describe(u32),
    Replace,
    PushImage,
    Register,
    Hold,
    Release,
    RollBack,
    /// The target decides about a version.
    DecideThere(u32, &'static str),
    /// The target changes the metadata of a version.
    MetadataThere(u32),
    RemoveCopy(u32),
    Full,
    Withdraw,
}

/// What the source may do, or who holds the group: the target's versions stay as they are.
fn beside_the_target(random: &mut Rng) -> Act {
    let version = random.u32(1..=4);
    match random.usize(0..8) {
        0 | 1 => Act::Decide(version, random.choice(&["Approved", "Rejected", "PendingManualApproval"]).expect("one")),
        2 | 3 => Act::Metadata(version, random.choice(&["risk", "fraud", "growth"]).expect("one")),
        4 => Act::Describe(version),
        5 => *random.choice(&[Act::Replace, Act::PushImage]).expect("one"),
        6 => Act::Register,
        _ => Act::Hold,
    }
}

fn any(random: &mut Rng) -> Act {
    let version = random.u32(1..=4);
    match random.usize(0..14) {
        0 => Act::DecideThere(version, random.choice(&["Approved", "Rejected", "PendingManualApproval"]).expect("one")),
        1 => Act::MetadataThere(version),
        2 => Act::RemoveCopy(version),
        3 => Act::Full,
        4 => Act::Withdraw,
        5 => Act::RollBack,
        6 => Act::Release,
        _ => beside_the_target(random),
    }
}

/// What the source does before the plan is made, and takes back after it.
fn taken_back(random: &mut Rng) -> [Act; 2] {
    let version = random.u32(1..=3);
    let withdrawal = ["Rejected", "Approved"].map(|status| Act::Decide(version, status));
    let update = ["risk", "growth"].map(|team| Act::Metadata(version, team));
    if random.bool() { withdrawal } else { update }
}

impl Act {
    fn carry_out(self, cloud: &Cloud) {
        let source = |version: u32| SOURCE_VERSION.replace("/1", &format!("/{version}"));
        let target = |version: u32| format!("{TARGET_VERSION}{version}");
        let change = |arn: String, members: Value| {
            if cloud.package(&arn).is_some() {
                cloud.change(&arn, members);
            }
        };
        let held = |verb: &str, more: &[&str]| {
            let flags = [verb, "--target-group", GROUP, "--target-bucket", SERVING, "--output", "json"];
            run(cloud, Principal::Both, &[&flags[..], more].concat());
        };
        match self {
            Act::Decide(version, status) => {
                let reason = format!("{status} by the board");
                change(source(version), json!({"ModelApprovalStatus": status, "ApprovalDescription": reason}));
            }
            Act::Metadata(version, team) => {
                change(source(version), json!({"CustomerMetadataProperties": {"team": team}}));
            }
            Act::Describe(version) => change(source(version), json!({"ModelPackageDescription": "Another one"})),
            Act::Replace => cloud.put(MODELS, "churn/model.tar.gz", "other weights"),
            Act::PushImage => drop(cloud.push(SOURCE_ACCOUNT, "serve", "1", &TestImage::small("moved"))),
            Act::Register => drop(cloud.register(model("s3://models/churn/model.tar.gz"))),
            Act::Hold => held("hold", &["--reason", "Audit"]),
            Act::Release => held("release", &[]),
            Act::RollBack => held("rollback", &["--reason", "Latency alarm", "--settle-seconds", "0"]),
            Act::DecideThere(version, status) => change(target(version), json!({"ModelApprovalStatus": status})),
            Act::MetadataThere(version) => {
                if let Some(package) = cloud.package(&target(version)) {
                    let mut metadata = package["CustomerMetadataProperties"].clone();
                    metadata["team"] = json!("ours");
                    cloud.change(&target(version), json!({"CustomerMetadataProperties": metadata}));
                }
            }
            Act::RemoveCopy(version) => {
                let folder = FOLDER.replace("-v1/", &format!("-v{version}/"));
                cloud.remove(SERVING, &format!("{folder}models/churn/model.tar.gz"));
            }
            Act::Full => drop(promote(cloud, &[])),
            Act::Withdraw => drop(withdraw(cloud, &[])),
        }
    }
}

/// What happens before the plan is made, between the plan and its approval, and at a call of the run that carries it out.
#[derive(Debug)]
struct Review {
    before: Vec<Act>,
    between: Vec<Act>,
    meanwhile: Option<(usize, Act)>,
}

fn review(seed: u64) -> Review {
    let mut random = Rng::with_seed(seed);
    let mut before: Vec<Act> = (0..random.usize(1..4)).map(|_| any(&mut random)).collect();
    let mut between: Vec<Act> = (0..random.usize(0..3)).map(|_| any(&mut random)).collect();
    if random.bool() {
        let [does, takes_back] = taken_back(&mut random);
        before.push(does);
        between.insert(0, takes_back);
    }
    let meanwhile = random.bool().then(|| (random.usize(1..90), beside_the_target(&mut random)));
    Review { before, between, meanwhile }
}

#[test]
fn what_is_done_after_a_review_is_in_the_plan_whatever_has_changed() {
    let seeds = seeds("REVIEW_SEEDS").unwrap_or_else(|| SAMPLE.collect());
    each(AT_ONCE, &seeds, |seed| {
        let review = review(*seed);
        holds(&review).with_context(|| format!("seed {seed} (`make reviews SEEDS={seed}` runs it alone): {review:?}"))
    });
}

fn holds(review: &Review) -> Result<()> {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    review.before.iter().for_each(|act| act.carry_out(&cloud));
    let file = cloud.home().join("plan.json").display().to_string();
    let made = promote(&cloud, &["--dry-run", "--record", &file]);
    if made.code != 0 {
        return Ok(());
    }
    let plan = made.document();
    review.between.iter().for_each(|act| act.carry_out(&cloud));
    if let Some((call, act)) = review.meanwhile {
        cloud.hook(Moment::nth(call), move |cloud| act.carry_out(cloud));
    }
    let before = State::of(&cloud);
    let calls = writes(&cloud).len();
    let run = promote(&cloud, &["--plan", &file]);
    let after = State::of(&cloud);
    let said = || {
        let versions = (&before.versions, &after.versions);
        format!("{}{}\nplanned: {:#}\n{versions:#?}", run.stdout, run.stderr, plan["planned"])
    };
    before.changes(&after, &plan).with_context(said)?;
    let is_held = serde_json::from_str::<Value>(&run.stdout).is_ok_and(|document| document["outcome"] == "held");
    if run.code == 0 && !is_held {
        after.has_all(&plan).with_context(said)?;
    }
    if run.stderr.contains("cannot be carried out any more") && review.meanwhile.is_none() {
        let done = writes(&cloud).split_off(calls);
        ensure!(done.is_empty(), "it stopped after a write: {done:?}: {}", said());
    }
    let has = |start: &str| run.stderr.lines().any(|line| line.starts_with(start));
    let expected = match (has("error: "), has("promoted, but ") || has("unconfirmed: ")) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    };
    ensure!(run.code == expected, "exit code {} instead of {expected}: {}", run.code, said());
    Ok(())
}

#[test]
fn a_withdrawal_that_is_not_in_the_plan_is_not_carried_out_in_a_held_group_either() {
    let cloud = three();
    Act::Hold.carry_out(&cloud);
    let file = cloud.home().join("plan.json").display().to_string();
    assert_eq!(promote(&cloud, &["--dry-run", "--record", &file]).document()["planned"], json!([]));
    // The first description is for the comparison.
    let second = SOURCE_VERSION.replace("/1", "/2");
    let decides = Moment::on("DescribeModelPackage", 2).at(&second);
    cloud.hook(decides, |cloud| Act::Decide(2, "Rejected").carry_out(cloud));
    promote(&cloud, &["--plan", &file]).fails(1, &["not in the plan: reject"]);
    assert_eq!(promoted(&cloud)[1]["ModelApprovalStatus"], "Approved");
}

#[test]
fn an_update_of_another_version_with_a_value_that_was_set_after_the_comparison_is_not_carried_out() {
    let cloud = three();
    Act::Metadata(1, "risk").carry_out(&cloud);
    let file = cloud.home().join("plan.json").display().to_string();
    assert_eq!(promote(&cloud, &["--dry-run", "--record", &file]).document()["planned"][0]["act"], "update");
    // The first description is for the comparison.
    let changes = Moment::on("DescribeModelPackage", 2).at(SOURCE_VERSION);
    cloud.hook(changes, |cloud| Act::Metadata(1, "fraud").carry_out(cloud));
    promote(&cloud, &["--plan", &file]).fails(1, &["would be updated with other values"]);
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "growth");
}

#[test]
fn a_plan_with_an_update_of_its_own_version_can_be_carried_out_again() {
    let cloud = three();
    Act::Metadata(3, "risk").carry_out(&cloud);
    let file = cloud.home().join("plan.json").display().to_string();
    assert_eq!(promote(&cloud, &["--dry-run", "--record", &file]).document()["planned"][0]["act"], "update");
    for _ in 0..2 {
        promote(&cloud, &["--plan", &file]).document();
        assert_eq!(promoted(&cloud)[2]["CustomerMetadataProperties"]["team"], "risk");
    }
}
