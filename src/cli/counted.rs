//! Numbers with their nouns.

/// A number with its noun in the singular or the plural.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
