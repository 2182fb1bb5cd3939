//! Numbers and lists in sentences, and the words of documents.

use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

/// A number with its noun in the singular or the plural.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// `a, b and c`.
pub fn listed(all: &[impl Display]) -> String {
    let mut list = String::new();
    for (at, item) in all.iter().enumerate() {
        list.push_str(match at {
            0 => "",
            _ if at + 1 == all.len() => " and ",
            _ => ", ",
        });
        list.push_str(&item.to_string());
    }
    list
}

/// The word that documents have for a value, such as a variant of an enum.
pub fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_agrees_with_its_number() {
        assert_eq!([counted(0_u64, "object"), counted(1_usize, "object")], ["0 objects", "1 object"]);
    }

    #[test]
    fn the_last_item_of_a_list_follows_and() {
        assert_eq!([listed(&["a"; 0]), listed(&["a"]), listed(&["a", "b"])], ["", "a", "a and b"]);
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
