//! The names of records.

use std::sync::LazyLock;

use regex::Regex;

/// Of the first record, of a version that was promoted again, and of a later change.
static RECORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^promotion(-[0-9]+|-[0-9]{8}T[0-9]{6}(\.[0-9]+)?Z(-[0-9]+)?)?$").expect("the pattern is valid")
});

/// Whether a name without its ending `.json` is one that the program gives to a record. Other objects beside the
/// artifacts are not read as records.
pub(super) fn is_record_name(name: &str) -> bool {
    RECORD.is_match(name)
}
