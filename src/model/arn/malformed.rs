//! The error for malformed ARNs, names and URLs.

use std::fmt;

/// A text that does not have the expected form. The message states both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    what: &'static str,
    expected: &'static str,
    given: String,
}

impl Malformed {
    /// `given` is not `what`, whose form is `expected`.
    pub fn new(what: &'static str, expected: &'static str, given: impl Into<String>) -> Self {
        Self { what, expected, given: given.into() }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not {}; expected {}", self.given, self.what, self.expected)
    }
}

impl std::error::Error for Malformed {}
