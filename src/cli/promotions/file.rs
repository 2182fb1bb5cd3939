//! Reads a promotions file. One error lists everything that is wrong, with lines and columns.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use clap::{Command, FromArgMatches};
use saphyr::{MarkedYaml, Scalar, YamlData};

use super::members::{Member, MemberKind, Section, command, members};
use super::refused::{in_words_of_the_file, is_about_a_value, names, with_members};
use super::text::{self, WrittenValues};
use crate::cli::full::PromotionArgs;
use crate::model::failure::Failure;

/// A target of a promotions file, named `<promotion>/<target>`.
#[derive(Debug, Clone)]
pub(super) struct FileTarget {
    pub name: String,
    pub full: Arc<PromotionArgs>,
}

/// YAML 1.2 has no merge keys.
const MERGE: &str = "merge keys (`<<`) are not supported; put members that several targets share into `defaults`";

/// A line and a column, both from 1.
type Position = (usize, usize);

/// A member's values, and where they stand.
#[derive(Debug, Clone)]
struct Given {
    at: Position,
    values: Vec<String>,
}

/// The members of a section by name.
type Members = BTreeMap<String, Given>;

/// Reads the targets of a promotions file, in their order.
///
/// # Errors
/// The file cannot be read, or something in it is wrong.
pub(super) fn read(path: &Path) -> Result<Vec<FileTarget>> {
    parse(&text::read(path)?, &path.display().to_string())
}

/// The errors that a message lists.
const LISTED: usize = 50;
/// The characters of an error that a message has.
const LONGEST: usize = 500;

fn parse(text: &str, name: &str) -> Result<Vec<FileTarget>> {
    let (documents, written) = text::load(text, name)?;
    let mut reader = FileReader { written, command: command(), members: members(), wrong: Vec::new() };
    let targets = match documents.as_slice() {
        [] => reader.refuse((1, 1), "the file is empty: `promotions` is missing"),
        [document] if document.data.is_null() => {
            reader.refuse(position(document), "the file is empty: `promotions` is missing")
        }
        [document] => reader.targets(document),
        [_, second, ..] => {
            reader.refuse(position(second), "a second YAML document begins here; a promotions file has one")
        }
    };
    reader.wrong.sort();
    let line = |((line, column), message): &(Position, String)| format!("{name}:{line}:{column}: {message}");
    let mut wrong: Vec<String> = reader.wrong.iter().take(LISTED).map(line).collect();
    if reader.wrong.len() > LISTED {
        wrong.push(format!("and {} more", reader.wrong.len() - LISTED));
    }
    ensure!(
        wrong.is_empty(),
        Failure::new(wrong.join("\n"))
            .hint("See docs/guides/promotions-file.md for the members and an example")
            .wrong_arguments()
    );
    Ok(targets)
}

struct FileReader {
    written: WrittenValues,
    command: Command,
    members: Vec<Member>,
    wrong: Vec<(Position, String)>,
}

impl FileReader {
    fn targets(&mut self, document: &MarkedYaml<'_>) -> Vec<FileTarget> {
        let top = self.entries(document, "the file");
        self.refuse_unknown(&top, &["defaults", "promotions"]);
        let defaults = top.iter().find(|(name, ..)| name == "defaults").map(|(_, _, node)| self.defaults(node));
        let (source, target) = defaults.unwrap_or_default();
        let Some((_, _, promotions)) = top.iter().find(|(name, ..)| name == "promotions") else {
            self.tell(position(document), "`promotions` is missing".to_owned());
            return Vec::new();
        };
        let mut targets = Vec::new();
        for (name, at, node) in self.some(promotions, "promotions") {
            self.check_name(&name, at);
            targets.extend(self.promotion(&name, at, node, (&source, &target)));
        }
        targets
    }

    fn defaults(&mut self, node: &MarkedYaml<'_>) -> (Members, Members) {
        let entries = self.entries(node, "defaults");
        self.refuse_unknown(&entries, &["source", "target"]);
        let mut of = |section: &str, kind| {
            let found = entries.iter().find(|(name, ..)| name == section);
            found.map(|(_, _, node)| self.section(node, kind)).unwrap_or_default()
        };
        (of("source", Section::Source), of("target", Section::Target))
    }

