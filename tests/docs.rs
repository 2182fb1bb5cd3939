//! The documentation: its links resolve, the README stays one page, and the files that it names exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

#[test]
fn every_relative_link_resolves() {
    let pages = pages();
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut broken = Vec::new();
    let mut count = 0;
    for (page, text) in &pages {
        let prose = without_code(text);
        let links = link.captures_iter(&prose).map(|link| link[1].to_owned());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            count += 1;
            if let Err(reason) = resolve(page, &link, &pages) {
                broken.push(format!("{}: {link}: {reason}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn the_readme_is_one_page() {
    let lines = read(Path::new("README.md")).lines().count();
    assert!(lines <= 220, "README.md has {lines} lines");
}

#[test]
fn the_architecture_names_only_files_that_exist() {
    let file = Regex::new(r"\b(?:src|examples|tests)/[\w/]+\.rs\b").expect("a pattern");
    let text = read(Path::new("docs/architecture.md"));
    let named: BTreeSet<&str> = file.find_iter(&text).map(|file| file.as_str()).collect();
    let absent: Vec<&str> = named.iter().copied().filter(|file| !root().join(file).is_file()).collect();
    assert!(absent.is_empty(), "docs/architecture.md names {}", absent.join(", "));
    assert!(named.len() > 30, "only {} files are named", named.len());
}

#[test]
fn the_architecture_names_each_function_with_the_file_that_has_it() {
    let row = Regex::new(r"(?m)^\| `(src/[\w/]+\.rs)` \| ((?:`[\w:]+`(?:, )?)+) \|").expect("a pattern");
    let function = Regex::new(r"`(?:(\w+)::)?(\w+)`").expect("a pattern");
    let text = read(Path::new("docs/architecture.md"));
    let (mut absent, mut count) = (Vec::new(), 0);
    for row in row.captures_iter(&text) {
        let source = read(Path::new(&row[1]));
        for named in function.captures_iter(&row[2]) {
            count += 1;
            let of =
                named.get(1).map_or(String::new(), |of| format!(r"impl\b[^{{]*\b{}\b[^{{]*\{{(?s:.*)", of.as_str()));
            let definition = format!(r"{of}\bfn {}\b", &named[2]);
            if !Regex::new(&definition).expect("a pattern").is_match(&source) {
                absent.push(format!("{} in {}", &named[0], &row[1]));
            }
        }
    }
    assert!(absent.is_empty(), "docs/architecture.md names {}", absent.join(", "));
    assert!(count > 50, "only {count} functions are named");
}

#[test]
fn troubleshooting_has_every_message_of_the_snapshots_with_its_hint_cause_and_remedy() {
    let path = Path::new("docs/reference/troubleshooting.md");
    let page = read(path);
    let generated = Regex::new(r"(?m)^```text\n(?:.*\n)*?```\n\n").expect("a pattern");
    let written = generated.replace_all(&page, "");
    let headings: Vec<Heading> = written.lines().filter(|line| line.starts_with("### ")).map(Heading::of).collect();
    let (mut examples, mut unknown) = (BTreeMap::new(), BTreeSet::new());
    let (messages, others) = messages();
    assert!(messages.len() > 80, "only {} messages were found", messages.len());
    for message in &messages {
        let first = message.lines().next().unwrap_or_default();
        // Patterns overlap: the longest is the most specific.
        match headings.iter().max_by_key(|heading| heading.matched(first)).filter(|one| one.matched(first) > 0) {
            None => drop(unknown.insert(message)),
            Some(heading) => examples.entry(heading.line).or_insert_with(Vec::new).push(message),
        }
    }
    // A heading may be about a line below the first, about a remark, or about more messages than another one.
    for heading in headings.iter().filter(|heading| !examples.contains_key(heading.line)).collect::<Vec<_>>() {
        let is_about = |message: &&String| message.lines().any(|line| heading.matched(line) > 0);
        let about: Vec<&String> = messages.iter().chain(&others).filter(is_about).collect();
        if !about.is_empty() {
            examples.insert(heading.line, about);
        }
    }
    let rare = |heading: &&Heading| RARE.iter().any(|text| heading.line.contains(text));
    let without = headings.iter().filter(|heading| !examples.contains_key(heading.line) && !rare(heading));
    assert_eq!(without.map(|one| one.line).collect::<Vec<_>>(), Vec::<&str>::new(), "no snapshot has these messages");
    assert!(unknown.is_empty(), "{} lacks:\n{}", path.display(), unknown.into_iter().cloned().collect::<String>());
    let causes = (written.matches("\nCause: ").count(), written.matches("\nRemedy: ").count());
    assert_eq!(causes, (headings.len(), headings.len()), "a cause and a remedy for each");
    let text: String = written.lines().map(|line| with_example(line, &examples)).collect();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(root().join(path), &text).expect("the page can be written");
    }
    assert!(read(path) == text, "UPDATE_SNAPSHOTS=1 cargo test --test docs writes the examples of {}", path.display());
}

/// Messages that no snapshot has: they take a failure of the machine, a killed run, or several runs at once.
const RARE: [&str; 7] = [
    "if interrupted, the copy of",
    "the temporary database failed",
    "every attempt to write a claim took more than 10 s",
    "CreateModelPackage returned a version that DescribeModelPackage did not find",
    "an earlier run has registered",
    "it is the same promotion as",
    "Not deleted",
];

/// A heading of the troubleshooting page: messages between backticks, with `…` for names and locations.
struct Heading<'a> {
    line: &'a str,
    messages: Vec<Vec<&'a str>>,
}

impl<'a> Heading<'a> {
    fn of(line: &'a str) -> Self {
        let messages = line.split('`').skip(1).step_by(2);
        Self { line, messages: messages.map(|message| message.split('…').map(str::trim).collect()).collect() }
    }

    /// The length of the longest pattern that the message matches.
    fn matched(&self, message: &str) -> usize {
        let length = |parts: &&Vec<&str>| parts.iter().map(|part| part.len()).sum();
        self.messages.iter().filter(|parts| in_order(parts, message)).map(|parts| length(&parts)).max().unwrap_or(0)
    }
}

/// Whether the text has all parts, one after the other.
fn in_order(parts: &[&str], text: &str) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part) {
        None => false,
        Some((_, after)) => {
            rest = after;
            true
        }
    })
}

