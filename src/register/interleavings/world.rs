//! What the simulated services hold, and the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::choices::Choices;
use crate::model::claim::{CREATE_TIMEOUT, Claim, VISIBLE_WITHIN};
use crate::model::field::Document;

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
    /// A claim is released although an earlier request is still under way.
    Release,
    /// No run looks for a hold.
    Look,
}

/// What the services hold, and the time.
pub struct World {
    pub choices: Choices,
    pub now: Duration,
    pub start: Instant,
    /// The number of the scheduler's steps, and whether the run may make its call in this step.
    pub step: u64,
    pub may_call: bool,
    /// What the run that was polled last waits for.
    pub wants_to_call: bool,
    pub sleeps_until: Option<Duration>,
    pub tokens: bool,
    pub broken: Broken,
    pub versions: BTreeMap<u32, Version>,
    pub by_token: BTreeMap<String, u32>,
    pub claims: BTreeMap<u32, (Claim, Duration)>,
    /// The claims that were released.
    pub released: BTreeSet<u32>,
    /// How many requests SageMaker may refuse, and how many versions it may fail to complete.
    pub refusals: usize,
    pub failures: usize,
    /// How often somebody may still hold the group, and whether it is held.
    pub holds: usize,
    pub is_held: bool,
    /// The runs that have looked for a hold since their last write, and the writes before which a run did not look.
    pub looked: BTreeSet<usize>,
    pub unlooked: Vec<String>,
    pub in_flight: Vec<InFlight>,
    /// When the runs have claimed, if their time stands still.
    pub holding: BTreeMap<usize, Duration>,
    /// The number of versions that were ever created, and of those that SageMaker could not complete.
    pub created: u32,
    pub failed: u32,
    /// The runs that have called CreateModelPackage and got no response.
    pub timed_out: BTreeSet<usize>,
    pub log: Vec<String>,
}

/// A version of the target group. Calls see late that it was created, updated or deleted.
pub struct Version {
    pub description: Document,
    listed_from: Duration,
    described_from: Duration,
    /// What it was before each update, and until when calls may see that.
    earlier: Vec<(Document, Duration)>,
    /// Until when calls may see the deleted version.
    deleted: Option<Deleted>,
}

#[derive(Clone, Copy)]
struct Deleted {
    listed_until: Duration,
    described_until: Duration,
}

impl Version {
    pub fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }
}

/// How late a call may see a change. Every possible choice is tried among the first two only.
const LAGS: [Duration; 3] = [Duration::ZERO, VISIBLE_WITHIN, VISIBLE_WITHIN.checked_div(2).expect("not by zero")];

