//! The folders of src/ are the data path: a folder imports only folders before it, and no file imports in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// The folders in the order of the data path. `stack` imports `model` only.
const ORDER: [&str; 12] =
    ["model", "store", "schema", "aws", "plan", "copy", "image", "register", "record", "run", "stack", "cli"];

#[test]
fn a_folder_imports_only_folders_before_it() {
    let mut found = Vec::new();
    for (file, imports) in &*IMPORTS {
        let Some(folder) = folder(file) else { continue };
        for other in imports.iter().filter_map(|import| self::folder(import)) {
            let allowed = if folder == "stack" { other == "model" } else { place(&other) < place(&folder) };
            if other != folder && !allowed {
                found.push(format!("{} imports {other}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_imports_in_a_circle() {
    let circles: Vec<String> =
        IMPORTS.keys().filter(|file| reaches_itself(file, &IMPORTS)).map(|file| file.display().to_string()).collect();
    assert!(circles.is_empty(), "these files import each other: {}", circles.join(", "));
}

#[test]
fn the_imports_of_this_crate_are_found() {
    let of = |file: &str| &IMPORTS[Path::new(file)];
    assert!(of("run/full.rs").contains(Path::new("run/promotion.rs")), "{:?}", of("run/full.rs"));
    assert!(of("run/full.rs").iter().any(|import| import.starts_with("register")), "{:?}", of("run/full.rs"));
    assert!(IMPORTS.len() > 80, "{} files", IMPORTS.len());
}

#[test]
fn a_type_has_a_name_of_its_own() {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (file, code) in &*CODE {
        for definition in TYPE.captures_iter(code) {
            files.entry(definition.get(1).expect("a name").as_str()).or_default().push(file.display().to_string());
        }
    }
    assert!(files.contains_key("RunReport"), "{files:?}");
    files.retain(|_, files| files.len() > 1);
    assert!(files.is_empty(), "these names have several types: {files:#?}");
}

#[test]
fn code_after_a_test_is_read_as_well() {
    let text = "#[cfg(test)]\nmod schema;\nuse super::A;\nimpl B {\n    #[cfg(test)]\n    fn t() {\n        C\n    }\n    D\n}";
    assert_eq!(without_tests(text), "use super::A;\nimpl B {\n    D\n}");
}

#[test]
fn a_file_has_at_most_300_lines() {
    let long = FILES.iter().filter(|(_, text)| text.lines().count() > 300);
    let long: Vec<String> = long.map(|(file, _)| file.display().to_string()).collect();
    assert!(long.is_empty(), "these files have more than 300 lines: {}", long.join(", "));
}

static VISIBILITY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"pub\((?:in )?(?:crate|super)[\w:]*\)").expect("a pattern"));
static PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(crate|super|self)((?:::\w+)*)(::\{[^;]*?\}|::\*)?").expect("a pattern"));
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\w+").expect("a pattern"));
static CHILD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*(?:pub(?:\([\w: ]+\))? )?mod (\w+);").expect("a pattern"));

static TYPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^(?:pub(?:\([\w: ]+\))? )?(?:struct|enum|trait|type) (\w+)").expect("a pattern"));
static TESTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"#\[cfg\(test\)\]\nmod (\w+);").expect("a pattern"));

type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

fn place(folder: &str) -> usize {
    ORDER.iter().position(|name| *name == folder).unwrap_or_else(|| panic!("src/{folder} has no place in the order"))
}

/// The first folder of a path below src/; files of the crate's root have none.
fn folder(file: &Path) -> Option<String> {
    let mut parts = file.iter();
    let first = parts.next()?.to_string_lossy().into_owned();
    parts.next().map(|_| first)
}

fn reaches_itself(start: &Path, imports: &Imports) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(file) = next.pop() {
        for import in imports.get(file).into_iter().flatten() {
            if import == start {
                return true;
            }
            if seen.insert(import) {
                next.push(import);
            }
        }
    }
    false
}

/// The files of src/.
static FILES: LazyLock<BTreeMap<PathBuf, String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    read(&root, &root, &mut files);
    files
});

