//! The history of promoted versions: random edits on both sides, decisions, deletions, runs and interrupted runs. After
//! each clean run, the target and its records are what a small model says.
//!
//! `HISTORY_SEEDS=1-10000` (`make histories`) runs these seeds, `HISTORY_SEEDS=17` one; without it a sample is run.

mod described;
mod model;
mod promoted;
mod step;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::faults::{AT_ONCE, each, seeds};
use crate::stand_in::client::Client;
use crate::support::{Cloud, Failure, Principal, SOURCE_ACCOUNT};
use crate::world::*;
use model::{Model, REGISTERED};
use promoted::Leaves;
use step::{Step, sequence, signs, source, source_edit, target_edit};

/// What `make test` runs.
const SAMPLE: std::ops::RangeInclusive<u64> = 1..=30;

#[test]
fn the_target_and_its_records_follow_the_source_through_every_history() {
    let asked = seeds("HISTORY_SEEDS");
    // Alone on the machine, more of them fill the time that runs wait.
    let at_once = if asked.is_some() { 4 * AT_ONCE } else { AT_ONCE };
    each(at_once, &asked.unwrap_or_else(|| SAMPLE.collect()), |seed| {
        let (steps, signs) = (sequence(*seed), signs(*seed));
        let holds = |steps: &[Step]| holds(steps, signs);
        let Err(error) = holds(&steps) else { return Ok(()) };
        let steps = shrunk(steps, holds);
        let told: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
        let error = holds(&steps).err().unwrap_or(error);
        Err(error).with_context(|| {
            format!("seed {seed} (`make histories SEEDS={seed}` runs it alone), shrunk to\n{}", told.join("\n"))
        })
    });
}

/// The sequence without every step that it fails without.
fn shrunk(mut steps: Vec<Step>, holds: impl Fn(&[Step]) -> Result<()>) -> Vec<Step> {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if holds(&fewer).is_err() { steps = fewer } else { at += 1 }
    }
    steps
}

fn holds(steps: &[Step], signs: bool) -> Result<()> {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    let mut model = Model::new(signs);
    for (number, step) in steps.iter().chain([&Step::Run { checked: true }]).enumerate() {
        let before = at_source(&cloud);
        take(step, &cloud, &mut model).with_context(|| format!("step {} ({step:?})", number + 1))?;
        if step.is_run() {
            let after = at_source(&cloud);
            ensure!(before == after, "step {} ({step:?}) changes the source: {before:?} is {after:?}", number + 1);
        }
    }
    Ok(())
}

/// What the source account has: the versions, and the objects with the times of their last changes.
fn at_source(cloud: &Cloud) -> (Vec<Value>, Vec<(String, f64)>) {
    let modified = |key: String| cloud.object(MODELS, &key).map(|object| (key, object.modified));
    (cloud.packages(SOURCE_ACCOUNT, GROUP), cloud.keys(MODELS).into_iter().filter_map(modified).collect())
}

