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
    /// How many requests SageMaker may refuse.
    pub refusals: usize,
    /// How often somebody may still hold the group, and whether it is held.
    pub holds: usize,
    pub is_held: bool,
    pub in_flight: Vec<InFlight>,
    /// When the runs have claimed, if their time stands still.
    pub holding: BTreeMap<usize, Duration>,
    /// The number of versions that were ever created.
    pub created: u32,
    /// Whether a call of CreateModelPackage ended without a response.
    pub timed_out: bool,
    pub log: Vec<String>,
}

/// A version of the target group.
pub struct Version {
    pub description: Document,
    pub listed_from: Duration,
    pub described_from: Duration,
    pub deleted: bool,
}

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
            holds: 0,
            is_held: false,
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

    /// Whether a look finds that the group is held. Somebody may hold it right before.
    pub fn is_held_now(&mut self) -> bool {
        if self.holds > 0 && self.choices.pick(2) == 1 {
            self.holds -= 1;
            self.is_held = true;
            self.log.push("the group is held".to_owned());
        }
        self.is_held
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

    /// A version that Describe shows.
    pub fn visible(&mut self, number: u32) -> Option<&mut Version> {
        let now = self.now;
        self.versions.get_mut(&number).filter(|version| !version.deleted && version.described_from <= now)
    }
}

/// The ARN of a version.
pub fn arn(number: u32) -> String {
    format!("arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn/{number}")
}
