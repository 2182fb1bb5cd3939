//! Breaks messages into lines that fit a terminal or a log.

use std::io::stderr;

use terminal_size::terminal_size_of;

/// The width without a terminal, and the largest on one: longer lines are hard to read.
const WIDTH: usize = 100;
/// The indentation of a line that continues another one.
const INDENT: &str = "      ";

/// Breaks the lines of a message for standard error. A word is never broken, so that ARNs and locations can be copied.
pub(super) fn wrapped(text: &str) -> String {
    let terminal = terminal_size_of(stderr()).map_or(WIDTH, |(width, _)| width.0.into());
    // A terminal that does not know its width says 0.
    let width = if terminal < INDENT.len() * 2 { WIDTH } else { terminal.min(WIDTH) };
    text.split('\n').map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
    let (mut out, mut column) = (indent.to_owned(), indent.len());
    for (at, word) in line[indent.len()..].split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > width {
            out.push_str(&format!("\n{indent}{INDENT}{word}"));
            column = indent.len() + INDENT.len() + length;
            continue;
        }
        let space = if at == 0 { "" } else { " " };
        out.push_str(&format!("{space}{word}"));
        column += space.len() + length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_a_list_keeps_its_indentation() {
        assert_eq!(wrapped_line("hint: Pass a key", 12), "hint: Pass a\n      key");
        assert_eq!(wrapped_line("  one two three", 11), "  one two\n        three");
        assert_eq!(wrapped_line("fits", 4), "fits");
    }

    #[test]
    fn a_word_is_never_broken() {
        assert_eq!(wrapped_line("on s3://bucket/long/key now", 10), "on\n      s3://bucket/long/key\n      now");
    }
}