fn take(step: &Step, cloud: &Cloud, model: &mut Model) -> Result<()> {
    match step {
        Step::Register => model.register(cloud),
        Step::AtSource { version, edit } => {
            if model.may_edit(*version, edit) {
                source_edit(cloud, *version, edit);
            }
        }
        Step::ApprovalAtSource { version, status } => {
            if model.is_registered(*version) {
                cloud.change(&source(*version), status.members("source"));
            }
        }
        Step::AtTarget { version, edit } => {
            if let Some(arn) = model.settled(cloud, *version) {
                target_edit(cloud, &arn, edit);
                model.edited(cloud, *version);
                model.is_told(cloud, *version)?;
            }
        }
        Step::ApprovalAtTarget { version, status } => {
            if let Some(arn) = model.settled(cloud, *version) {
                cloud.change(&arn, status.members("target"));
                model.decide(*version, *status);
                model.is_told(cloud, *version)?;
            }
        }
        Step::DeletedAtSource { version } => {
            if model.is_registered(*version) {
                delete(cloud, Principal::Source, &source(*version));
                model.deleted(*version);
            }
        }
        Step::DeletedInTarget { version } => {
            if let Some(arn) = model.settled(cloud, *version).filter(|_| !model.is_older_than_bytes(*version)) {
                delete(cloud, Principal::Target, &arn);
                model.forget(cloud, *version);
                // The next run would wait for the run that has registered it.
                cloud.age_claims(SERVING);
            }
        }
        Step::RecordLost { version } => {
            if let Some(record) = model.lose_record(cloud, *version) {
                cloud.remove(SERVING, &record);
                cloud.remove(SERVING, &format!("{record}.dsse"));
            }
        }
        Step::Interrupted(interruption) => {
            cloud.fail(interruption.moment(), Failure::Reset);
            promote(cloud, model.flags());
            cloud.heal();
            ensure!(cloud.settles(), "a client of the stand-in stays connected");
            model.observe(cloud).context("after the interrupted run")?;
        }
        Step::BytesAtSource(bytes) => {
            if model.may_replace_bytes(cloud) {
                cloud.put(MODELS, "churn/model.tar.gz", format!("weights {bytes}"));
            }
        }
        Step::Hold(held) => {
            let (verb, more): (_, &[&str]) = if *held { ("hold", &["--reason", "Audit"]) } else { ("release", &[]) };
            let at = ["--target-group", GROUP, "--target-bucket", SERVING];
            let run = run(cloud, Principal::Both, &[&[verb][..], &at, more].concat());
            ensure!(run.code == 0, "{verb} ends {}: {}", run.code, run.stderr);
            model.held = *held;
        }
        Step::RunThatLeaves => {
            let run = promote(cloud, &[model.flags(), &["--approval", "pending"]].concat());
            follows(cloud, model, Leaves::Pending, &run)?;
        }
        Step::TwoRuns => {
            let runs = [(); 2].map(|()| spawn(cloud, model.flags())).map(ended);
            ensure!(
                runs.iter().all(|run| run.code == 0),
                "one of two runs fails: {}{}",
                runs[0].stderr,
                runs[1].stderr
            );
            follows(cloud, model, Leaves::Nothing, &runs[0])?;
        }
        Step::Run { checked } => {
            let run = promote(cloud, model.flags());
            follows(cloud, model, Leaves::Nothing, &run)?;
            if !checked {
                return Ok(());
            }
            let again = (promoted(cloud), cloud.keys(SERVING));
            let run = promote(cloud, model.flags());
            ensure!(run.code == 0, "a repeated run ends {}: {}", run.code, run.stderr);
            ensure!(again == (promoted(cloud), cloud.keys(SERVING)), "a repeated run has written: {}", run.stdout);
        }
    }
    ensure!(promoted(cloud).len() <= REGISTERED as usize, "a version was promoted twice");
    Ok(())
}

/// The target is what the model has after a clean run, and `verify` agrees.
fn follows(cloud: &Cloud, model: &mut Model, leaves: Leaves, run: &Run) -> Result<()> {
    ensure!(run.code == 0, "a clean run ends {}: {}", run.code, run.stderr);
    model.run(cloud, leaves);
    let said = || format!("the run said {}{}", run.stderr, run.stdout);
    model.agrees(cloud).with_context(said)?;
    for arn in model.verifiable(cloud) {
        let verified = verify(cloud, model, &arn);
        ensure!(verified.code == 0, "verify: {}{}\n{}", verified.stdout, verified.stderr, said());
    }
    Ok(())
}

impl Model {
    /// `verify` says what somebody in the target account has changed since the last clean run.
    fn is_told(&self, cloud: &Cloud, version: u32) -> Result<()> {
        let Some((arn, changed)) = self.changed_since_the_run(cloud, version) else { return Ok(()) };
        let verified = verify(cloud, self, &arn);
        ensure!(verified.code == 5, "verify does not see the change: {}{}", verified.stdout, verified.stderr);
        let document: Value = serde_json::from_str(&verified.stdout).context("verify prints a document")?;
        let findings = document["findings"].as_array().context("it has findings")?;
        let named =
            findings.iter().filter(|finding| finding["verdict"] == "changed").filter_map(|one| one["name"].as_str());
        let named: Vec<&str> = named.collect();
        for field in changed {
            ensure!(named.iter().any(|name| is_named(&field, name)), "verify does not name {field}: {named:?}");
        }
        Ok(())
    }
}

/// Whether `verify` has a field of the model in this name.
fn is_named(field: &str, name: &str) -> bool {
    match field.strip_prefix('{').and_then(|field| field.strip_suffix('}')) {
        Some(key) => name.starts_with("CustomerMetadataProperties") && name.contains(key),
        None if field == "second" => name.starts_with("AdditionalInferenceSpecifications") && name.contains("second"),
        None => name.starts_with(field),
    }
}

fn verify(cloud: &Cloud, model: &Model, arn: &str) -> Run {
    let arguments = [&["verify", "--model-package", arn, "--output", "json"][..], model.flags()].concat();
    run(cloud, Principal::Both, &arguments)
}

/// Deletes a version, as somebody in its account would.
fn delete(cloud: &Cloud, who: Principal, arn: &str) {
    let answer = Client::new(cloud, who).registry("DeleteModelPackage", json!({"ModelPackageName": arn}));
    assert_eq!(answer.status, 200, "{}", answer.text());
}
