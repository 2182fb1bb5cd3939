//! Breaks messages into lines that fit a terminal or a log.

use std::io::{stderr, stdout};

use terminal_size::{Height, Width, terminal_size_of};

/// The width without a terminal, and the largest on one: longer lines are hard to read.
const WIDTH: usize = 100;
/// The indentation of a line that continues another one.
const INDENT: usize = 6;

/// Breaks the lines of a message for standard error. A word is never broken, so that ARNs and locations can be copied.
pub(super) fn wrapped(text: &str) -> String {
    let width = width(terminal_size_of(stderr()));
    let lines = text.split('\n').map(|line| wrapped_line(line, width, indent_of(line) + INDENT));
    lines.collect::<Vec<_>>().join("\n")
}

/// Breaks the lines of a text for standard output in the same way. The rest of a line begins in column `indent`. For prose
/// and tables only: commands and documents are copied as they are.
pub(super) fn fitted(text: &str, indent: usize) -> String {
    let width = width(terminal_size_of(stdout()));
    text.split('\n').map(|line| wrapped_line(line, width, indent)).collect::<Vec<_>>().join("\n")
}

/// The width of lines. A terminal that does not know its width says 0.
fn width(terminal: Option<(Width, Height)>) -> usize {
    let terminal = terminal.map_or(WIDTH, |(width, _)| width.0.into());
    if terminal < INDENT * 2 { WIDTH } else { terminal.min(WIDTH) }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn wrapped_line(line: &str, width: usize, indent: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let first = indent_of(line);
    let (mut out, mut column) = (line[..first].to_owned(), first);
    for (at, word) in line[first..].split(' ').enumerate() {
        let length = word.chars().count();
        let start = if at == 0 { column } else { column + 1 };
        // A word that already begins at `indent` would get no more room on a new line.
        if at > 0 && start + length > width && start != indent {
            out.truncate(out.trim_end_matches(' ').len());
            out.push_str(&format!("\n{:indent$}{word}", ""));
            column = indent + length;
            continue;
        }
        out.push_str(if at == 0 { "" } else { " " });
        out.push_str(word);
        column = start + length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped_line(line: &str, width: usize) -> String {
        super::wrapped_line(line, width, indent_of(line) + INDENT)
    }

    #[test]
    fn a_row_goes_on_in_the_column_that_it_is_told() {
        let row = "  675 B  copied     444.dkr.ecr/llm:1";
        assert_eq!(super::wrapped_line(row, 30, 9), "  675 B  copied\n         444.dkr.ecr/llm:1");
        let label = "Source     arn:aws:sagemaker:eu";
        assert_eq!(super::wrapped_line(label, 20, 11), label, "another line has no more room");
    }

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
