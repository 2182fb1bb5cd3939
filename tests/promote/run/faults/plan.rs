//! The fault plan: a seed makes a small world, a way to copy, and faults. A run under these faults is followed by a
//! clean one, which completes what the first has left, and copies nothing a second time.
//!
//! `FAULT_SEEDS=1-2000` (`make faults`) runs these seeds, `FAULT_SEEDS=17` one; without it a sample is run.

mod again;
mod case;

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::proof::{all_copied, approved_last, artifacts, complete, ends_clearly};
use crate::support::{Cloud, Failure, Moment, Principal};
use crate::world::*;
use again::Before;
use case::{Case, Kill};

/// Runs under way at once: most of the time they wait for the SDK to try again.
const AT_ONCE: usize = 16;

/// What `make test` runs; it has no time for seeds that wait until the program gives a stalled connection up.
const SAMPLE: std::ops::RangeInclusive<u64> = 1..=36;

/// No run takes as long, unless it hangs.
const HANGS: Duration = Duration::from_secs(120);

#[test]
fn whatever_fails_the_next_run_completes_it_and_copies_nothing_twice() {
    let seeds = super::seeds("FAULT_SEEDS");
    let seeds = seeds.unwrap_or_else(|| SAMPLE.filter(|seed| !Case::of(*seed).stalls()).collect());
    super::each(AT_ONCE, &seeds, |seed| {
        let case = Case::of(*seed);
        holds(&case).with_context(|| format!("seed {seed} (`make faults SEEDS={seed}` runs it alone), {case}"))
    });
}

fn holds(case: &Case) -> Result<()> {
    let cloud = case.world();
    let first = disturbed(case, &cloud)?;
    let said = format!("first {}: {}", first.code, first.stderr);
    half_done(&cloud).with_context(|| said.clone())?;
    if !case.is_killed() {
        ends_clearly(&first, &cloud).with_context(|| said.clone())?;
    }
    let before = Before::of(&cloud);
    let second = Run::of(ended_in_time(start(case, &cloud, 1, None)?)?);
    let said = || format!("{said}second {}: {}", second.code, second.stderr);
    ensure!(second.code == 0, "the clean run fails; {}", said());
    complete(&cloud).with_context(said)?;
    recorded(&cloud, &second).with_context(said)?;
    approved_last(&cloud.calls()).with_context(said)?;
    before.nothing_is_copied_again(&cloud).with_context(said)
}

/// The run with the faults; when it has ended, all that it asked for has been done.
fn disturbed(case: &Case, cloud: &Cloud) -> Result<Run> {
    cloud.weather(case.weather.clone());
    let (tell, told) = mpsc::channel();
    if let Some(Kill { signal, call, arrives }) = case.kill {
        if !arrives {
            cloud.fail(Moment::nth(call), Failure::Reset);
        }
        cloud.hook(Moment::nth(call), move |_| {
            if let Ok(process) = told.recv() {
                send(signal, process);
            }
        });
    }
    let child = start(case, cloud, case.attempts, Some("1"))?;
    let _ = tell.send(child.id());
    let output = ended_in_time(child)?;
    cloud.heal();
    ensure!(cloud.settles(), "a client of the stand-in stays connected");
    cloud.age_claims(SERVING);
    Ok(Run::of(output))
}

/// Starts a run that gives up what stalls for so many seconds.
fn start(case: &Case, cloud: &Cloud, attempts: u32, stall: Option<&str>) -> Result<Child> {
    let mut command = cloud.process(Principal::Both);
    command
        .args(full())
        .args(["--output", "json"])
        .args(case.flags())
        .env("PROMOTE_STALL_SECONDS", stall.unwrap_or_default())
        .env("AWS_MAX_ATTEMPTS", attempts.to_string());
    Ok(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

fn ended_in_time(child: Child) -> Result<Output> {
    let process = child.id();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    told.recv_timeout(HANGS)
        .or_else(|_| {
            send("KILL", process);
            anyhow::bail!("the run hangs")
        })?
        .context("the run's output")
}

fn send(signal: &str, process: u32) {
    let kill = Command::new("sh").arg("-c").arg(format!("kill -{signal} {process} 2>/dev/null")).status();
    kill.expect("a shell starts");
}

/// However a run ends: what is approved is complete, and there is at most one version.
fn half_done(cloud: &Cloud) -> Result<()> {
    let versions = promoted(cloud);
    ensure!(versions.len() <= 1, "{} versions after the first run", versions.len());
    if versions.iter().any(|version| version["ModelApprovalStatus"] == "Approved") {
        all_copied(cloud).context("approved by the first run")?;
    }
    approved_last(&cloud.calls())
}

/// The record beside the artifacts is what the run has told, and names each of them.
fn recorded(cloud: &Cloud, run: &Run) -> Result<()> {
    let record = cloud.object(SERVING, &format!("{FOLDER}promotion.json")).context("no record")?;
    let record: Value = serde_json::from_slice(&record.body.bytes())?;
    let told: Value = serde_json::from_str(&run.stdout)?;
    for document in [&record, &told] {
        let version = &promoted(cloud)[0]["ModelPackageArn"];
        ensure!(document["target"]["model_package_arn"] == *version, "another version is recorded: {document:#}");
        let listed = document["artifacts"].as_array().into_iter().flatten();
        let mut named: Vec<&str> = listed.filter_map(|one| one["target"].as_str()).collect();
        named.sort_unstable();
        let mut expected: Vec<String> =
            artifacts(cloud).iter().map(|one| format!("s3://{SERVING}/{}", one.copy)).collect();
        expected.sort_unstable();
        ensure!(named == expected, "{named:?} are recorded");
    }
    Ok(())
}
