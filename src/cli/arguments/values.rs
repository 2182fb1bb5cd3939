//! Parses part sizes and tags.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::copy::{MAX_PART, MIN_PART};
use crate::model::arn::{KmsKeyArn, Malformed};
use crate::schema::shapes::refusal;

/// Parses a part size in bytes, KiB, MiB or GiB.
pub(super) fn part_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        unit => return Err(format!("'{unit}' is not a unit; expected a size such as 64MiB or 1GiB")),
    };
    let bytes = digits.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    let sizes = MIN_PART..=MAX_PART;
    let bytes = bytes.ok_or("expected a number and a unit, such as 64MiB")?;
    if sizes.contains(&bytes) { Ok(bytes) } else { Err("expected 5MiB to 5GiB (S3 limit)".to_owned()) }
}

/// A parser of whole numbers within limits.
pub fn number<N>(limits: RangeInclusive<N>) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync
where
    N: FromStr + PartialOrd + Display + Clone + Send + Sync,
{
    move |text: &str| match text.parse() {
        Ok(number) if limits.contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from {} to {}", limits.start(), limits.end())),
    }
}

/// Parses the ARN of a key. Aliases are refused: they may refer to another key later, and cannot be granted.
pub fn key(text: &str) -> Result<KmsKeyArn, String> {
    let key: KmsKeyArn = text.parse().map_err(|error: Malformed| error.to_string())?;
    let expected = "expected the ARN of the key, which `aws kms describe-key` prints";
    match key.is_alias() {
        true => Err(format!("it is an alias, which may refer to another key later; {expected}")),
        false => Ok(key),
    }
}

/// A parser of the file of `--record`. Elsewhere, `-` is standard input or output: a file of this name is a mistake.
pub fn record_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str() == "-" {
        true => Err("expected a file; `--output json` prints the document to standard output"),
        false => Ok(path),
    })
}

/// Parses a tag for a group.
pub(super) fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err("keys that begin with aws: are reserved for AWS".into());
    }
    match (refusal("TagKey", key), refusal("TagValue", value)) {
        (Some(reason), _) => Err(format!("the key {reason}")),
        (_, Some(reason)) => Err(format!("the value {reason}")),
        (None, None) => Ok((key.to_owned(), value.to_owned())),
    }
}
