//! The error of a text that is not the name it should be.

use std::fmt;

/// Why a text is not the name that was asked for; says which form is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    what: &'static str,
    expected: &'static str,
    given: String,
}

impl Malformed {
    /// `what` was given as `given`, but has to look like `expected`.
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
