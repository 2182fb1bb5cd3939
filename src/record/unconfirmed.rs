//! What a run could not confirm.

use std::fmt;

use anyhow::Error;

use super::document::Record;
use crate::aws::error::hints;

/// What a run could not confirm although it did its work, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    /// One sentence without a full stop.
    pub message: String,
    /// The next steps, if others than to run again are known.
    pub hints: Vec<String>,
}

impl Unconfirmed {
    /// What a failed step leaves unconfirmed.
    pub fn because(error: &Error) -> Self {
        Self { message: format!("{error:#}"), hints: hints(error).into_iter().map(str::to_owned).collect() }
    }

    /// The same with the subject before the message.
    pub fn about(self, subject: impl fmt::Display) -> Self {
        Self { message: format!("{subject}: {}", self.message), ..self }
    }
}

impl From<String> for Unconfirmed {
    fn from(message: String) -> Self {
        Self { message, hints: Vec::new() }
    }
}

/// The message with the next steps in parentheses, for a text that has one line.
impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hints.as_slice() {
            [] => f.write_str(&self.message),
            hints => write!(f, "{} ({})", self.message, hints.join("; ")),
        }
    }
}

impl Record {
    /// What the run could not confirm, if anything.
    pub fn unconfirmed(&self) -> Option<Unconfirmed> {
        let message = self.unconfirmed.clone()?;
        Some(Unconfirmed { message, hints: self.unconfirmed_hints.clone() })
    }

    /// Adds what the run could not confirm.
    pub fn add_unconfirmed(&mut self, more: impl IntoIterator<Item = Unconfirmed>) {
        for Unconfirmed { message, hints } in more {
            self.unconfirmed =
                Some(self.unconfirmed.take().into_iter().chain([message]).collect::<Vec<_>>().join("; "));
            let is_new = |hint: &String| !self.unconfirmed_hints.contains(hint);
            let new: Vec<String> = hints.into_iter().filter(is_new).collect();
            self.unconfirmed_hints.extend(new);
        }
    }
}