/// The code of each file. Files and items for tests do not count.
static CODE: LazyLock<BTreeMap<PathBuf, String>> = LazyLock::new(|| {
    let mut tests = Vec::new();
    for (file, text) in &*FILES {
        let folder: PathBuf = module(file).iter().collect();
        tests.extend(TESTS.captures_iter(text).map(|test| folder.join(&test[1])));
    }
    let is_for_tests = |file: &Path| tests.iter().any(|test| file.with_extension("").starts_with(test));
    let code = FILES.iter().filter(|(file, _)| !is_for_tests(file));
    code.map(|(file, text)| (file.clone(), without_tests(text))).collect()
});

/// The files, each with the files that its code uses.
static IMPORTS: LazyLock<Imports> = LazyLock::new(imports);

fn imports() -> Imports {
    let files = &*CODE;
    let names: BTreeSet<PathBuf> = files.keys().cloned().collect();
    let used = |(file, text): (&PathBuf, &String)| {
        let mut imports: BTreeSet<PathBuf> =
            paths(file, text).iter().filter_map(|path| file_of(path, &names)).collect();
        imports.remove(file);
        (file.clone(), imports)
    };
    files.iter().map(used).collect()
}

fn read(folder: &Path, root: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("a folder of the crate") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(&path, root, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            let name = path.strip_prefix(root).expect("below the root").to_owned();
            files.insert(name, text);
        }
    }
}

/// The code without comments and without items for tests. An item ends with `;` on its first line, or with the next
/// brace that is indented as the item is.
fn without_tests(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = Vec::new();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("#[cfg(test)]") else {
            code.push(line);
            continue;
        };
        let item = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
        if !item.ends_with([';', '}']) {
            let _ = lines.by_ref().find(|line| line.strip_prefix(indent).is_some_and(|rest| rest.starts_with('}')));
        }
    }
    code.join("\n")
}

/// Every path that begins with `crate`, `super`, `self` or a child module, as segments from the crate's root. Groups are
/// spelled out.
fn paths(file: &Path, text: &str) -> Vec<Vec<String>> {
    let own = module(file);
    let children: Vec<String> = CHILD.captures_iter(text).map(|child| child[1].to_owned()).collect();
    let text = children.iter().fold(VISIBILITY.replace_all(text, "pub").into_owned(), |text, child| {
        let relative = Regex::new(&format!(r"(^|[^:\w]){child}::")).expect("a pattern");
        relative.replace_all(&text, format!("${{1}}self::{child}::")).into_owned()
    });
    let mut found = Vec::new();
    for path in PATH.captures_iter(&text) {
        // A method's `self`.
        if path[2].is_empty() && path.get(3).is_none() {
            continue;
        }
        let mut segments: Vec<String> =
            path[2].split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let mut base = match &path[1] {
            "crate" => Vec::new(),
            "self" => own.clone(),
            _ => own[..own.len().saturating_sub(1)].to_vec(),
        };
        while segments.first().is_some_and(|segment| segment == "super") {
            segments.remove(0);
            base.pop();
        }
        base.extend(segments);
        match path.get(3) {
            Some(group) if group.as_str().starts_with("::{") => {
                for word in WORD.find_iter(group.as_str()) {
                    found.push([base.clone(), vec![word.as_str().to_owned()]].concat());
                }
            }
            _ => found.push(base),
        }
    }
    found
}

/// The segments of a file's module: `register/sync.rs` and `register/sync/mod.rs` are `register`, `sync`.
fn module(file: &Path) -> Vec<String> {
    let path = file.with_extension("");
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    match parts.split_last() {
        Some((last, folders)) if ["mod", "lib", "main"].contains(&last.as_str()) => folders.to_vec(),
        _ => parts,
    }
}

/// The file of the longest part of a path that is a module.
fn file_of(path: &[String], files: &BTreeSet<PathBuf>) -> Option<PathBuf> {
    (1..=path.len()).rev().find_map(|length| {
        let module: PathBuf = path[..length].iter().collect();
        [module.with_extension("rs"), module.join("mod.rs")].into_iter().find(|file| files.contains(file))
    })
}
