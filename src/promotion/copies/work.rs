//! What a plan amounts to, and in which order it is done.

use anyhow::Result;

use crate::promotion::artifacts::Artifact;
use crate::promotion::plan::Plan;

/// Objects of so many bytes or more are begun before smaller ones, in these classes.
const CLASSES: [u64; 4] = [1 << 30, 64 << 20, 1 << 20, 0];

/// What a plan amounts to.
pub(super) struct Work {
    /// How many objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How many are of each class.
    classes: [usize; CLASSES.len()],
    /// The number of the smallest.
    pub smallest: Option<usize>,
}

impl Work {
    /// Reads the plan once.
    pub fn of(plan: &Plan) -> Result<Self> {
        let mut work = Self { objects: 0, bytes: 0, classes: [0; CLASSES.len()], smallest: None };
        let mut least = u64::MAX;
        for (number, artifact) in plan.artifacts.iter().enumerate() {
            let bytes = artifact?.bytes();
            work.objects += 1;
            work.bytes += bytes;
            work.classes[class(bytes)] += 1;
            if bytes < least {
                (least, work.smallest) = (bytes, Some(number));
            }
        }
        Ok(work)
    }

    /// The artifacts with their numbers, one class after the other: the plan is read again for each.
    pub fn in_order<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = Result<(usize, Artifact)>> + 'a {
        let classes = self.classes.into_iter().enumerate().filter(|(_, objects)| *objects > 0);
        classes.flat_map(move |(wanted, _)| {
            let numbered = plan.artifacts.iter().enumerate().map(|(number, artifact)| Ok((number, artifact?)));
            numbered.filter(move |item| item.as_ref().map_or(true, |(_, artifact)| class(artifact.bytes()) == wanted))
        })
    }
}

fn class(bytes: u64) -> usize {
    CLASSES.iter().position(|least| bytes >= *least).unwrap_or_default()
}
