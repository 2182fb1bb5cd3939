//! Texts of the page: what is invisible is made visible, and what is long is cut.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use crate::cli::inert::is_hidden;
use crate::model::words::counted;

/// Characters of a text that are shown.
const SHOWN: usize = 400;

/// The text with everything visible that would hide or reorder other text, and cut with its length if it is long.
pub fn visible(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().take(SHOWN) {
        match is_hidden(character) {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
    let length = text.chars().count();
    if length > SHOWN {
        out.push_str(&format!("… ({length} characters)"));
    }
    out
}

/// A value of a field.
pub fn value(value: Option<&Value>) -> String {
    match value {
        None => "(none)".to_owned(),
        Some(Value::String(text)) => visible(text),
        Some(other) => visible(&other.to_string()),
    }
}

/// A time in minutes, UTC.
pub fn minute(time: &str) -> String {
    match time.get(..16).zip(time.get(10..11)) {
        Some((minute, "T")) => format!("{} UTC", minute.replace('T', " ")),
        _ => visible(time),
    }
}

/// How long a time is before another one, in the largest unit.
pub fn age(then: &str, now: &str) -> Option<String> {
    let parse = |time| DateTime::from_str(time, Format::DateTimeWithOffset).ok();
    let seconds = parse(now)?.secs() - parse(then)?.secs();
    let (count, unit) = match seconds {
        ..60 => return Some("less than a minute".to_owned()),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    Some(counted(count, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_shown_and_long_texts_are_cut() {
        assert_eq!(visible("a\u{202e}b\0\nc\u{2066}"), r"a\u{202e}b\u{0}\nc\u{2066}");
        assert_eq!(visible("Grüße, 日本, \"q\" <b>"), "Grüße, 日本, \"q\" <b>");
        let long = visible(&"x".repeat(100_000));
        assert!(long.ends_with("… (100000 characters)") && long.len() < 500, "{long}");
    }

    #[test]
    fn an_age_has_one_unit() {
        for (then, age_then) in [
            ("2026-11-29T11:59:30Z", "less than a minute"),
            ("2026-11-29T11:58:59.5Z", "1 minute"),
            ("2026-11-28T12:00:01Z", "23 hours"),
            ("2026-10-01T12:00:00Z", "59 days"),
        ] {
            assert_eq!(age(then, "2026-11-29T12:00:00Z").as_deref(), Some(age_then), "{then}");
        }
        assert_eq!(
            (age("", "2026-11-29T12:00:00Z"), minute("2026-11-29T11:58:59.5Z")),
            (None, "2026-11-29 11:58 UTC".into())
        );
    }
}
