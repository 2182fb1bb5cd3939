//! Keys that S3 stores and a deployment stumbles over, because it makes files of them: a prefix's keys come in one by
//! one, remarks come out. They are copied all the same.

use crate::model::location::Location;

/// The longest name of a file on the file systems that SageMaker downloads to (NAME_MAX of Linux), in bytes.
const MAX_NAME_BYTES: usize = 255;

/// What a trap looks like in a key below the prefix.
type Test = fn(&str) -> bool;

/// The traps that one key shows by itself.
const TRAPS: [(&str, Test); 4] = [
    ("end in '/' (folder markers)", |name| name.ends_with('/')),
    ("have a '.' or '..' in their path", |name| name.split('/').any(|part| part == "." || part == "..")),
    ("have an empty part in their path", |name| name.trim_end_matches('/').split('/').any(str::is_empty)),
    ("have a name of more than 255 bytes", |name| name.split('/').any(|part| part.len() > MAX_NAME_BYTES)),
];
/// The trap that two keys make.
const BOTH: &str = "are a file and a folder at once";

/// What a download of a prefix to a folder would stumble over.
#[derive(Debug)]
pub struct Traps {
    prefix: String,
    /// How many keys each trap has, and the first of them.
    found: [Option<(u64, String)>; 5],
    /// The keys before this one that it begins with: S3 lists `a`, `a-b`, `a/b` in this order.
    beginnings: Vec<String>,
}

impl Traps {
    /// Nothing is seen yet.
    pub fn new(prefix: &Location) -> Self {
        Self { prefix: prefix.key.clone(), found: Default::default(), beginnings: Vec::new() }
    }

    /// Looks at the next key of the listing.
    pub fn see(&mut self, key: &str) {
        let Some(name) = key.strip_prefix(&self.prefix).filter(|name| !name.is_empty()) else { return };
        for (found, (_, is)) in self.found.iter_mut().zip(TRAPS) {
            if is(name) {
                count(found, name);
            }
        }
        while self.beginnings.last().is_some_and(|beginning| !name.starts_with(beginning.as_str())) {
            self.beginnings.pop();
        }
        if self.beginnings.iter().any(|file| name[file.len()..].starts_with('/')) {
            count(&mut self.found[TRAPS.len()], name);
        }
        self.beginnings.push(name.to_owned());
    }

    /// At most one remark of each kind.
    pub fn remarks(&self) -> Vec<String> {
        let names = TRAPS.iter().map(|(what, _)| *what).chain([BOTH]);
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

    fn traps_of(keys: &[&str]) -> Vec<String> {
        let prefix: Location = "s3://models/m/".parse().unwrap();
        let mut traps = Traps::new(&prefix);
        keys.iter().for_each(|key| traps.see(&format!("m/{key}")));
        traps.remarks()
    }

    #[test]
    fn each_trap_is_named_once_with_an_example() {
        let long = "n".repeat(256);
        let found = traps_of(&["../c", "a/", "b/", "d//e", "f", "f-1", "f/g", &long]);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].starts_with("2 object(s) end in '/'"), "{found:?}");
    }

    #[test]
    fn an_ordinary_model_has_none() {
        assert!(traps_of(&["", "config.json", "weights/0001.bin", "weights/0002.bin"]).is_empty());
    }
}
