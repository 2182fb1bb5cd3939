//! Replaces string values in the JSON content of a model card. All other text is kept, including white space and
//! escapes.

use std::ops::Range;

use serde::de::IgnoredAny;

/// Every string value of the content, unescaped. Empty if the content is not JSON.
pub fn string_values(content: &str) -> Vec<String> {
    literals(content).into_iter().map(|(_, value)| value).collect()
}

/// Replaces each string value for which `replace` returns another value.
pub fn with_values_replaced(content: &str, replace: impl Fn(&str) -> Option<String>) -> String {
    let (mut replaced, mut copied) = (String::with_capacity(content.len()), 0);
    for (span, value) in literals(content) {
        if let Some(other) = replace(&value) {
            replaced.push_str(&content[copied..span.start]);
            replaced.push_str(&serde_json::Value::from(other).to_string());
            copied = span.end;
        }
    }
    replaced + &content[copied..]
}

/// The string literals that are values: their ranges, including the quotes, and their unescaped values.
fn literals(content: &str) -> Vec<(Range<usize>, String)> {
    // In valid JSON, a quote outside a literal begins a literal, and a literal before a colon is a name.
    if serde_json::from_str::<IgnoredAny>(content).is_err() {
        return Vec::new();
    }
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(start) = content[from..].find('"').map(|quote| from + quote) {
        let end = end_of_literal(content, start);
        let is_name = content[end..].trim_start().starts_with(':');
        if let (false, Ok(value)) = (is_name, serde_json::from_str(&content[start..end])) {
            found.push((start..end, value));
        }
        from = end;
    }
    found
}

/// The end of the literal whose first quote is at `start`.
fn end_of_literal(content: &str, start: usize) -> usize {
    let mut escaped = false;
    let end = content.bytes().enumerate().skip(start + 1).find(|(_, byte)| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    });
    end.map_or(content.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_regardless_of_escapes_and_other_text_is_kept() {
        let content =
            r#"{ "s3:\/\/a\/k" : "s3:\/\/a\/k", "e": [1e0, "\u00733://a/k" ],"t":"say \"s3://a/k\" \\", "u":"ü"}"#;
        let replaced = with_values_replaced(content, |value| (value == "s3://a/k").then(|| "s3://b/\"k".to_owned()));
        let expected =
            r#"{ "s3:\/\/a\/k" : "s3://b/\"k", "e": [1e0, "s3://b/\"k" ],"t":"say \"s3://a/k\" \\", "u":"ü"}"#;
        assert_eq!(replaced, expected);
    }

    #[test]
    fn values_are_unescaped_and_names_are_not_values() {
        assert_eq!(string_values(r#"{"a":"\/\"","b":{"c" : ["\\"]}}"#), ["/\"", "\\"]);
    }

    #[test]
    fn content_that_is_not_json_is_kept() {
        for content in ["", "\"", "{\"a\": s3://a/k}", "\"a\" \"b\""] {
            assert_eq!(string_values(content), [""; 0]);
            assert_eq!(with_values_replaced(content, |_| Some("x".into())), content);
        }
    }
}
