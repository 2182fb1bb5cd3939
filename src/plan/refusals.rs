//! Collects everything that refuses a promotion, so that one message names it.

use anyhow::Result;

use crate::aws::error::{CallError, Kind, hints};
use crate::model::failure::{Failure, cause};

/// Errors that refuse a promotion.
#[derive(Debug, Default)]
pub struct Refusals(Vec<anyhow::Error>);

impl Refusals {
    /// Keeps the error of a result. Returns the value, if there is one.
    pub fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// Fails with what was kept.
    ///
    /// # Errors
    /// There are errors.
    pub fn refuse(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(together(self.0)) }
    }
}

/// One error with the messages and the hints of all.
pub fn together(mut errors: Vec<anyhow::Error>) -> anyhow::Error {
    if errors.len() == 1 {
        return errors.remove(0);
    }
    let messages: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
    let mut steps: Vec<&str> = Vec::new();
    for hint in errors.iter().flat_map(hints) {
        if !steps.contains(&hint) {
            steps.push(hint);
        }
    }
    steps.into_iter().fold(Failure::new(messages.join("\n")), Failure::hint).into()
}

/// Tells errors about the package and its objects from errors that say nothing about them, such as a lost connection.
///
/// # Errors
/// The error says nothing about the package.
pub fn about_the_package<T>(result: Result<T>) -> Result<Result<T>> {
    let is_about = |error: &anyhow::Error| match cause::<CallError>(error) {
        Some(call) => matches!(call.kind, Kind::Denied | Kind::NotFound | Kind::Invalid | Kind::Other),
        None => true,
    };
    match result {
        Err(error) if !is_about(&error) => Err(error),
        result => Ok(result),
    }
}
