//! Warns about object keys that are not valid file paths. S3 stores them and promote copies them, but a deployment may
//! fail to download them.

use crate::model::location::Location;

/// The longest name of a file on the file systems that SageMaker downloads to (NAME_MAX of Linux), in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Whether a key below the prefix has a path that a deployment may fail on.
type Test = fn(&str) -> bool;

/// The checks of a single key, each with its remark.
const TESTS: [(&str, Test); 4] = [
    ("a name that ends in '/' (a folder marker)", |name| name.ends_with('/')),
    ("a '.' or '..' in the path", |name| name.split('/').any(|part| part == "." || part == "..")),
    ("an empty part in the path", |name| name.trim_end_matches('/').split('/').any(str::is_empty)),
    ("a file or folder name of more than 255 bytes", |name| name.split('/').any(|part| part.len() > MAX_NAME_BYTES)),
];
/// The remark about a key that is also the folder of another key.
const BOTH: &str = "the name of another object as a folder in the path";

/// Keys below a prefix that a deployment may fail to download.
#[derive(Debug)]
pub struct PathWarnings {
    prefix: String,
    /// For each check, the number of affected keys and the first of them.
    found: [Option<(u64, String)>; 5],
    /// The previous keys that the current key begins with. S3 lists `a`, `a-b`, `a/b` in this order, so the last key is
    /// not enough.
    beginnings: Vec<String>,
}

impl PathWarnings {
    /// No warnings yet. The keys are checked relative to `prefix`.
    pub fn new(prefix: &Location) -> Self {
        Self { prefix: prefix.key.clone(), found: Default::default(), beginnings: Vec::new() }
    }

    /// Checks the next key of a listing in key order.
    pub fn check(&mut self, key: &str) {
        let Some(name) = key.strip_prefix(&self.prefix).filter(|name| !name.is_empty()) else { return };
        for (found, (_, is)) in self.found.iter_mut().zip(TESTS) {
            if is(name) {
                count(found, name);
            }
        }
        while self.beginnings.last().is_some_and(|beginning| !name.starts_with(beginning.as_str())) {
            self.beginnings.pop();
        }
        if self.beginnings.iter().any(|file| name[file.len()..].starts_with('/')) {
            count(&mut self.found[TESTS.len()], name);
        }
        self.beginnings.push(name.to_owned());
    }

    /// The remarks, at most one per check, each with the number of keys and an example.
    pub fn remarks(&self) -> Vec<String> {
        let names = TESTS.iter().map(|(what, _)| *what).chain([BOTH]);
        let remark = |(found, what): (&Option<(u64, String)>, &str)| {
            let (count, name) = found.as_ref()?;
            Some(match count {
                1 => format!("1 object has {what}: '{name}'; a deployment may fail to download it"),
                _ => format!("{count} objects have {what}, such as '{name}'; a deployment may fail to download them"),
            })
        };
        self.found.iter().zip(names).filter_map(remark).collect()
    }
}

fn count(found: &mut Option<(u64, String)>, name: &str) {
    found.get_or_insert_with(|| (0, name.to_owned())).0 += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings_of(keys: &[&str]) -> Vec<String> {
        let prefix: Location = "s3://models/m/".parse().unwrap();
        let mut warnings = PathWarnings::new(&prefix);
        keys.iter().for_each(|key| warnings.check(&format!("m/{key}")));
        warnings.remarks()
    }

    #[test]
    fn each_warning_is_given_once_with_an_example() {
        let long = "n".repeat(256);
        let found = warnings_of(&["../c", "a/", "b/", "d//e", "f", "f-1", "f/g", &long]);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].starts_with("2 objects have a name that ends in '/'"), "{found:?}");
    }

    #[test]
    fn an_ordinary_model_has_no_warnings() {
        assert!(warnings_of(&["", "config.json", "weights/0001.bin", "weights/0002.bin"]).is_empty());
    }
}