/// The line of the page, and after a heading its shortest message.
fn with_example(line: &str, examples: &BTreeMap<&str, Vec<&String>>) -> String {
    match examples.get(line).and_then(|examples| examples.iter().min_by_key(|example| (example.len(), **example))) {
        None => format!("{line}\n"),
        Some(example) => format!("{line}\n\n```text\n{example}```\n"),
    }
}

/// The errors of the snapshots, each with its further lines and hints, and the remarks, which need no heading.
fn messages() -> (Vec<String>, Vec<String>) {
    let error =
        Regex::new(r"(?m)^(?:error: |conflict: |drift: |(?:promoted|approved again), but ).*\n(?:(?:  |hint: ).*\n)*")
            .expect("a pattern");
    let remark = r"(?m)^(?:Warnings|Outcome +nothing approved.*|warning: .*|(?:an? |the |if |waiting |arn:).*)\n(?:(?:  |hint: ).*\n)*";
    let remark = Regex::new(remark).expect("a pattern");
    let snapshots = fs::read_dir(root().join("tests/promote/snapshots")).expect("a folder");
    let snapshots = snapshots.map(|entry| entry.expect("an entry").path());
    let texts = snapshots.chain([root().join("docs/reference/mistakes.md")]).map(fs::read_to_string);
    let texts: Vec<String> = texts.map(|text| text.expect("a text")).collect();
    let all = |pattern: &Regex| {
        texts.iter().flat_map(|text| pattern.find_iter(text).map(|found| found.as_str().to_owned())).collect()
    };
    (all(&error), all(&remark))
}

#[test]
fn the_guide_shows_the_plan_of_a_pull_request_as_the_program_prints_it() {
    let plan = read(Path::new("tests/promote/snapshots/plan-of-a-pull-request.txt"));
    let indented = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("   {line}\n") };
    let shown = format!("   `````markdown\n{}   `````\n", plan.lines().map(indented).collect::<String>());
    let guide = read(Path::new("docs/guides/promotions-file.md"));
    assert!(guide.contains(&shown), "docs/guides/promotions-file.md lacks:\n{shown}");
}

#[test]
fn an_anchor_is_made_as_github_makes_it() {
    let made = |text: &str| anchors(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(made("# Exit code 3: promoted, but unconfirmed"), "exit-code-3-promoted-but-unconfirmed");
    assert_eq!(made("## `promote full`\n## `promote full`"), "promote-full promote-full-1");
    assert_eq!(made("# A\n```sh\n# b\n```"), "a");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// Every page with its text, by its path in the repository.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut paths: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].iter().map(PathBuf::from).collect();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the repository") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            match entry.path().is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "md") => paths.push(path),
                false => {}
            }
        }
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// Checks the file and the anchor that a link of `page` names.
fn resolve(page: &Path, link: &str, pages: &BTreeMap<PathBuf, String>) -> Result<(), String> {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let path = match file {
        "" => page.to_owned(),
        file => normal(&page.parent().expect("a page is in a folder").join(file)).ok_or("it leaves the repository")?,
    };
    if !root().join(&path).exists() {
        return Err(format!("{} does not exist", path.display()));
    }
    let Some(anchor) = anchor else { return Ok(()) };
    let text = pages.get(&path).ok_or("only pages have anchors")?;
    match anchors(text).contains(anchor) {
        true => Ok(()),
        false => Err(format!("{} has no heading #{anchor}", path.display())),
    }
}

/// The path without `..`; nothing if it leaves the repository.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => normal.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

/// The anchors of the headings: letters in lower case, spaces as hyphens, no other punctuation, and a number after a
/// heading that was there before (GitHub).
fn anchors(text: &str) -> BTreeSet<String> {
    let text = without_blocks(text);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let before = seen.entry(anchor.clone()).or_default();
        found.insert(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
        *before += 1;
    }
    found
}

/// The text without code, in blocks or in a line: no link is in it.
fn without_code(text: &str) -> String {
    let code = Regex::new(r"`[^`\n]*`").expect("a pattern");
    code.replace_all(&without_blocks(text), "`code`").into_owned()
}

/// The text without blocks of code.
fn without_blocks(text: &str) -> String {
    let mut is_code = false;
    let mut kept = Vec::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if !is_code && !is_fence {
            kept.push(line);
        }
        is_code ^= is_fence;
    }
    kept.join("\n")
}
