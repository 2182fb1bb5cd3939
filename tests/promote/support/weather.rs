//! Trouble by chance: every call fails with some probability, and one seed always makes the same trouble.

use super::calls::Call;
use super::faults::Failure;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What may go wrong, and in how many of 100 calls each. The fate of a call depends on the seed, on what is asked and
/// on how often that was asked before, and not on the order of arrival: that is chance where calls run at once.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    seed: u64,
    risks: Vec<(Failure, u64)>,
    asked: HashMap<u64, u32>,
}

impl Weather {
    /// Fair weather, until risks are added.
    pub fn new(seed: u64) -> Weather {
        Weather { seed, ..Weather::default() }
    }

    /// With this failure in so many of 100 calls.
    pub fn with(mut self, failure: Failure, percent: u64) -> Weather {
        self.risks.push((failure, percent));
        self
    }

    /// What happens to this call.
    pub(crate) fn strikes(&mut self, call: &Call) -> Option<Failure> {
        let what = hash(&(self.seed, &call.operation, &call.resource, call.headers.get("range"), part(call)));
        let times = self.asked.entry(what).or_default();
        *times += 1;
        let mut dice = hash(&(what, *times)) % 100;
        self.risks.iter().find_map(|(failure, percent)| {
            let strikes = dice < *percent;
            dice = dice.wrapping_sub(*percent);
            strikes.then_some(*failure)
        })
    }
}

/// Upload ids differ from run to run; the numbers of the parts do not.
fn part(call: &Call) -> Option<&str> {
    call.request["partNumber"].as_str()
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
