//! A model package: its members, and from when on calls see it and its changes.

use super::behaviour::{Lag, Lags};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Instant;

pub struct Package {
    pub arn: String,
    pub group: Option<String>,
    pub version: u64,
    /// Every member as describing it answers.
    pub shown: Value,
    /// The describes until a created package is ready; nothing when it is or was registered by the test.
    pub pending: Option<u64>,
    /// Why it will fail.
    pub failure: Option<String>,
    pub created: bool,
    /// Of a package that was created by a call.
    pub age: Option<Age>,
    /// What it was before each update by a call, oldest first.
    before: Vec<(Value, Age)>,
    /// Since it was deleted.
    deleted: Option<Age>,
}

/// How long something has been so, and how many calls have looked since.
pub struct Age {
    looks: Cell<u64>,
    since: Instant,
}

impl Age {
    pub fn new() -> Age {
        Age { looks: Cell::new(0), since: Instant::now() }
    }

    fn is_over(&self, lag: Lag) -> bool {
        match lag {
            Lag::Looks(looks) => self.looks.get() >= looks,
            Lag::Time(time) => self.since.elapsed() >= time,
        }
    }

    fn look(&self) {
        self.looks.set(self.looks.get() + 1);
    }
}

impl Package {
    pub fn new(arn: String, group: Option<String>, version: u64, shown: Value) -> Package {
        let (before, deleted) = (Vec::new(), None);
        Package { arn, group, version, shown, pending: None, failure: None, created: false, age: None, before, deleted }
    }

    pub fn shown(&self) -> Value {
        self.shown.clone()
    }

    /// Whether the package has this ARN, in any spelling.
    pub fn is(&self, arn: &str) -> bool {
        self.arn.eq_ignore_ascii_case(arn)
    }

    pub fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// Whether calls that change it know of the package.
    pub fn is_visible(&self, lags: Lags) -> bool {
        self.is_shown(lags) && !self.is_deleted()
    }

    /// Whether calls of Describe or List show the package yet, and still.
    pub fn is_shown(&self, lags: Lags) -> bool {
        self.age.as_ref().is_none_or(|age| age.is_over(lags.new))
            && !self.deleted.as_ref().is_some_and(|age| age.is_over(lags.changes))
    }

    /// The package as a call of Describe or List sees it, which counts; nothing while it is not shown yet.
    pub fn seen(&self, lags: Lags) -> Option<&Value> {
        let is_shown = self.is_shown(lags);
        let earlier = self.before.iter().find(|(_, change)| !change.is_over(lags.changes)).map(|(before, _)| before);
        let changes = self.before.iter().map(|(_, change)| change);
        changes.chain(&self.age).chain(&self.deleted).for_each(Age::look);
        is_shown.then_some(earlier.unwrap_or(&self.shown))
    }

    /// Merges members into the package by a call.
    pub fn update(&mut self, members: &Value) {
        self.before.push((self.shown.clone(), Age::new()));
        merge(&mut self.shown, members);
    }

    pub fn delete(&mut self) {
        self.deleted = Some(Age::new());
    }

    /// Moves on towards Completed or Failed by one describe.
    pub fn progress(&mut self) {
        let Some(left) = self.pending else { return };
        self.pending = left.checked_sub(1).filter(|left| *left > 0);
        let status = match (self.pending, &self.failure) {
            (Some(_), _) => "InProgress",
            (None, Some(_)) => "Failed",
            (None, None) => "Completed",
        };
        self.shown["ModelPackageStatus"] = json!(status);
        let mut details = json!({ "Name": self.arn, "Status": status });
        if let (None, Some(reason)) = (self.pending, &self.failure) {
            details["FailureReason"] = json!(reason);
        }
        self.shown["ModelPackageStatusDetails"] = json!({ "ValidationStatuses": [details], "ImageScanStatuses": [] });
    }
}

/// Merges members into a value; `null` removes one.
pub fn merge(shown: &mut Value, members: &Value) {
    let (Some(shown), Some(members)) = (shown.as_object_mut(), members.as_object()) else { return };
    for (name, value) in members {
        match value {
            Value::Null => drop(shown.shift_remove(name)),
            value => drop(shown.insert(name.clone(), value.clone())),
        }
    }
}
