//! Collects the archived objects that a package refers to: S3 cannot copy them before they are restored.

use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use crate::model::failure::Failure;
use crate::model::location::Location;

/// The number of objects that the message names.
const NAMED: usize = 20;

/// The archived objects that were found so far.
#[derive(Debug, Default)]
pub struct Archived(Mutex<Objects>);

#[derive(Debug, Default)]
struct Objects {
    count: u64,
    first: Vec<Location>,
}

impl Archived {
    /// Notes an archived object.
    pub fn note(&self, at: &Location) {
        let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        objects.count += 1;
        if objects.first.len() < NAMED {
            objects.first.push(at.clone());
        }
    }

    /// Refuses archived objects.
    ///
    /// # Errors
    /// An object is archived. The message names the first 20.
    pub fn refuse(&self) -> Result<()> {
        let objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named: Vec<String> = objects.first.iter().map(|at| format!("\n  {at}")).collect();
        let subject = match objects.count {
            0 => return Ok(()),
            1 => "1 object is".to_owned(),
            count => format!("{count} objects are"),
        };
        let message = format!("{subject} archived, and S3 cannot copy archived objects:{}", named.concat());
        bail!(
            Failure::new(message)
                .hint("Restore them with `aws s3api restore-object`, and run again when they are restored")
        )
    }
}
