//! When a pipeline starts by itself.

use std::str::FromStr;

use crate::model::arn::{Malformed, text_type};

/// A schedule expression of EventBridge: `rate(1 day)` or `cron(0 6 * * ? *)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(String);

impl FromStr for Schedule {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let inner = |kind: &str| text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        match inner("rate").is_some_and(is_rate) || inner("cron").is_some_and(is_cron) {
            true => Ok(Self(text.to_owned())),
            false => {
                Err(Malformed::new("a schedule", "rate(1 day), or a cron expression such as cron(0 6 * * ? *)", text))
            }
        }
    }
}
text_type!(Schedule);

/// A number and its unit, which is singular for 1 only (EventBridge User Guide, "Rate expressions").
fn is_rate(text: &str) -> bool {
    let Some((number, unit)) = text.split_once(' ') else { return false };
    let is_number = !number.starts_with('0') && number.len() <= 9 && number.bytes().all(|b| b.is_ascii_digit());
    let units = if number == "1" { ["minute", "hour", "day"] } else { ["minutes", "hours", "days"] };
    is_number && !number.is_empty() && units.contains(&unit)
}

/// Six fields, of which the day of the month or the day of the week is `?` ("Cron expressions").
fn is_cron(text: &str) -> bool {
    let fields: Vec<&str> = text.split(' ').collect();
    let is_field =
        |field: &&str| !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b"*?,-/#".contains(&b));
    let days = |fields: &[&str]| [fields[2], fields[4]].iter().filter(|day| **day == "?").count();
    fields.len() == 6 && fields.iter().all(is_field) && days(&fields) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_a_rate_or_a_cron_expression_as_eventbridge_takes_them() {
        for text in ["rate(1 day)", "rate(12 hours)", "cron(0 6 * * ? *)", "cron(0/15 8-17 ? * MON-FRI *)"] {
            assert!(text.parse::<Schedule>().is_ok(), "{text}");
        }
        for text in [
            "daily",
            "1 day",
            "rate(1 days)",
            "rate(2 day)",
            "rate(0 days)",
            "rate( day)",
            "rate(1 week)",
            "cron(0 6 * * *)",
            "cron(0 6 * * * *)",
            "cron(0 6 ? * ? *)",
            "at(2026-01-01T00:00:00)",
            "rate(1 day",
            "rate",
        ] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }
}