/// A request to register a version that is under way.
pub struct InFlight {
    pub run: usize,
    pub sent: Duration,
    pub request: Document,
    pub ended: bool,
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
            released: BTreeSet::new(),
            refusals: 0,
            failures: 0,
            holds: 0,
            is_held: false,
            looked: BTreeSet::new(),
            unlooked: Vec::new(),
            in_flight: Vec::new(),
            holding: BTreeMap::new(),
            created: 0,
            failed: 0,
            timed_out: BTreeSet::new(),
            log: Vec::new(),
        }
    }

    /// Adds a claim of a run that has ended.
    pub fn add_claim(&mut self, claim: Claim, age: Duration) {
        let number = self.claims.len() as u32;
        self.claims.insert(number, (claim, self.now - age));
    }

    /// Whether a look of a run finds that the group is held. Somebody may hold it right before.
    pub fn is_held_now(&mut self, run: usize) -> bool {
        if self.broken == Broken::Look {
            return false;
        }
        self.looked.insert(run);
        if self.holds > 0 && self.choices.pick(2) == 1 {
            self.holds -= 1;
            self.is_held = true;
            self.log.push("the group is held".to_owned());
        }
        self.is_held
    }

    /// Registers or approves a version: the run has to have looked for a hold since it wrote last.
    pub fn writes(&mut self, run: usize, act: &str) {
        if !self.looked.remove(&run) {
            self.unlooked.push(format!("run {run} {act}"));
        }
    }

    /// Lets time pass. Requests that are under way for too long end.
    pub fn advance(&mut self, to: Duration) {
        let late = |flight: &InFlight| !flight.ended && flight.sent + CREATE_TIMEOUT <= to;
        while let Some(index) = self.in_flight.iter().position(late) {
            self.in_flight[index].ended = true;
            self.timed_out.insert(self.in_flight[index].run);
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

    /// Registers a version, or returns the one that its client token has registered before.
    pub fn add_version(&mut self, mut request: Document, at: Duration) -> u32 {
        let token = request.shift_remove("ClientToken").unwrap_or_default().to_string();
        if self.tokens
            && let Some(known) = self.by_token.get(&token)
        {
            return *known;
        }
        self.created += 1;
        let number = self.versions.keys().last().map_or(1, |last| last + 1);
        request.insert("ModelPackageArn".into(), json!(arn(number)));
        let fails = self.failures > 0 && self.choices.pick(2) == 1;
        (self.failures, self.failed) = (self.failures - usize::from(fails), self.failed + u32::from(fails));
        request.insert("ModelPackageStatus".into(), json!(if fails { "Failed" } else { "Completed" }));
        let is_old = at + VISIBLE_WITHIN <= self.now;
        let [listed_from, described_from] = [(); 2].map(|()| if is_old { at } else { at + self.lag() });
        let (earlier, deleted) = (Vec::new(), None);
        let version = Version { description: request, listed_from, described_from, earlier, deleted };
        self.versions.insert(number, version);
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

    fn lag(&mut self) -> Duration {
        let lags = if self.choices.by_chance() { LAGS.len() } else { 2 };
        LAGS[self.choices.pick(lags)]
    }

    /// Whether a call still misses a change that every call sees from `from` on. In random runs, each call decides anew.
    fn is_late(&mut self, from: Duration) -> bool {
        from > self.now && !(self.choices.by_chance() && self.choices.pick(2) == 1)
    }

    /// The versions that a call of List shows.
    pub fn listed(&mut self) -> Vec<u32> {
        let times = |(number, version): (&u32, &Version)| (*number, version.listed_from, version.deleted);
        let all: Vec<_> = self.versions.iter().map(times).collect();
        let is_shown = |(number, from, deleted): (u32, Duration, Option<Deleted>)| {
            let is_there = !self.is_late(from) && deleted.is_none_or(|deleted| self.is_late(deleted.listed_until));
            is_there.then_some(number)
        };
        all.into_iter().filter_map(is_shown).collect()
    }

    /// A version as a call of Describe shows it.
    pub fn described(&mut self, number: u32) -> Option<Document> {
        let Version { described_from, deleted, earlier, .. } = self.versions.get(&number)?;
        let (from, deleted) = (*described_from, *deleted);
        let updates: Vec<Duration> = earlier.iter().map(|(_, until)| *until).collect();
        if self.is_late(from) || deleted.is_some_and(|deleted| !self.is_late(deleted.described_until)) {
            return None;
        }
        let unseen = updates.into_iter().position(|until| self.is_late(until));
        let version = &self.versions[&number];
        Some(unseen.map_or(&version.description, |update| &version.earlier[update].0).clone())
    }

    /// Updates a version. Returns false if the call does not know of the version.
    pub fn update(&mut self, number: u32, changes: &Document) -> bool {
        let until = self.now + self.lag();
        let Some(version) = self.known(number) else { return false };
        version.earlier.push((version.description.clone(), until));
        version.description.extend(changes.clone());
        true
    }

    /// Deletes a version, if the call knows of the version.
    pub fn delete(&mut self, number: u32) {
        let (listed_until, described_until) = (self.now + self.lag(), self.now + self.lag());
        if let Some(version) = self.known(number) {
            version.deleted = Some(Deleted { listed_until, described_until });
        }
    }

    /// Deletes a version, which Describe still shows for a while.
    pub fn delete_and_still_describe(&mut self, number: u32) {
        let deleted = Deleted { listed_until: self.now, described_until: self.now + VISIBLE_WITHIN };
        self.versions.get_mut(&number).expect("it was registered").deleted = Some(deleted);
    }

    /// The version, if Update and Delete find it. In random runs they always do: only Describe and List are inconsistent.
    fn known(&mut self, number: u32) -> Option<&mut Version> {
        let (now, by_chance) = (self.now, self.choices.by_chance());
        let is_known = |version: &&mut Version| by_chance || version.described_from <= now;
        self.versions.get_mut(&number).filter(is_known).filter(|version| !version.is_deleted())
    }
}

/// The ARN of a version.
pub fn arn(number: u32) -> String {
    format!("arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn/{number}")
}
