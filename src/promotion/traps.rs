//! Keys that S3 stores and a deployment stumbles over, because it makes files of them: a prefix's objects come in,
//! remarks come out. They are copied all the same.

use std::collections::BTreeSet;

use super::inventory::SourceObject;
use super::location::Location;

/// The longest name of a file on the file systems that SageMaker downloads to (NAME_MAX of Linux), in bytes.
const MAX_NAME_BYTES: usize = 255;

/// What a download of this prefix to a folder would stumble over; at most one remark of each kind.
pub fn traps(prefix: &Location, objects: &[SourceObject]) -> Vec<String> {
    let names: Vec<&str> = objects
        .iter()
        .filter_map(|object| object.location.key.strip_prefix(&prefix.key))
        .filter(|n| !n.is_empty())
        .collect();
    let files: BTreeSet<&str> = names.iter().copied().collect();
    let first = |what: &str, is: &dyn Fn(&str) -> bool| {
        let hits: Vec<&&str> = names.iter().filter(|name| is(name)).collect();
        hits.first()
            .map(|name| format!("{} object(s) {what}, such as '{name}'; a deployment may fail on it", hits.len()))
    };
    [
        first("end in '/' (folder markers)", &|name| name.ends_with('/')),
        first("have a '.' or '..' in their path", &|name| name.split('/').any(|part| part == "." || part == "..")),
        first("have an empty part in their path", &|name| name.trim_end_matches('/').split('/').any(str::is_empty)),
        first("have a name of more than 255 bytes", &|name| name.split('/').any(|part| part.len() > MAX_NAME_BYTES)),
        first("are a file and a folder at once", &|name| {
            name.match_indices('/').any(|(slash, _)| files.contains(&name[..slash]))
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::objects::ETag;

    fn traps_of(keys: &[&str]) -> Vec<String> {
        let prefix: Location = "s3://models/m/".parse().unwrap();
        let object = |key: &&str| SourceObject {
            location: Location::new(&prefix.bucket, format!("m/{key}")),
            bytes: 0,
            etag: ETag::new("e"),
            head: None,
        };
        traps(&prefix, &keys.iter().map(object).collect::<Vec<_>>())
    }

    #[test]
    fn each_trap_is_named_once_with_an_example() {
        let long = "n".repeat(256);
        let found = traps_of(&["a/", "b/", "../c", "d//e", &long, "f", "f/g"]);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].starts_with("2 object(s) end in '/'"), "{found:?}");
    }

    #[test]
    fn an_ordinary_model_has_none() {
        assert!(traps_of(&["", "config.json", "weights/0001.bin", "weights/0002.bin"]).is_empty());
    }
}
