//! Failures that tell the user what to do next.
//!
//! A failure prints `error: <message>` and, on a separate line, `hint: <next step>`. Return a [`Failure`] for a fault
//! that promote detects. Attach a hint to the error of a call with [`Hint::hint`].
//!
//! ```
//! use anyhow::{Context, Result, ensure};
//! use promote::model::failure::{Failure, Hint};
//!
//! fn read(name: &str) -> Result<String> {
//!     ensure!(!name.is_empty(), Failure::new("no file is named").hint("Pass --from"));
//!     std::fs::read_to_string(name).with_context(|| format!("reading {name}")).hint("Name another file")
//! }
//! assert_eq!(read("").unwrap_err().to_string(), "no file is named");
//! ```

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The hint of a failure that another run may not have.
pub const RUN_AGAIN: &str = "Run again";

/// An error message with the next steps for the user, if any.
#[derive(Debug, Clone)]
pub struct Failure {
    message: String,
    hints: Vec<String>,
    cause: Option<Arc<anyhow::Error>>,
    wrong_arguments: bool,
}

impl Failure {
    /// A failure without a hint. `message` is one sentence without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new(), cause: None, wrong_arguments: false }
    }

    /// Adds a next step: one sentence with a capital letter and without a full stop.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says that the arguments are wrong, so that no run with them can succeed.
    pub fn wrong_arguments(mut self) -> Self {
        self.wrong_arguments = true;
        self
    }

    /// The next steps.
    pub fn next_steps(&self) -> impl Iterator<Item = &str> {
        self.hints.iter().map(String::as_str)
    }

    /// The error that the hint was attached to, or that this failure repeats. Its first message is the message of this
    /// failure; [`Error::source`] continues with the next error of its chain.
    pub fn hinted(&self) -> Option<&anyhow::Error> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref()?.source()
    }
}

/// Shares one error between several tasks that fail with it.
impl From<Arc<anyhow::Error>> for Failure {
    fn from(cause: Arc<anyhow::Error>) -> Self {
        Self { message: cause.to_string(), hints: Vec::new(), cause: Some(cause), wrong_arguments: false }
    }
}

/// The first error of a type in a chain, also below errors with hints.
pub fn cause<T: Error + 'static>(error: &anyhow::Error) -> Option<&T> {
    error.chain().find_map(|cause_of| {
        let below = || cause_of.downcast_ref().and_then(Failure::hinted).and_then(cause);
        cause_of.downcast_ref().or_else(below)
    })
}

/// Whether an error says that the arguments are wrong.
pub fn is_about_arguments(error: &anyhow::Error) -> bool {
    let failures = error.chain().filter_map(|cause| cause.downcast_ref::<Failure>());
    failures.into_iter().any(|failure| failure.wrong_arguments || failure.hinted().is_some_and(is_about_arguments))
}

/// Attaches a hint to any error.
pub trait Hint<T> {
    /// Attaches the next step. The messages of the error do not change.
    ///
    /// Attach a hint only above callers that downcast the error: the first error of the chain can no longer be
    /// downcast afterwards.
    ///
    /// # Errors
    /// The error of `self`, with the hint.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Hint<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| Failure::from(Arc::new(error.into())).hint(hint).into())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result, anyhow};

    use super::*;

    #[test]
    fn a_hint_changes_no_message() {
        let failed: Result<()> = Err(anyhow!("cause")).context("reading x").hint("Name another file");
        assert_eq!(format!("{:#}", failed.unwrap_err()), "reading x: cause");
    }

    #[test]
    fn a_cause_is_found_below_hints_and_contexts() {
        let failed: Result<()> = Err(anyhow::Error::new(fmt::Error)).context("a").hint("b").context("c").hint("d");
        let failed = failed.unwrap_err();
        assert!(cause::<fmt::Error>(&failed).is_some());
        assert!(cause::<std::num::ParseIntError>(&failed).is_none());
    }

    #[test]
    fn wrong_arguments_are_found_below_hints_and_contexts() {
        let failed = |failure: Failure| Err::<(), _>(failure).context("a").hint("b").context("c").unwrap_err();
        assert!(is_about_arguments(&failed(Failure::new("x").wrong_arguments())));
        assert!(!is_about_arguments(&failed(Failure::new("x"))));
    }
}
