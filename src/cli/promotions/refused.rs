//! What clap refuses, in the words of a promotions file.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::members::Member;

/// What is wrong with the flags, with the members instead of the flags.
pub(super) fn in_words_of_the_file(error: &clap::Error, members: &[Member]) -> String {
    if let (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(flags))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    {
        let names: Vec<String> =
            flags.iter().map(|flag| format!("`{}`", with_members(flag.clone(), members))).collect();
        return format!("{} {} missing", names.join(", "), if names.len() == 1 { "is" } else { "are" });
    }
    let text = error.render().to_string();
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let lines = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    with_members(lines.trim_start_matches("error: ").to_owned(), members)
}

/// The message with members instead of flags.
pub(super) fn with_members(mut message: String, members: &[Member]) -> String {
    // The longest flags first: a flag may begin with another one.
    let mut members: Vec<&Member> = members.iter().collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.flag().len()));
    for member in members {
        let named = format!("{}.{}", member.section.name(), member.name);
        let value = member.argument.get_value_names().and_then(|names| names.first());
        if let Some(value) = value {
            message = message.replace(&format!("{} <{value}>", member.flag()), &named);
        }
        message = message.replace(&member.flag(), &named);
    }
    message
}

/// Whether the error is about a value, and not about what is missing or does not go together.
pub(super) fn is_about_a_value(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
}

/// Whether the error is about this flag.
pub(super) fn names(error: &clap::Error, flag: &str) -> bool {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => name.split([' ', '=']).next() == Some(flag),
        _ => false,
    }
}
