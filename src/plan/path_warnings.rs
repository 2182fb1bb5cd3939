//! Warns of keys that S3 stores and that a deployment may fail on, because it makes files of them. They are copied all
//! the same.

use crate::model::location::Location;

/// The longest name of a file on the file systems that SageMaker downloads to (NAME_MAX of Linux), in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Whether a key below the prefix has a path that a deployment may fail on.
type Test = fn(&str) -> bool;

/// What can be seen in one key.
const TESTS: [(&str, Test); 4] = [
    ("end in '/' (folder markers)", |name| name.ends_with('/')),
    ("have a '.' or '..' in their path", |name| name.split('/').any(|part| part == "." || part == "..")),
    ("have an empty part in their path", |name| name.trim_end_matches('/').split('/').any(str::is_empty)),
    ("have a name of more than 255 bytes", |name| name.split('/').any(|part| part.len() > MAX_NAME_BYTES)),
];
/// What can only be seen in two keys.
const BOTH: &str = "are a file and a folder at once";

/// What the download of a prefix to a folder may fail on.
#[derive(Debug)]
pub struct PathWarnings {
    prefix: String,
    /// How many keys each warning is about, and the first of them.
    found: [Option<(u64, String)>; 5],
    /// The keys before this one that it begins with: S3 lists `a`, `a-b`, `a/b` in this order.
    beginnings: Vec<String>,
}

impl PathWarnings {
    /// Nothing is seen yet.
    pub fn new(prefix: &Location) -> Self {
        Self { prefix: prefix.key.clone(), found: Default::default(), beginnings: Vec::new() }
    }

    /// Looks at the next key of the listing.
    pub fn see(&mut self, key: &str) {
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

    /// At most one remark of each kind.
    pub fn remarks(&self) -> Vec<String> {
        let names = TESTS.iter().map(|(what, _)| *what).chain([BOTH]);
        let remark = |(found, what): (&Option<(u64, String)>, &str)| {
            let (count, name) = found.as_ref()?;
            Some(format!("{count} object(s) {what}, such as '{name}'; a deployment may fail on it"))
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
        keys.iter().for_each(|key| warnings.see(&format!("m/{key}")));
        warnings.remarks()
    }

    #[test]
    fn each_warning_is_given_once_with_an_example() {
        let long = "n".repeat(256);
        let found = warnings_of(&["../c", "a/", "b/", "d//e", "f", "f-1", "f/g", &long]);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].starts_with("2 object(s) end in '/'"), "{found:?}");
    }

    #[test]
    fn an_ordinary_model_has_none() {
        assert!(warnings_of(&["", "config.json", "weights/0001.bin", "weights/0002.bin"]).is_empty());
    }
}
