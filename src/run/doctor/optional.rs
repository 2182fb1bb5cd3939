//! Permissions that a promotion does without.

use super::check::{Check, Finding};

/// Marks the checks of a permission as optional, and says what a promotion lacks without it.
pub(super) fn without(checks: Vec<Check>, action: &str, lost: &str) -> Vec<Check> {
    let mark = |check: Check| match (check.action == action, check.result) {
        (false, _) => check,
        (true, Finding::Denied) => {
            let reason = check.reason.unwrap_or_default();
            Check { optional: true, reason: Some(format!("{reason}. Optional: without it, {lost}")), ..check }
        }
        (true, Finding::Ok | Finding::NotTestable | Finding::Missing) => Check { optional: true, ..check },
    };
    checks.into_iter().map(mark).collect()
}

/// The result of all checks: the worst of those that a promotion needs.
pub(super) fn worst(checks: &[Check]) -> Finding {
    let needed = checks.iter().filter(|check| !check.optional).map(|check| check.result).max();
    needed.unwrap_or(Finding::NotTestable)
}
