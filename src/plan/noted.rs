//! Counts objects that prevent a promotion, and keeps the first of them for the message.

use std::sync::{Mutex, PoisonError};

/// The number of objects that a message names.
const NAMED: usize = 20;

/// Lines about objects that were found so far.
#[derive(Debug, Default)]
pub struct Noted(Mutex<(usize, Vec<String>)>);

impl Noted {
    /// Notes an object.
    pub fn note(&self, line: impl ToString) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.0 += 1;
        if noted.1.len() < NAMED {
            noted.1.push(line.to_string());
        }
    }

    /// The number of objects, and the lines of the first 20, in alphabetical order.
    pub fn lines(&self) -> (usize, Vec<String>) {
        let (count, mut lines) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lines.sort();
        (count, lines)
    }
}
