//! The formats of `--output`.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    Text,
    /// One JSON document
    Json,
    /// One HTML page, without scripts or external resources
    Html,
}

/// `--output` of `promote plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Text for people
    Text,
    /// Markdown for a pull request
    Markdown,
    /// One JSON document
    Json,
}

/// Parses the formats that every verb has.
pub fn text_or_json() -> impl TypedValueParser<Value = Format> {
    let forms = [Format::Text, Format::Json].into_iter().filter_map(|form| form.to_possible_value());
    PossibleValuesParser::new(forms).try_map(|form| Format::from_str(&form, false))
}
