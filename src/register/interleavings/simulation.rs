//! A registry, claims and time in memory. Every call of a run waits until the scheduler lets the run go on.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use aws_smithy_types::DateTime;
use serde_json::{Value, json};

use super::choices::Choices;
use super::fixtures::{GROUP_ARN, package, source_description};
use crate::aws::error::{CallError, Kind, Side};
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::claim::{CREATE_TIMEOUT, Claim, ClaimSeen, LEASE, VISIBLE_WITHIN};
use crate::model::field::Document;
use crate::register::services::{ClaimStore, Registry, Source};

/// What is broken on purpose, to show that the checks find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    Nothing,
    /// Every write of a claim succeeds.
    Claims,
    /// Every claim looks stale.
    Lease,
    /// Time stands still for a run between its claim and CreateModelPackage.
    Hold,
}

pub struct World {
    pub choices: Choices,
    pub now: Duration,
    start: Instant,
    /// The number of the scheduler's steps, and whether the run may make its call in this step.
    pub step: u64,
    pub may_call: bool,
    /// What the run that was polled last waits for.
    pub wants_to_call: bool,
    pub sleeps_until: Option<Duration>,
    pub tokens: bool,
    pub broken: Broken,
    pub versions: BTreeMap<u32, Version>,
    by_token: BTreeMap<String, u32>,
    claims: BTreeMap<u32, (Claim, Duration)>,
    in_flight: Vec<InFlight>,
    /// When the runs have claimed, if their time stands still.
    holding: BTreeMap<usize, Duration>,
    /// The number of versions that were ever created.
    pub created: u32,
    /// Whether a call of CreateModelPackage ended without a response.
    pub timed_out: bool,
    pub log: Vec<String>,
}

pub struct Version {
    pub description: Document,
    listed_from: Duration,
    described_from: Duration,
    pub deleted: bool,
}

struct InFlight {
    run: usize,
    sent: Duration,
    request: Document,
    ended: bool,
}

impl World {
    pub fn new(choices: Choices, tokens: bool, broken: Broken) -> Self {
        Self {
            choices,
            now: Duration::from_secs(10_000),
            start: Instant::now(),
            step: 0,
            may_call: false,
            wants_to_call: false,
            sleeps_until: None,
            tokens,
            broken,
            versions: BTreeMap::new(),
            by_token: BTreeMap::new(),
            claims: BTreeMap::new(),
            in_flight: Vec::new(),
            holding: BTreeMap::new(),
            created: 0,
            timed_out: false,
            log: Vec::new(),
        }
    }

    /// Adds a claim of a run that has ended.
    pub fn add_claim(&mut self, claim: Claim, age: Duration) {
        let number = self.claims.len() as u32;
        self.claims.insert(number, (claim, self.now - age));
    }

    /// Lets time pass. Requests that are under way for too long end.
    pub fn advance(&mut self, to: Duration) {
        let late = |flight: &InFlight| !flight.ended && flight.sent + CREATE_TIMEOUT <= to;
        while let Some(index) = self.in_flight.iter().position(late) {
            self.in_flight[index].ended = true;
            self.timed_out = true;
            let (request, at) = (self.in_flight[index].request.clone(), self.in_flight[index].sent + CREATE_TIMEOUT);
            if self.choices.pick(2) == 1 {
                self.add_version(request, at);
            }
        }
        self.now = self.now.max(to);
    }

    /// Ends a run. Its request may arrive now, later, or never.
    pub fn kill(&mut self, run: usize) {
        let under_way = |flight: &InFlight| !flight.ended && flight.run == run;
        if let Some(index) = self.in_flight.iter().position(under_way)
            && self.choices.pick(2) == 1
        {
            let request = self.in_flight[index].request.clone();
            self.in_flight[index].ended = true;
            self.add_version(request, self.now);
        }
    }

    fn add_version(&mut self, mut request: Document, at: Duration) -> u32 {
        let token = request.shift_remove("ClientToken").unwrap_or_default().to_string();
        if self.tokens
            && let Some(known) = self.by_token.get(&token)
        {
            return *known;
        }
        self.created += 1;
        let number = self.versions.keys().last().map_or(1, |last| last + 1);
        request.insert("ModelPackageArn".into(), json!(arn(number)));
        request.insert("ModelPackageStatus".into(), json!("Completed"));
        let lags = [Duration::ZERO, VISIBLE_WITHIN, VISIBLE_WITHIN / 2];
        let listed_from = at + lags[self.choices.pick(lags.len())];
        let described_from = at + lags[self.choices.pick(lags.len())];
        self.versions.insert(number, Version { description: request, listed_from, described_from, deleted: false });
        self.by_token.insert(token, number);
        self.log.push(format!("{at:?}: version {number}"));
        number
    }

    /// Registers a version without a call.
    pub fn register(&mut self, request: &Document, change: Value) -> u32 {
        let number = self.add_version(request.clone(), self.now - VISIBLE_WITHIN);
        let description = &mut self.versions.get_mut(&number).expect("it was added").description;
        description.extend(change.as_object().expect("members").clone());
        number
    }

    fn visible(&mut self, number: u32) -> Option<&mut Version> {
        let now = self.now;
        self.versions.get_mut(&number).filter(|version| !version.deleted && version.described_from <= now)
    }
}

pub fn arn(number: u32) -> String {
    format!("arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn/{number}")
}

/// The services, as one run sees them.
#[derive(Clone)]
pub struct Simulation {
    pub world: Arc<Mutex<World>>,
    pub run: usize,
}

impl Simulation {
    pub fn locked(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no run panics")
    }

