//! Throttling: so many calls a second, of all operations of an account together or of each operation.

use crate::support::wire::Refusal;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

pub struct Rate {
    per_second: usize,
    /// When the calls of the last second were answered, by account or operation.
    answered: BTreeMap<String, VecDeque<Instant>>,
}

impl Rate {
    pub fn new(per_second: usize) -> Rate {
        Rate { per_second, answered: BTreeMap::new() }
    }

    /// Counts a call, and refuses it if there were too many in the last second.
    pub fn allow(&mut self, account: &str) -> Result<(), Refusal> {
        match self.has_room(account) {
            true => Ok(()),
            false => Err(Refusal::new(400, "ThrottlingException", "Rate exceeded")),
        }
    }

    /// Counts a call, unless there were too many in the last second.
    pub fn has_room(&mut self, account: &str) -> bool {
        let now = Instant::now();
        let answered = self.answered.entry(account.to_owned()).or_default();
        answered.retain(|time| now.duration_since(*time) < Duration::from_secs(1));
        if answered.len() >= self.per_second {
            return false;
        }
        answered.push_back(now);
        true
    }
}