    /// The targets of one promotion.
    fn promotion(
        &mut self,
        promotion: &str,
        at: Position,
        node: &MarkedYaml<'_>,
        defaults: (&Members, &Members),
    ) -> Vec<FileTarget> {
        let entries = self.entries(node, promotion);
        self.refuse_unknown(&entries, &["source", "targets"]);
        let of = |section: &str| entries.iter().find(|(name, ..)| name == section).map(|(_, _, node)| *node);
        let own = of("source").map(|node| self.section(node, Section::Source)).unwrap_or_default();
        let source = with_defaults(defaults.0, own);
        let Some(targets) = of("targets") else {
            self.tell(at, format!("`targets` of {promotion} is missing"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for (target, at, node) in self.some(targets, "targets") {
            self.check_name(&target, at);
            let own = self.section(node, Section::Target);
            let name = format!("{promotion}/{target}");
            let full = self.full(&name, at, (&source, &with_defaults(defaults.1, own)));
            found.extend(full.map(|full| FileTarget { name, full: Arc::new(full) }));
        }
        found
    }

    /// The values of a section.
    fn section(&mut self, node: &MarkedYaml<'_>, section: Section) -> Members {
        let mut found = Members::new();
        for (name, at, node) in self.entries(node, section.name()) {
            let member = self.members.iter().find(|member| member.section == section && member.name == name).cloned();
            let Some(member) = member else {
                let message = format!("unknown member `{name}` of {}", section.name());
                self.tell(at, message);
                continue;
            };
            if let Some(values) = self.values(&member, node) {
                found.insert(name, Given { at: position(node), values });
            }
        }
        found
    }

    /// The values of a member as a command line has them.
    fn values(&mut self, member: &Member, node: &MarkedYaml<'_>) -> Option<Vec<String>> {
        let name = &member.name;
        let values: Option<Vec<String>> = match (member.kind, &node.data) {
            (MemberKind::List, YamlData::Sequence(items)) => items.iter().map(|item| self.scalar(item)).collect(),
            (MemberKind::Switch, YamlData::Value(Scalar::Boolean(switch))) => Some(vec![switch.to_string()]),
            (MemberKind::Value, _) => self.scalar(node).map(|value| vec![value]),
            (MemberKind::List | MemberKind::Switch, _) => None,
        };
        if values.is_none() {
            let expected = match member.kind {
                MemberKind::List => "a list",
                MemberKind::Switch => "true or false",
                MemberKind::Value => "one value",
            };
            self.tell(position(node), format!("`{name}` has to be {expected}"));
        }
        let words = values.as_deref().map(|values| member.words(values)).unwrap_or_default();
        let refused = self.command.try_get_matches_from_mut(words).err().filter(is_about_a_value);
        if let Some(error) = refused {
            let message = in_words_of_the_file(&error, &self.members);
            self.tell(position(node), message);
        }
        values
    }

    /// The text of a value. A number is taken as it is written: account IDs may begin with 0.
    fn scalar(&self, node: &MarkedYaml<'_>) -> Option<String> {
        match &node.data {
            YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
            YamlData::Value(Scalar::Integer(_) | Scalar::FloatingPoint(_)) => {
                self.written.get(&node.span.start.index()).cloned()
            }
            _ => None,
        }
    }

    /// The flags of `promote full` that a target sets.
    fn full(&mut self, name: &str, at: Position, (source, target): (&Members, &Members)) -> Option<PromotionArgs> {
        let of = |member: &Member| match member.section {
            Section::Source => source.get(&member.name),
            Section::Target => target.get(&member.name),
        };
        let given = |member| of(member).map(|given| member.words(&given.values));
        let words: Vec<String> = self.members.iter().filter_map(given).flatten().collect();
        let matches = self.command.try_get_matches_from_mut(words);
        let (named, message) = match matches.and_then(|matches| PromotionArgs::from_arg_matches(&matches)) {
            Ok(full) => {
                let Some(error) = full.groups().err().map(|error| error.to_string()) else { return Some(full) };
                let named = self.members.iter().find(|member| error.starts_with(&format!("`{}`", member.flag())));
                (named, with_members(error, &self.members))
            }
            // Each value was checked where it stands.
            Err(error) if is_about_a_value(&error) => return None,
            Err(error) => {
                let named = self.members.iter().find(|member| names(&error, &member.flag()));
                (named, in_words_of_the_file(&error, &self.members))
            }
        };
        let at = named.and_then(of).map_or(at, |given| given.at);
        self.tell(at, format!("{name}: {message}"));
        None
    }

    /// The members of a mapping with their positions.
    fn entries<'n, 'y>(&mut self, node: &'n MarkedYaml<'y>, of: &str) -> Vec<(String, Position, &'n MarkedYaml<'y>)> {
        let YamlData::Mapping(mapping) = &node.data else {
            self.tell(position(node), format!("{of} has to be a mapping"));
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (key, node) in mapping {
            match self.scalar(key) {
                Some(name) if name == "<<" => self.tell(position(key), MERGE.to_owned()),
                Some(name) => entries.push((name, position(key), node)),
                None => self.tell(position(key), "the name of a member has to be text".to_owned()),
            }
        }
        entries
    }

    /// The members of a mapping that has some: a file without targets would succeed and promote nothing.
    fn some<'n, 'y>(&mut self, node: &'n MarkedYaml<'y>, of: &str) -> Vec<(String, Position, &'n MarkedYaml<'y>)> {
        if matches!(&node.data, YamlData::Mapping(mapping) if mapping.is_empty()) {
            self.tell(position(node), format!("`{of}` is empty"));
        }
        self.entries(node, of)
    }

    fn refuse_unknown(&mut self, entries: &[(String, Position, &MarkedYaml<'_>)], known: &[&str]) {
        for (name, at, _) in entries.iter().filter(|(name, ..)| !known.contains(&name.as_str())) {
            let known: Vec<String> = known.iter().map(|one| format!("`{one}`")).collect();
            self.tell(*at, format!("unknown member `{name}`; expected {}", known.join(" or ")));
        }
    }

    fn check_name(&mut self, name: &str, at: Position) {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if name.is_empty() || !name.bytes().all(is_allowed) {
            self.tell(at, format!("the name `{name}` may have letters, digits, hyphens, underscores and dots only"));
        }
    }

    /// Refuses the whole file.
    fn refuse(&mut self, at: Position, message: &str) -> Vec<FileTarget> {
        self.tell(at, message.to_owned());
        Vec::new()
    }

    fn tell(&mut self, at: Position, mut message: String) {
        if let Some((cut, _)) = message.char_indices().nth(LONGEST) {
            message.truncate(cut);
            message.push('…');
        }
        self.wrong.push((at, message));
    }
}

fn with_defaults(defaults: &Members, own: Members) -> Members {
    let mut members = defaults.clone();
    members.extend(own);
    members
}

fn position(node: &MarkedYaml<'_>) -> Position {
    (node.span.start.line(), node.span.start.col() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_can_be_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pull-request/promotions.yaml");
        let names: Vec<String> = read(Path::new(path)).unwrap().into_iter().map(|target| target.name).collect();
        assert_eq!(names, ["risk/staging", "risk/production"]);
    }
}
