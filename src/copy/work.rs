//! What there is to do, and in which order it is done.

use anyhow::{Result, bail};

use crate::plan::Plan;
use crate::plan::artifacts::{Artifact, Stretch};

/// Objects of so many bytes or more are begun before smaller ones, in these classes.
const CLASSES: [u64; 4] = [1 << 30, 64 << 20, 1 << 20, 0];

/// What a stretch of the artifacts amounts to.
pub(super) struct Work {
    /// Which ones.
    pub stretch: Stretch,
    /// How many objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How many are of each class.
    classes: [usize; CLASSES.len()],
    /// The smallest with its number.
    pub smallest: Option<(usize, Artifact)>,
}

impl Work {
    /// Reads the stretch once. What was listed since the plan was made is checked here.
    ///
    /// # Errors
    /// S3 would not take the key of a copy.
    pub fn of(plan: &Plan, stretch: Stretch) -> Result<Self> {
        let mut work = Self { stretch, objects: 0, bytes: 0, classes: [0; CLASSES.len()], smallest: None };
        for item in plan.artifacts.within(stretch) {
            let (number, artifact) = item?;
            if artifact.has_long_key() {
                bail!(plan.refusal_of_long_keys(stretch)?);
            }
            let bytes = artifact.bytes();
            work.objects += 1;
            work.bytes += bytes;
            work.classes[class(bytes)] += 1;
            if work.smallest.as_ref().is_none_or(|(_, smallest)| bytes < smallest.bytes()) {
                work.smallest = Some((number, artifact));
            }
        }
        Ok(work)
    }

    /// The artifacts with their numbers, one class after the other: they are read again for each.
    pub fn in_order(self, plan: &Plan) -> impl Iterator<Item = Result<(usize, Artifact)>> {
        let classes = self.classes.into_iter().enumerate().filter(|(_, objects)| *objects > 0);
        classes.flat_map(move |(wanted, _)| {
            let is_wanted = move |(_, artifact): &(usize, Artifact)| class(artifact.bytes()) == wanted;
            plan.artifacts.within(self.stretch).filter(move |item| item.as_ref().map_or(true, is_wanted))
        })
    }
}

fn class(bytes: u64) -> usize {
    CLASSES.iter().position(|least| bytes >= *least).unwrap_or_default()
}
