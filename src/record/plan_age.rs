//! The age of a reviewed plan.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::model::failure::Failure;
use crate::model::words::{counted, listed};

/// By how much clocks may differ: AWS refuses requests that are five minutes old (IAM User Guide, "Elements of an AWS API
/// request signature"), so that no machine with a clock that differs more could have made a plan.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// Refuses a plan that was made more than `limit` ago.
///
/// # Errors
/// The plan is too old, or its time cannot be read or is in the future.
pub(super) fn refuse_older(made: &str, limit: Duration, now: SystemTime) -> Result<()> {
    ensure!(
        age(made, now)? <= limit,
        Failure::new(format!("the plan of {made} is older than {}", in_words(limit)))
            .hint("Make and review a new plan, or pass a longer `--plan-max-age`")
    );
    Ok(())
}

/// The age of a plan. Without the refusal, a plan whose time is in the future would never be too old.
fn age(made: &str, now: SystemTime) -> Result<Duration> {
    let time = SystemTime::try_from(DateTime::from_str(made, Format::DateTime)?)?;
    let ahead = time.duration_since(now).unwrap_or_default();
    ensure!(
        ahead <= CLOCK_TOLERANCE,
        Failure::new(format!("the plan is dated {made}, which is in the future: the clock of a machine is wrong"))
            .hint("Correct the clock of this machine, or of the one that made the plan; then make a new plan")
    );
    Ok(now.duration_since(time).unwrap_or_default())
}

/// A duration in the words of a message, in the two largest units.
fn in_words(limit: Duration) -> String {
    let seconds = limit.as_secs();
    let units = [(seconds / 86_400, "day"), (seconds / 3600 % 24, "hour"), (seconds / 60 % 60, "minute")];
    let units = units.into_iter().chain([(seconds % 60, "second")]).filter(|(count, _)| *count > 0).take(2);
    let words: Vec<String> = units.map(|(count, unit)| counted(count, unit)).collect();
    if words.is_empty() { "0 seconds".to_owned() } else { listed(&words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_as_old_as_its_time_says_and_refused_if_that_is_in_the_future() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        assert_eq!(age("2025-12-31T23:00:00Z", now).unwrap(), Duration::from_secs(3600));
        assert_eq!(age("2026-01-01T00:04:59Z", now).unwrap(), Duration::ZERO);
        let refused = age("2026-01-01T00:05:01Z", now).unwrap_err().to_string();
        assert!(refused.contains("2026-01-01T00:05:01Z, which is in the future"), "{refused}");
    }

    #[test]
    fn a_limit_is_told_in_its_two_largest_units() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1800, "30 minutes"),
            (3600, "1 hour"),
            (90 * 60, "1 hour and 30 minutes"),
            (36 * 3600, "1 day and 12 hours"),
            (604_800, "7 days"),
            (90, "1 minute and 30 seconds"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
