//! Scripted trouble: which call goes wrong and how, and what else happens when a call arrives.

use super::calls::Call;
use super::cloud::Cloud;
use super::weather::Weather;

/// Which calls are meant; the count starts when the moment is handed to the cloud.
#[derive(Clone, Debug)]
pub struct Moment {
    operation: Option<String>,
    resource: Option<String>,
    member: Option<(&'static str, &'static str)>,
    first: usize,
    last: usize,
    seen: usize,
}

impl Moment {
    /// The k-th call of any kind, from 1.
    pub fn nth(k: usize) -> Moment {
        Moment { operation: None, resource: None, member: None, first: k, last: k, seen: 0 }
    }

    /// The k-th call of any kind and all that follow.
    pub fn from(k: usize) -> Moment {
        Moment { last: usize::MAX, ..Moment::nth(k) }
    }

    /// The n-th call of one operation, from 1.
    pub fn on(operation: &str, n: usize) -> Moment {
        Moment { operation: Some(operation.to_owned()), ..Moment::nth(n) }
    }

    /// Every call of one operation.
    pub fn every(operation: &str) -> Moment {
        Moment { last: usize::MAX, ..Moment::on(operation, 1) }
    }

    /// Only calls whose resource (`bucket/key`, name or ARN) ends with this.
    pub fn at(mut self, resource: &str) -> Moment {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Only calls whose request has this member with this value.
    pub fn asking(self, member: &'static str, value: &'static str) -> Moment {
        Moment { member: Some((member, value)), ..self }
    }

    /// Goes on for `n` calls in all.
    pub fn times(mut self, n: usize) -> Moment {
        self.last = self.first.saturating_add(n - 1);
        self
    }

    fn arrives(&mut self, call: &Call) -> bool {
        let meant = self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
            && self.resource.as_ref().is_none_or(|end| call.resource.ends_with(end))
            && self.member.is_none_or(|(member, value)| call.request[member] == value);
        if meant {
            self.seen += 1;
        }
        meant && (self.first..=self.last).contains(&self.seen)
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Answers with this status, AWS error code and message, and does nothing.
    Status(u16, &'static str, &'static str),
    /// Answers 200 with an error document, as CopyObject and CompleteMultipartUpload may.
    InBody(&'static str, &'static str),
    /// Closes the connection before anything is done.
    Reset,
    /// Does what was asked, then closes the connection: the client does not learn of it.
    ResetAfter,
    /// Announces the whole body, sends half of it and closes the connection.
    Truncate,
    /// Announces the whole body, sends half of it, and nothing more as long as the client waits.
    Stall,
    /// Announces the whole body, sends so many bytes of it, and nothing more as long as the client waits.
    StallAt(u64),
    /// Announces the whole body, sends half of it, and then a byte now and then.
    Trickle,
    /// Answers that the bucket is in another region: status, code and region.
    ElsewhereIn(u16, &'static str, &'static str),
    /// Holds the call until `Cloud::release`, then carries it out.
    Hang,
    /// Carries the call out and holds the answer until `Cloud::release`.
    HangAfter,
}

type Action = Box<dyn FnOnce(&Cloud) + Send>;

/// What the test has asked to happen.
#[derive(Default)]
pub(crate) struct Script {
    faults: Vec<(Moment, Failure)>,
    hooks: Vec<(Moment, Option<Action>)>,
    weather: Option<Weather>,
}

impl Script {
    pub fn fail(&mut self, at: Moment, failure: Failure) {
        self.faults.push((at, failure));
    }

    pub fn hook(&mut self, at: Moment, action: Action) {
        self.hooks.push((at, Some(action)));
    }

    pub fn weather(&mut self, weather: Weather) {
        self.weather = Some(weather);
    }

    pub fn clear(&mut self) {
        self.weather = None;
        self.faults.clear();
        self.hooks.clear();
    }

    /// Counts the call; gives what it sets off.
    pub fn arrives(&mut self, call: &Call) -> (Vec<Action>, Option<Failure>) {
        let mut actions = Vec::new();
        for (at, action) in &mut self.hooks {
            if at.arrives(call) {
                actions.extend(action.take());
            }
        }
        let mut failure = None;
        for (at, kind) in &mut self.faults {
            if at.arrives(call) {
                failure.get_or_insert(*kind);
            }
        }
        let by_chance = self.weather.as_mut().and_then(|weather| weather.strikes(call));
        (actions, failure.or(by_chance))
    }
}
