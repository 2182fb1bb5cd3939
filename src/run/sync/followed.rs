//! What a run has done with the promoted versions besides the one that it promotes.

use std::fmt;
use std::sync::Arc;

use anyhow::Error;

use crate::aws::error::CallError;
use crate::model::hold::Held;
use crate::plan::{Warning, add_new};
use crate::record::{Followed, PlannedWrite, Record, Unconfirmed, Withdrawn};
use crate::run::context::Context;
use crate::run::event::Event;
use crate::run::promotion::planned::greatest_first;

/// What a run has done with the promoted versions besides the one that it promotes.
#[derive(Debug, Clone, Default)]
pub(in crate::run) struct FollowedVersions {
    /// The withdrawn versions.
    pub withdrawn: Vec<Withdrawn>,
    /// The other versions that were changed, or that differ from their sources.
    pub followed: Vec<Followed>,
    /// What a dry run has left out.
    pub planned: Vec<PlannedWrite>,
    /// Promoted versions that were left alone.
    pub warnings: Vec<Warning>,
    /// What could not be confirmed.
    pub unconfirmed: Vec<Unconfirmed>,
    /// Why versions could not be followed.
    pub failures: Vec<Arc<Error>>,
}

impl FollowedVersions {
    pub(in crate::run) fn add(&mut self, other: Self) {
        self.withdrawn.extend(other.withdrawn);
        self.followed.extend(other.followed);
        self.planned.extend(other.planned);
        add_new(&mut self.warnings, other.warnings);
        self.unconfirmed.extend(other.unconfirmed);
        self.failures.extend(other.failures);
    }

    pub(in crate::run) fn failed(error: Error) -> Self {
        Self { failures: vec![Arc::new(error)], ..Self::default() }
    }

    /// Adds what the run has done to its document. Returns why versions could not be followed.
    pub fn add_to(self, record: &mut Record, dry_run: bool) -> Vec<Arc<Error>> {
        let own = record.target.as_ref().and_then(|target| target.model_package_arn.clone());
        record.withdrawn.retain(|one| Some(&one.model_package_arn) == own.as_ref());
        record.withdrawn.extend(self.withdrawn);
        record.withdrawn.sort_by_key(|one| one.version);
        record.followed = self.followed;
        if dry_run {
            record.planned = Some(greatest_first(record.planned.take(), self.planned));
        }
        add_new(&mut record.warnings, self.warnings);
        record.add_unconfirmed(self.unconfirmed);
        self.failures
    }

    /// Ends a run whose promotion has failed with `error`. If the group was held meanwhile, the run is run once more, and
    /// its report has these versions; otherwise tells what became of them.
    pub fn end(self, context: &Context, error: Error) -> Error {
        match Held::of(&error) {
            Some(_) => error.context(Stopped(self)),
            None => {
                self.tell(context, &error);
                error
            }
        }
    }

    /// Tells what became of the versions in a run whose promotion has failed with `error`.
    pub fn tell(&self, context: &Context, error: &Error) {
        self.warnings.iter().for_each(|warning| context.notice(Event::FollowWarning(warning)));
        self.unconfirmed.iter().for_each(|unconfirmed| context.notice(Event::FollowUnconfirmed(unconfirmed)));
        // The promotion may have failed because of the same bucket or permission.
        for failure in self.failures.iter().filter(|failure| !have_same_cause(error, failure)) {
            context.notice(Event::FollowFailed(failure));
        }
    }
}

/// A run that a hold has stopped after it had followed other versions.
#[derive(Debug)]
pub(in crate::run) struct Stopped(pub FollowedVersions);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group was held during this run")
    }
}

/// Whether two errors are the same failure of the same call.
fn have_same_cause(one: &Error, other: &Error) -> bool {
    let cause =
        |error: &Error| error.downcast_ref::<CallError>().map(|call| (call.call, call.kind, call.resource.clone()));
    match (cause(one), cause(other)) {
        (Some(one), Some(other)) => one == other,
        _ => format!("{one:#}") == format!("{other:#}"),
    }
}
