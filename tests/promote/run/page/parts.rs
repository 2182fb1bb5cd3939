//! Finds the parts of a page: the row, the section, the versions and the facts of a group.

use std::collections::BTreeMap;

/// One version of a section.
pub struct Version<'a> {
    /// What the columns Source, Target and State have.
    pub columns: Vec<String>,
    /// What opens.
    pub lineage: &'a str,
}

/// The section of a group.
pub fn section<'a>(page: &'a str, group: &str) -> &'a str {
    let sections = elements(page, "section");
    let named = sections.into_iter().find(|section| section.contains(&format!("<h2>{group}</h2>")));
    named.unwrap_or_else(|| panic!("no section of {group}"))
}

/// The columns of the table of all groups, and the row of a group without its empty cells.
pub fn row(page: &str, group: &str) -> BTreeMap<String, String> {
    let columns = elements(page, "th").into_iter().map(text);
    let rows = elements(page, "tr").into_iter().map(|row| elements(row, "td").into_iter().map(text));
    let row = rows.map(Vec::from_iter).find(|cells| cells.first().is_some_and(|name| name == group));
    let row = row.unwrap_or_else(|| panic!("no row of {group}"));
    columns.zip(row).filter(|(_, cell)| !cell.is_empty()).collect()
}

/// The terms of a section or lineage, each with its text.
pub fn facts(part: &str) -> BTreeMap<String, String> {
    let (terms, texts) = (elements(part, "dt"), elements(part, "dd"));
    assert_eq!(terms.len(), texts.len(), "{part}");
    terms.into_iter().map(text).zip(texts.into_iter().map(text)).collect()
}

/// The versions of a section, newest first.
pub fn versions(section: &str) -> Vec<Version<'_>> {
    let starts = |tag: &str| section.match_indices(tag).map(|(at, _)| at).collect::<Vec<usize>>();
    let mut starts = [starts("<details class=\"v\">"), starts("<div class=\"v\">")].concat();
    starts.sort_unstable();
    let ends = starts.iter().skip(1).copied().chain([section.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| &section[*start..end]);
    let version = |part| {
        let (line, lineage) = str::split_once(part, "</summary>").unwrap_or((part, ""));
        Version { columns: line.split("<span>").skip(1).map(text).collect(), lineage }
    };
    parts.map(version).collect()
}

/// The rows of a table of a lineage, whose first column has this name.
pub fn table(lineage: &str, first: &str) -> Vec<Vec<String>> {
    let tables = elements(lineage, "table").into_iter();
    let named = tables.filter(|table| elements(table, "th").first().is_some_and(|column| text(column) == first));
    let rows = named.flat_map(|table| elements(table, "tr"));
    let cells = rows.map(|row| elements(row, "td").into_iter().map(text).collect());
    cells.filter(|cells: &Vec<String>| !cells.is_empty()).collect()
}

/// The contents of the elements with this tag, which are not in each other.
fn elements<'a>(part: &'a str, tag: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{tag}"), format!("</{tag}>"));
    let begins = part.split(&start).skip(1);
    let begun = begins.filter(|rest| rest.starts_with([' ', '>']));
    begun.filter_map(|rest| Some(rest.split_once(&end)?.0.split_once('>')?.1)).collect()
}

/// What a reader sees of a part.
fn text(part: &str) -> String {
    let visible: String = part
        .split('<')
        .enumerate()
        .map(|(at, piece)| match at {
            0 => piece,
            _ => piece.split_once('>').expect("a tag ends").1,
        })
        .collect();
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    marks.iter().fold(visible, |text, (mark, character)| text.replace(mark, character)).trim().to_owned()
}
