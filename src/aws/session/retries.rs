//! Reads the retry settings: AWS_MAX_ATTEMPTS and AWS_RETRY_MODE, or the profile's `max_attempts` and `retry_mode`.
//!
//! The SDK panics on invalid values. It always receives a complete configuration, so that it reads none itself.

use aws_config::retry::{RetryConfig, RetryMode};

use super::files::{Files, ProfileValue};
use super::refusal::refused;
use super::surroundings::Surroundings;
use crate::aws::error::{CallError, Caller};

/// The retry settings of the user; nothing where the user has not set one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retries {
    pub attempts: Option<u32>,
    mode: Option<RetryMode>,
}

impl Retries {
    /// The user's settings, and the SDK's defaults for the others.
    pub fn config(self) -> RetryConfig {
        self.over(RetryConfig::standard())
    }

    /// The user's settings, and these defaults for the others.
    pub fn over(self, default: RetryConfig) -> RetryConfig {
        let attempts = self.attempts.unwrap_or(default.max_attempts());
        let mode = self.mode.unwrap_or(default.mode());
        default.with_max_attempts(attempts).with_retry_mode(mode)
    }
}

/// The retry settings for a profile. The environment takes precedence, as in the AWS CLI.
///
/// # Errors
/// A setting cannot be parsed.
pub(super) fn configured_retries(
    surroundings: &Surroundings,
    caller: &Caller,
    files: &Files,
    profile: &str,
) -> Result<Retries, CallError> {
    let attempts = Setting {
        variable: "AWS_MAX_ATTEMPTS",
        key: "max_attempts",
        parse: |text| text.parse().ok().filter(|attempts| *attempts > 0),
        hint: "Set it to an integer of 1 or more, or remove it",
    };
    let mode = Setting {
        variable: "AWS_RETRY_MODE",
        key: "retry_mode",
        parse: |text| match text.to_ascii_lowercase().as_str() {
            // The SDK for Rust has no legacy mode. The AWS CLI writes it into many files.
            "standard" | "legacy" => Some(RetryMode::Standard),
            "adaptive" => Some(RetryMode::Adaptive),
            _ => None,
        },
        hint: "Set it to standard or adaptive, or remove it",
    };
    let attempts = attempts.read(surroundings.given(attempts.variable), caller, files, profile)?;
    Ok(Retries { attempts, mode: mode.read(surroundings.given(mode.variable), caller, files, profile)? })
}

struct Setting<T> {
    variable: &'static str,
    key: &'static str,
    parse: fn(&str) -> Option<T>,
    hint: &'static str,
}

impl<T> Setting<T> {
    /// The value of the variable, if it is given, otherwise of the profile.
    fn read(
        &self,
        given: Option<String>,
        caller: &Caller,
        files: &Files,
        profile: &str,
    ) -> Result<Option<T>, CallError> {
        let parse = |text: &str| (self.parse)(text.trim());
        if let Some(text) = given {
            let error = || refused(caller, format!("{} is '{}'", self.variable, text.escape_debug()), self.hint.into());
            return parse(&text).map(Some).ok_or_else(error);
        }
        let Some(value) = files.get(profile, self.key) else { return Ok(None) };
        let error =
            |value: ProfileValue| value.refused(caller, &format!("is '{}'", value.text.escape_debug()), self.hint);
        parse(value.text).map(Some).ok_or_else(|| error(value))
    }
}