    /// Waits for the scheduler, then logs a call.
    async fn call(&self, name: impl Into<String>) -> MutexGuard<'_, World> {
        Turn { world: &self.world, asked: None }.await;
        let mut world = self.locked();
        let line = format!("{:?}: run {} {}", world.now, self.run, name.into());
        world.log.push(line);
        world
    }

    /// Stops the time of this run, if the world is broken in this way.
    fn hold(&self) {
        let mut world = self.locked();
        let now = world.now;
        if world.broken == Broken::Hold {
            world.holding.insert(self.run, now);
        }
    }

    /// The claim with the highest number, as the listing of a folder shows it.
    pub async fn newest_claim(&self) -> Result<Option<ClaimSeen>, CallError> {
        let newest = self.call("lists claims").await.claims.keys().last().copied();
        match newest {
            Some(number) => ClaimStore::read(self, number).await,
            None => Ok(None),
        }
    }
}

impl Registry for Simulation {
    async fn list_created_after(&self, _: &GroupName, _: &DateTime) -> Result<Vec<Summary>, CallError> {
        let world = self.call("lists").await;
        let shown = world.versions.iter().filter(|(_, version)| !version.deleted && version.listed_from <= world.now);
        Ok(shown.map(|(number, version)| summary(*number, &version.description)).collect())
    }

    async fn describe(&self, version: &PackageArn) -> Result<Document, CallError> {
        let mut world = self.call(format!("describes {}", version.version())).await;
        world.visible(version.version()).map(|version| version.description.clone()).ok_or_else(absent)
    }

    async fn create(&self, request: &Document) -> Result<PackageArn, CallError> {
        let number = {
            let mut world = self.locked();
            let sent = world.now;
            world.holding.remove(&self.run);
            world.in_flight.push(InFlight { run: self.run, sent, request: request.clone(), ended: false });
            world.in_flight.len() - 1
        };
        let mut world = self.call("creates").await;
        if std::mem::replace(&mut world.in_flight[number].ended, true) {
            return Err(error(Kind::Unavailable, "no response in time"));
        }
        let now = world.now;
        let number = world.add_version(request.clone(), now);
        Ok(arn(number).parse().expect("an ARN"))
    }

    async fn update(&self, version: &PackageArn, changes: &Document) -> Result<(), CallError> {
        let mut world = self.call(format!("updates {} {changes:?}", version.version())).await;
        let version = world.visible(version.version()).ok_or_else(absent)?;
        version.description.extend(changes.clone());
        Ok(())
    }

    async fn delete(&self, version: &PackageArn) -> Result<(), CallError> {
        let mut world = self.call(format!("deletes {}", version.version())).await;
        world.visible(version.version()).ok_or_else(absent)?.deleted = true;
        Ok(())
    }

    fn now(&self) -> Instant {
        let world = self.locked();
        world.start + world.holding.get(&self.run).copied().unwrap_or(world.now)
    }

    async fn sleep(&self, pause: Duration) {
        let until = self.locked().now + pause;
        Sleep { world: &self.world, until }.await;
    }
}

impl Source for Simulation {
    async fn describe(&self, _: &PackageArn) -> Result<Document, CallError> {
        drop(self.call("describes the source").await);
        Ok(source_description())
    }
}

impl ClaimStore for Simulation {
    async fn write(&self, number: u32, claim: &Claim) -> Result<bool, CallError> {
        self.hold();
        let free = {
            let mut world = self.call(format!("claims {number}")).await;
            let now = world.now;
            let free = !world.claims.contains_key(&number);
            if free {
                world.claims.insert(number, (claim.clone(), now));
            }
            free || world.broken == Broken::Claims
        };
        // The response may be late.
        let mut world = self.call(format!("has claimed {number}: {free}")).await;
        if !free {
            world.holding.remove(&self.run);
        }
        Ok(free)
    }

    async fn read(&self, number: u32) -> Result<Option<ClaimSeen>, CallError> {
        let seen = {
            let world = self.call(format!("reads claim {number}")).await;
            let age = |written: Duration| if world.broken == Broken::Lease { LEASE } else { world.now - written };
            world.claims.get(&number).map(|(claim, written)| (claim.clone(), age(*written)))
        };
        Ok(seen.map(|(claim, age)| ClaimSeen { number, claim: Some(claim), age, read: Registry::now(self) }))
    }
}

fn summary(number: u32, description: &Document) -> Summary {
    let arn: PackageArn = arn(number).parse().expect("an ARN");
    let approval = ApprovalStatus::of(description);
    Summary { arn, version: number, approval, status: "Completed".into(), created: package().created() }
}

fn absent() -> CallError {
    error(Kind::NotFound, "does not exist")
}

fn error(kind: Kind, message: &str) -> CallError {
    CallError {
        side: Side::Target,
        call: "sagemaker:Simulated",
        resource: GROUP_ARN.into(),
        kind,
        code: None,
        message: message.into(),
        request_id: None,
        bucket_region: None,
        hint: "Run again".into(),
    }
}

/// Waits until the scheduler polls the run again, and gives the run one call for each time it is polled.
struct Turn<'a> {
    world: &'a Mutex<World>,
    asked: Option<u64>,
}

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.world.lock().expect("no run panics");
        let asked = *self.asked.get_or_insert(world.step);
        if world.step > asked && std::mem::take(&mut world.may_call) {
            return Poll::Ready(());
        }
        world.wants_to_call = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

struct Sleep<'a> {
    world: &'a Mutex<World>,
    until: Duration,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.world.lock().expect("no run panics");
        if world.now >= self.until {
            return Poll::Ready(());
        }
        world.sleeps_until = Some(world.sleeps_until.map_or(self.until, |other| other.min(self.until)));
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
