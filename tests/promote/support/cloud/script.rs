//! Permissions, scripted failures, and the record of the calls.

use super::Cloud;
use crate::support::PATIENCE;
use crate::support::calls::{Call, Traffic};
use crate::support::faults::{Failure, Moment};
use crate::support::principals::{Check, Principal, Rule};
use crate::support::registry::Rate;
use crate::support::weather::Weather;
use crate::support::world::World;
use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;

impl Cloud {
    /// Forbids an action (`s3:ListBucket`, `sagemaker:*`) on a resource (`bucket/key`, ARN, KMS key; may end in `*`).
    pub fn deny(&self, who: Principal, action: &str, resource: &str) {
        self.rule(who, action, resource, false);
    }

    /// Allows one.
    pub fn allow(&self, who: Principal, action: &str, resource: &str) {
        self.rule(who, action, resource, true);
    }

    /// Applies a policy as doctor prints it.
    pub fn apply(&self, printed: &Value) {
        let mut world = self.world();
        world.policies.apply(printed);
        let name = printed["of"]["bucket"].as_str().filter(|_| printed["form"] == "complete");
        if let Some(bucket) = name.and_then(|name| world.buckets.get_mut(name)) {
            bucket.policy = Some(printed["policy"].clone());
        }
    }

    /// STS's clock is so many seconds ahead of this machine's.
    pub fn set_clock_ahead(&self, seconds: f64) {
        self.world().options.ahead = seconds;
    }

    /// Lends credentials for so many seconds from now on: to assumed roles and to containers.
    pub fn lend_for(&self, seconds: f64) {
        self.world().options.lifetime = seconds;
    }

    /// All credentials that were lent are expired, whatever was said when they were handed out.
    pub fn expire_credentials(&self) {
        self.world().sessions.values_mut().for_each(|lent| lent.expires = 0.0);
    }

    /// Makes every call take so much longer.
    pub fn delay(&self, delay: Duration) {
        self.world().options.delay = delay;
    }

    /// Answers so many calls of each operation in a second, and throttles the others; all of them, if there is no rate.
    pub fn throttle(&self, rate: Option<usize>) {
        self.world().options.rate = rate.map(Rate::new);
    }

    fn rule(&self, principal: Principal, action: &str, resource: &str, allow: bool) {
        let (action, resource) = (action.to_owned(), resource.to_owned());
        self.world().rules.push(Rule { principal, action, resource, allow });
    }

    /// Lets the calls of a moment fail.
    pub fn fail(&self, at: Moment, failure: Failure) {
        self.world().script.fail(at, failure);
    }

    /// Runs `action` once, when the first call of the moment has arrived and before it is carried out.
    pub fn hook(&self, at: Moment, action: impl FnOnce(&Cloud) + Send + 'static) {
        self.world().script.hook(at, Box::new(action));
    }

    /// Lets calls fail by chance.
    pub fn weather(&self, weather: Weather) {
        self.world().script.weather(weather);
    }

    /// Waits until every client is gone and all that they asked for has been done; false when that takes four minutes.
    pub fn settles(&self) -> bool {
        let (count, fewer) = &self.shared.busy;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let (_idle, late) =
            fewer.wait_timeout_while(count, PATIENCE, |count| *count > 0).unwrap_or_else(PoisonError::into_inner);
        !late.timed_out()
    }

    /// Waits until so many calls of an operation were answered with 200; false when that takes four minutes.
    pub fn succeeds(&self, operation: &str, calls: usize) -> bool {
        let succeeded =
            |world: &World| world.calls.iter().filter(|call| call.operation == operation && call.status == 200).count();
        let waited = self.shared.answered.wait_timeout_while(self.world(), PATIENCE, |world| succeeded(world) < calls);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Forgets every scripted failure and hook: from now on all goes well.
    pub fn heal(&self) {
        self.world().script.clear();
    }

    /// Lets all held calls go on, now and later.
    pub fn release(&self) {
        self.shared.held.add_permits(1 << 20);
    }

    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// The calls that were carried out, in the order in which they were: a call that waits may be overtaken.
    pub fn carried_out(&self) -> Vec<Call> {
        let world = self.world();
        world.carried_out.iter().map(|number| world.calls[number - 1].clone()).collect()
    }

    /// Every right that the calls so far needed, granted or not.
    pub fn checks(&self) -> Vec<Check> {
        self.world().checks.borrow().clone()
    }

    /// Forgets the rights that were needed so far.
    pub fn forget_checks(&self) {
        self.world().checks.borrow_mut().clear();
    }

    /// The calls of one operation.
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.operation == operation).collect()
    }

    /// Object content that passed through the client, of the calls that `which` picks.
    pub fn traffic(&self, which: impl Fn(&Call) -> bool) -> Traffic {
        Traffic::of(self.world().calls.iter().filter(|call| which(call)))
    }
}
