//! Numbers and lists in sentences.

use std::fmt::Display;

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
